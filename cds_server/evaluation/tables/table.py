"""A table: its CSV, its cells in words, and what is left of it when no small group may be shown."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from math import isnan
from pathlib import Path
from typing import Any

from cds_server.evaluation.statistics.estimates import Estimate

Cell = str | int | float | bool | Decimal | date | None
NOTE = "note"  # the column of words that may name counts: "not fitted: 6 events"
MINUS = "−"


@dataclass(frozen=True)
class Table:
    """Columns and rows. `name` is that of the CSV.

    `counts` are the columns that count patients, courses or what they had: a small one is not shown in an aggregate
    report.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    counts: tuple[str, ...] = ()

    def column(self, name: str) -> list[Cell]:
        where = self.columns.index(name)
        return [row[where] for row in self.rows]

    def only(self, *columns: str) -> Table:
        """Some columns of the table, for a place that has no room for all."""
        where = [self.columns.index(name) for name in columns]
        rows = tuple(tuple(row[index] for index in where) for row in self.rows)
        return Table(self.name, columns, rows, tuple(name for name in self.counts if name in columns))

    def where(self, holds: Callable[[dict[str, Cell]], bool]) -> Table:
        """The rows of which something holds."""
        rows = tuple(row for row, named in zip(self.rows, self.dicts(), strict=True) if holds(named))
        return Table(self.name, self.columns, rows, self.counts)

    def dicts(self) -> list[dict[str, Cell]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def numbers(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    """The three cells of an estimate: value, low, high; None for what is not defined."""
    if estimate is None:
        return None, None, None
    value, low, high = (None if isnan(x) else x for x in (estimate.value, estimate.low, estimate.high))
    return value, low, high


def defined(number: float) -> float | None:
    return None if isnan(number) else number


def cells_of(row: Any) -> tuple[Cell, ...]:
    """The fields of a row (a dataclass) as cells; several values of a field are joined by spaces."""
    return tuple(_cell(getattr(row, one.name)) for one in fields(row))


def _cell(value: Any) -> Cell:
    if isinstance(value, tuple):
        return " ".join(str(_cell(one)) for one in value)
    found: Cell = value.value if isinstance(value, Enum) else value
    return found


def write_csv(folder: Path, name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write the CSV of a table. Times are ISO 8601 in UTC; what is not known is empty."""
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_for_csv(cell) for cell in row] for row in rows)


def _for_csv(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.6g}"
    text = cell.isoformat() if isinstance(cell, date) else str(cell)
    return f"'{text}" if text.startswith(("=", "+", "@", "\t")) else text  # a spreadsheet would read a formula


def in_words(cell: Cell) -> str:
    """A cell as the page shows it: three decimals, a p-value below 0.001 as such is never rounded to 0."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float | Decimal):
        return _number(float(cell))
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return str(cell)


def _number(x: float) -> str:
    if x and abs(x) < 0.001:
        return f"{x:.1g}".replace("-", MINUS)
    text = f"{x:.0f}" if abs(x) >= 1000 else f"{x:.2f}" if abs(x) >= 10 else f"{x:.4f}" if abs(x) < 0.1 else f"{x:.3f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def shown_columns(table: Table) -> list[tuple[str, tuple[int, ...]]]:
    """The headings of the page with the columns behind each: a figure and its limits stand in one cell.

    A column without any value is left to the CSV.
    """
    found: list[tuple[str, tuple[int, ...]]] = []
    for index, name in enumerate(table.columns):
        if table.rows and not any(row[index] not in (None, "") for row in table.rows):
            continue
        limits, whole = _limits_of(name, table.columns), _whole_of(name)
        if whole in table.columns:
            found.append((name.removesuffix(EVENTS), (index, table.columns.index(whole))))
        elif name.removesuffix("_n") + EVENTS in table.columns:
            continue
        elif limits:
            found.append((name, (index, *map(table.columns.index, limits))))
        elif not _is_limit(name, table.columns):
            found.append((name, (index,)))
    return [(_heading(name), columns) for name, columns in found]


_WORDS = {"auc": "AUC", "crs": "CRS", "icans": "ICANS", "il6": "IL-6", "j": "J", "kaplan": "Kaplan", "meier": "Meier"}


def _heading(name: str) -> str:
    return " ".join(_WORDS.get(word, word) for word in name.split("_"))


EVENTS = "_events"


def _whole_of(name: str) -> str:
    """The column of the courses among which another one counts events: the page shows both in one cell."""
    return f"{name.removesuffix(EVENTS)}_n" if name.endswith(EVENTS) else ""


def _limits_of(name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of the limits of a figure: `low` and `high` alone are those of a difference."""
    ways = ((f"{name}_low", f"{name}_high"), *((("low", "high"),) if name == "difference" else ()))
    return next((way for way in ways if all(limit in columns for limit in way)), ())


def _is_limit(name: str, columns: Sequence[str]) -> bool:
    return any(name in _limits_of(of, columns) for of in columns)


def shown_cell(row: Sequence[Cell], columns: Sequence[int]) -> tuple[str, str]:
    """The figure of a cell of the page, and its limits, which stand below it; "" where it has none."""
    value, *limits = (row[index] for index in columns)
    if len(limits) == 1:
        return ("–" if value is None else f"{in_words(value)} of {in_words(limits[0])}"), ""
    if not limits or not all(isinstance(limit, int | float | Decimal) for limit in limits):
        return in_words(value), ""
    return in_words(value), f"({in_words(limits[0])} to {in_words(limits[1])})"
