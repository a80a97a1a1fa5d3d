"""The protocol as a file that gives the same protocol again, and as rows of the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any

from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.tables.table import Cell


def as_toml(protocol: Protocol) -> str:
    """The protocol as TOML, defaults included. What is None is left out."""
    lines = [f"{name} = {_toml(value)}" for name, value in _own(protocol)]
    for field in fields(protocol):
        table = getattr(protocol, field.name)
        if is_dataclass(table):
            lines += ["", f"[{field.name}]", *(f"{name} = {_toml(value)}" for name, value in _own(table))]
    return "\n".join(lines) + "\n"


def as_rows(protocol: Protocol) -> tuple[tuple[Cell, ...], ...]:
    """A row a definition: its name with that of its table, and its value."""
    found: list[tuple[Cell, ...]] = []
    for field in fields(protocol):
        table = getattr(protocol, field.name)
        if is_dataclass(table):
            found += [(f"{field.name}.{name}", _toml(value)) for name, value in _own(table)]
    return tuple(found)


def _own(table: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(table):
        value = getattr(table, field.name)
        if value is not None and not is_dataclass(value):
            yield field.name, value


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, Enum):
        return _toml(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | time):
        return value.isoformat()
    return json.dumps(str(value), ensure_ascii=False) if isinstance(value, str | Decimal) else str(value)
