"""The `[[tables]]` of a TOML file that a setting names: fields of the right type, or a SettingsError that names one."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_server.limits import SettingsError, naming
from cds_server.outgoing.base_url import normalised_base
from cds_server.outgoing.token_request import ClientKey
from cds_server.toml_file import toml_table
from cds_server.trust.own_keys import own_key

_FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}\.[A-Za-z0-9]{1,6}")
_NO_TABLES = "must hold one or more [[{first}]] entries{others}, and nothing else."


@dataclass(frozen=True)
class TomlEntry:
    """One table. Error messages name it by `where`; the files that it names lie in `folder`, beside its own."""

    where: str
    folder: Path
    fields: dict[str, Any]

    def wrong(self, name: str, says: str) -> SettingsError:
        return SettingsError(f"{self.where}.{name} {says}.")

    def check_names(self, known: AbstractSet[str]) -> None:
        """Raise SettingsError for a field that nobody reads, because it may be mistyped."""
        unknown = min(set(self.fields) - known, default=None)
        if unknown is not None:
            fields = ", ".join(sorted(known))
            raise self.wrong(unknown, f"is not a field; correct its name or remove it. The fields are {fields}")

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "must be a text that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self.fields else None

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
            raise self.wrong(name, "must be a list of texts")
        return tuple(value)

    def base(self, name: str) -> str:
        return self.base_in(name, self.text(name))

    def base_in(self, name: str, text: str) -> str:
        with naming(f"{self.where}.{name}"):
            return normalised_base(text)

    def file(self, name: str) -> Path:
        path = self.folder / self.text(name)
        with naming(f"{self.where}.{name}"):
            there = path.is_file()
        if not there:
            raise self.wrong(name, f"must name a file in the folder of this one; there is no {_shown_name(path)}")
        return path

    def client_key(self, name: str) -> ClientKey:
        """The private key in a file, for `kid`."""
        file, kid = self.file(name), self.optional_text("kid")
        with naming(f"{self.where}.{name}"):
            return own_key(file.read_bytes(), kid)


def _shown_name(path: Path) -> str:
    """A file's name where it looks like one: a key may stand in its place by mistake."""
    return path.name if _FILE_NAME.fullmatch(path.name) else "file of that name"


def toml_entries(setting: str, file: Path, first: str, *others: str) -> dict[str, list[TomlEntry]]:
    """The entries of a file by the name of their table, with at least one of `first`. Raises SettingsError."""
    tables = toml_table(setting, file)
    known = (first, *others)
    lists = all(isinstance(t, list) and all(isinstance(e, dict) for e in t) for t in tables.values())
    if not lists or set(tables) - set(known) or not tables.get(first):
        beside = "".join(f", any number of [[{name}]]" for name in others)
        raise SettingsError(f"{setting}: the file " + _NO_TABLES.format(first=first, others=beside))
    return {
        name: [TomlEntry(f"{setting}: {name}[{n}]", file.parent, e) for n, e in enumerate(tables.get(name, []))]
        for name in known
    }
