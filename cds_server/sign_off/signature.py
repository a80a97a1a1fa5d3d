"""The signature of the rules as a file: name, role, date, version and hash, with what was signed row by row.

The file is no proof against forgery. It says which rules a named person read, so that rules that changed since, by a
site's own file or by an upgrade, are not taken for signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cds_server.limits import SettingsError
from cds_server.rules_content import RulesContent, hash_of

MOST_BYTES = 10_000_000
MOST_CHARS = 200
_TEXTS = ("name", "role", "date", "rules", "hash")
_TABLES = ("content", "examples")


@dataclass(frozen=True)
class Signature:
    """A named person, a day, and rules: `rules` is the version that a person cites, `content` what was signed, and
    `examples` the cards that the example patients got then, by patient and moment."""

    name: str
    role: str
    date: date
    rules: str
    hash: str
    content: RulesContent
    examples: Mapping[str, str]


def as_json(signature: Signature) -> str:
    """The file's text."""
    fields = asdict(signature) | {"date": signature.date.isoformat()}
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def read_signature(named_by: str, file: Path) -> Signature:
    """The signature in a file. Raises SettingsError, which begins with `named_by`, the setting or option."""
    found = _content(named_by, file)
    for field in _TEXTS:
        text = found.get(field)
        if not isinstance(text, str) or not text.strip() or len(text) > MOST_CHARS or not text.isprintable():
            raise SettingsError(
                f"{named_by}: {field} must be a text of 1 to {MOST_CHARS} printable characters; {_AGAIN}"
            )
    for field in _TABLES:
        if not isinstance(found.get(field), dict):
            raise SettingsError(f"{named_by}: {field} must be a table; {_AGAIN}")
    if not all(_is_texts(section) for section in found["content"].values()) or not _is_texts(found["examples"]):
        raise SettingsError(f"{named_by}: content and examples may hold only printable texts by name; {_AGAIN}")
    if hash_of(found["content"]) != found["hash"]:
        raise SettingsError(f"{named_by}: hash is not that of content: the file was changed after it was signed.")
    try:
        day = date.fromisoformat(found["date"])
    except ValueError as error:
        raise SettingsError(f"{named_by}: date must be a date such as 2026-03-01.") from error
    return Signature(**{**{field: found[field] for field in (*_TEXTS, *_TABLES)}, "date": day})


_AGAIN = "make the file again with `crs-cds sign`."


def _content(named_by: str, file: Path) -> dict[str, Any]:
    try:
        if not file.is_file():  # a device would never end
            raise SettingsError(f"{named_by} must name a file that can be read; `crs-cds sign` makes it.")
        if file.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{named_by}: the file is too large for a signature; {_AGAIN}")
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{named_by} must name a file that can be read; `crs-cds sign` makes it.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{named_by}: the file is not a signature; {_AGAIN}") from error
    if not isinstance(found, dict):
        raise SettingsError(f"{named_by}: the file is not a signature; {_AGAIN}")
    return found


# What stands in the file is printed on a terminal, which may obey what is no text.
def _is_texts(table: object) -> bool:
    return isinstance(table, dict) and all(_is_text(name) and _is_text(text) for name, text in table.items())


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.replace("\n", "").isprintable()
