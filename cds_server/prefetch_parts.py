"""Prefetch templates in parts, for clients and proxies that do not take long addresses.

A template with many codes becomes `conditions-1-of-3` to `conditions-3-of-3`, each with some of the codes. Every name
says how many there are, so that a part which did not come is missed and never counts as "nothing on record".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote_plus

from cds_server.data_keys import DataKey, asked_keys
from cds_server.limits import UnusableError
from fhir_mappings.codes.terminology import Terminology

T = TypeVar("T")
MOST_PARTS = 99
_PART = re.compile(r"([A-Za-z0-9]+)-([1-9][0-9]?)-of-([1-9][0-9]?)")


def split_templates(terms: Terminology, longest: int) -> dict[str, str]:
    """The templates by key, in parts where one is longer, percent-encoded, than `longest`. Raises UnusableError."""
    return {name: template for key in asked_keys(terms) for name, template in _split(key, terms, longest)}


def encoded_length(template: str) -> int:
    """The characters of a template once its values are percent-encoded, as clients send it; the token as it stands."""
    path, mark, query = template.partition("?")
    params = (param.partition("=") for param in query.split("&"))
    return len(path + mark + "&".join(f"{name}{sign}{quote_plus(value, safe='{}')}" for name, sign, value in params))


def _split(key: DataKey, terms: Terminology, longest: int) -> Iterator[tuple[str, str]]:
    whole = key.template(terms)
    if encoded_length(whole) <= longest:
        yield key.key, whole
        return
    codes = dict(key.params(terms)).get("code", "")
    parts = _parts(codes.split(","), longest - encoded_length(whole.replace(codes, ""))) if codes else [""]
    templates = [whole.replace(codes, part) for part in parts]
    if len(parts) > MOST_PARTS or any(encoded_length(template) > longest for template in templates):
        raise UnusableError(f"is too short for {key.key}")
    for number, template in enumerate(templates, 1):
        yield f"{key.key}-{number}-of-{len(parts)}", template


def _parts(codes: list[str], room: int) -> list[str]:
    """Lists of codes, in order, each as long as fits, and of one code at least."""
    parts: list[str] = []
    for code in codes:
        if parts and len(quote_plus(f"{parts[-1]},{code}")) <= room:
            parts[-1] += f",{code}"
        else:
            parts.append(code)
    return parts


def parts_sent(prefetch: Mapping[str, T], key: str) -> Mapping[str, T | None]:
    """The parts of a key by name, None for each that did not come; empty if none came. Of parts that were split in two
    ways the more numerous count."""
    named = [match for match in map(_PART.fullmatch, prefetch) if match is not None and match[1] == key]
    if not named:
        return {}
    number = max(int(match[3]) for match in named)
    names = [f"{key}-{n}-of-{number}" for n in range(1, number + 1)]
    return {name: prefetch.get(name) for name in names}
