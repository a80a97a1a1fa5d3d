"""The values of settings: each reader here takes a text and returns what it means, or raises UnusableError."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cds_server.limits import UnusableError
from cds_server.outgoing.base_url import normalised_base

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
LEAST_TOKEN_CHARS = 16
LEAST_KEY_CHARS = 32
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?")


def optional(read: Callable[[str], T]) -> Callable[[str], T | None]:
    """A reader that takes an empty text for no value."""
    return lambda text: read(text) if text.strip() else None


def one_of(choices: type[E]) -> Callable[[str], E]:
    def read(text: str) -> E:
        try:
            return choices(text)
        except ValueError as error:
            raise UnusableError(f"must be {' or '.join(choice.value for choice in choices)}") from error

    return read


def number(low: str, high: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not (value.is_finite() and Decimal(low) <= value <= Decimal(high)):
            raise UnusableError(f"must be a number from {low} to {high}")
        return float(value)

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        # a text longer than the upper limit is too large
        if not text.isascii() or not text.isdigit() or len(text) > len(str(high)) or not low <= int(text) <= high:
            raise UnusableError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def yes_or_no(text: str) -> bool:
    if text not in ("0", "1"):
        raise UnusableError("must be 1 for yes, or 0 or empty for no")
    return text == "1"


def listed(text: str) -> tuple[str, ...]:
    """The parts between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def names(text: str) -> frozenset[str]:
    return frozenset(listed(text))


def bases(text: str) -> tuple[str, ...]:
    return tuple(normalised_base(part) for part in listed(text))


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnusableError("must be the IANA name of a zone, such as Europe/Berlin") from error


def path(text: str) -> Path:
    return Path(text.strip())


def folder(text: str) -> Path:
    """A folder that the service may write to."""
    found = path(text)
    if not found.is_dir() or not os.access(found, os.W_OK | os.X_OK):
        raise UnusableError("must name a folder that is there, and that the service may write to")
    return found


def path_or_off(text: str) -> Path | None:
    return None if text == "off" else path(text)


def certificates(text: str) -> Path:
    file = _file(text)
    try:
        ssl.create_default_context(cafile=str(file))
    except (ssl.SSLError, OSError) as error:
        raise UnusableError("must name a file of certificates as PEM") from error
    return file


def own_certificate(text: str) -> Path:
    file = _file(text)
    try:
        ssl.create_default_context().load_cert_chain(file, password="")
    except (ssl.SSLError, OSError) as error:
        raise UnusableError(
            "must name one file with a certificate and its private key, as PEM without password"
        ) from error
    return file


def _file(text: str) -> Path:
    file = path(text)
    if not file.is_file():
        raise UnusableError("names a file that is not there; correct the path, or mount the file")
    return file


def proxy(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or " " in text:
        raise UnusableError("must be the address of a proxy, such as http://proxy.example.org:3128")
    return text


def origins_or_all(text: str) -> tuple[str, ...]:
    found = listed(text)
    if not all(origin == "*" or _is_origin(origin) for origin in found):
        raise UnusableError("must be origins with commas between them, such as https://ehr.example.org, or *")
    return found


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    named = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    return named and not (parts.path or parts.query or parts.fragment or " " in text)


def origins(text: str) -> tuple[str, ...]:
    found = listed(text)
    if not all(_ORIGIN.fullmatch(origin) for origin in found):
        raise UnusableError("must be origins with commas between them, such as https://ehr.example.org, without a path")
    return found


def token(text: str) -> str:
    if len(text) < LEAST_TOKEN_CHARS or not text.isascii() or not text.isprintable():
        raise UnusableError(f"must be at least {LEAST_TOKEN_CHARS} printable ASCII characters")
    return text
