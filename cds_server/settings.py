"""Environment variables → frozen Settings, or a refusal that says how to fix it. See the table in the README."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class CourseLookup(StrEnum):
    HISTORY = "history"
    CODES = "codes"


class SettingsError(ValueError):
    """A setting that cannot be used: which one, what is wrong, what to do."""


@dataclass(frozen=True)
class SiteSettings:
    """What names the site's rules: enough to explain a recorded patient without a server."""

    public_url: str
    zone: ZoneInfo | None
    thresholds_file: Path | None
    value_sets_folder: Path | None


@dataclass(frozen=True)
class Settings(SiteSettings):
    environment: Environment
    fhir_servers: tuple[str, ...]
    cors_origins: tuple[str, ...]
    budget_seconds: float
    max_body_bytes: int
    course_lookup: CourseLookup


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read every `CRS_CDS_*` variable. Raises SettingsError naming the first one that cannot be used."""
    site = site_settings_from(environ)
    environment = _one_of(environ, "CRS_CDS_ENV", Environment, Environment.PRODUCTION)
    if environment is Environment.PRODUCTION:
        raise SettingsError(
            "CRS_CDS_ENV=production is refused: this version does not check who calls it, so anyone who reaches it "
            "could read a patient's cards. Set CRS_CDS_ENV=development, on a network of your own."
        )
    return Settings(
        public_url=site.public_url,
        zone=site.zone,
        thresholds_file=site.thresholds_file,
        value_sets_folder=site.value_sets_folder,
        environment=environment,
        fhir_servers=tuple(
            normalised_base(url, "CRS_CDS_FHIR_SERVERS") for url in _listed(environ, "CRS_CDS_FHIR_SERVERS")
        ),
        cors_origins=_listed(environ, "CRS_CDS_CORS_ORIGINS") or ("*",),
        budget_seconds=float(_number(environ, "CRS_CDS_BUDGET_SECONDS", "5", low="0.1", high="120")),
        max_body_bytes=int(_number(environ, "CRS_CDS_MAX_BODY_MIB", "20", low="0.001", high="1024") * 1024 * 1024),
        course_lookup=_one_of(environ, "CRS_CDS_COURSE_LOOKUP", CourseLookup, CourseLookup.HISTORY),
    )


def site_settings_from(environ: Mapping[str, str]) -> SiteSettings:
    """The part of the settings that the command line needs. Raises SettingsError."""
    unknown = sorted(k for k in environ if k.startswith("CRS_CDS_") and k not in KNOWN)
    if unknown:
        raise SettingsError(f"{unknown[0]} is no setting of this version; correct its name or remove it.")
    public_url = environ.get("CRS_CDS_PUBLIC_URL", "http://127.0.0.1:8000")
    return SiteSettings(
        public_url=normalised_base(public_url, "CRS_CDS_PUBLIC_URL"),
        zone=_zone(environ.get("CRS_CDS_TIMEZONE")),
        thresholds_file=_path(environ, "CRS_CDS_THRESHOLDS"),
        value_sets_folder=_path(environ, "CRS_CDS_VALUE_SETS"),
    )


KNOWN = frozenset(
    {
        "CRS_CDS_ENV",
        "CRS_CDS_PUBLIC_URL",
        "CRS_CDS_FHIR_SERVERS",
        "CRS_CDS_TIMEZONE",
        "CRS_CDS_CORS_ORIGINS",
        "CRS_CDS_BUDGET_SECONDS",
        "CRS_CDS_MAX_BODY_MIB",
        "CRS_CDS_COURSE_LOOKUP",
        "CRS_CDS_THRESHOLDS",
        "CRS_CDS_VALUE_SETS",
        "CRS_CDS_NO_SKIP",  # read by the test suite only
    }
)


def normalised_base(url: str, name: str = "url") -> str:
    """A base URL to compare by: lower-case scheme and host, no default port, no trailing slash.

    Raises SettingsError for anything but http or https with a host, or with user info, query, fragment, or a
    path that climbs.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"{name}: not a URL.") from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name}: must be an http or https URL with a host.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SettingsError(f"{name}: must have no user name, query or fragment.")
    if any(segment in (".", "..") for segment in parts.path.split("/")) or "%" in parts.path or "\\" in url:
        raise SettingsError(f"{name}: its path must be plain.")
    scheme = parts.scheme.lower()
    host = parts.hostname.lower()
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[scheme]
    authority = host if port in (None, default) else f"{host}:{port}"
    path = "/".join(segment for segment in parts.path.split("/") if segment)
    return f"{scheme}://{authority}/{path}".rstrip("/")


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    return Path(text) if text else None


def _listed(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environ.get(name, "").split(",") if part.strip())


E = TypeVar("E", bound=StrEnum)


def _one_of(environ: Mapping[str, str], name: str, choices: type[E], default: E) -> E:
    text = environ.get(name, default.value)
    try:
        return choices(text)
    except ValueError as error:
        allowed = " or ".join(c.value for c in choices)
        raise SettingsError(f"{name} must be {allowed}.") from error


def _number(environ: Mapping[str, str], name: str, default: str, *, low: str, high: str) -> Decimal:
    try:
        value = Decimal(environ.get(name, default))
    except InvalidOperation as error:
        raise SettingsError(f"{name} must be a number.") from error
    if not (value.is_finite() and Decimal(low) <= value <= Decimal(high)):
        raise SettingsError(f"{name} must lie between {low} and {high}.")
    return value


def _zone(name: str | None) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError("CRS_CDS_TIMEZONE must be an IANA name such as Europe/Berlin.") from error
