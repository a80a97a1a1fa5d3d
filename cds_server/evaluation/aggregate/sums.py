"""The ways in which the counts of a table hang together: what a reader could subtract to find one that is not shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Place = tuple[int, str]  # row, column
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Sums:
    """The numbers that a reader could subtract.

    `lines` are cells that add up to a number which may be known. `near` is a cell beside such a number: where they lie
    close together, their difference is a small group. `worked_out` is a row with those that its figures rest on.
    """

    lines: tuple[tuple[Place, ...], ...] = ()
    near: tuple[tuple[Place, int], ...] = ()
    worked_out: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.lines + other.lines, self.near + other.near, self.worked_out + other.worked_out)


def across(rows: Rows, *columns: str) -> Sums:
    """Columns that add up in each row."""
    return Sums(lines=tuple(tuple((r, column) for column in columns) for r in range(len(rows))))


def down(rows: Rows, by: Sequence[str], *columns: str) -> Sums:
    """Rows alike in some columns, which add up in others."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for r, row in enumerate(rows):
        groups.setdefault(tuple(row[name] for name in by), []).append(r)
    return Sums(lines=tuple(tuple((r, column) for r in group) for group in groups.values() for column in columns))


def within(rows: Rows, *pairs: tuple[str, str]) -> Sums:
    """Pairs of columns: the first counts some of those whom the second counts."""
    return Sums(near=tuple(
        ((r, part), row[whole]) for r, row in enumerate(rows) for part, whole in pairs
        if isinstance(row[part], int) and isinstance(row[whole], int)
    ))  # fmt: skip


def of_whole(rows: Rows, whole: int, *columns: str) -> Sums:
    """Columns that count some of a number of courses which stands elsewhere on the page."""
    return Sums(near=tuple(((r, column), whole) for r in range(len(rows)) for column in columns))


def rows_within(rows: Rows, pairs: Iterable[tuple[int, int]], *columns: str) -> Sums:
    """Pairs of rows: the first counts some of those whom the second counts."""
    return Sums(near=tuple(((part, c), rows[whole][c]) for part, whole in pairs for c in columns))
