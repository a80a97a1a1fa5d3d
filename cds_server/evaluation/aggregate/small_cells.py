"""A table of which no small count is shown, and none can be told by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds_server.evaluation.aggregate.sums import Place, Sums
from cds_server.evaluation.tables.table import NOTE, Cell, Table

SUPPRESSED = "suppressed"
Hidden = dict[Place, str]


def without_small_cells(table: Table, sums: Sums, least: int) -> Table:
    """The table with counts from 1 to `least` − 1 as "<7", and as many others suppressed as it takes.

    What was worked out of such a row is left out.
    """
    rows = table.dicts()
    hidden: Hidden = {
        (r, name): f"<{least}" for r, row in enumerate(rows) for name in table.counts if _is_small(row[name], least)
    }
    for place, number in sums.near:
        value = _value(rows, place)
        if isinstance(value, int) and _is_small(abs(number - value), least):
            hidden.setdefault(place, SUPPRESSED)
    while any(_hidden_further(line, rows, hidden, least) for line in sums.lines):
        pass
    touched = {r for r, _ in hidden}
    touched |= {r for r, of in sums.worked_out if touched & set(of)}
    for r, row in enumerate(rows):
        for name in row:
            row[name] = hidden.get((r, name), _left(row[name], name, table) if r in touched else row[name])
    return Table(table.name, table.columns, tuple(tuple(row.values()) for row in rows), table.counts)


def _left(cell: Cell, name: str, table: Table) -> Cell:
    """A cell beside a hidden one: a figure, a note and words in the place of a count rest on what is hidden."""
    of_it = isinstance(cell, float | Decimal) or (isinstance(cell, str) and (name == NOTE or name in table.counts))
    return SUPPRESSED if of_it and cell != "" else cell


def _is_small(cell: Cell, least: int) -> bool:
    return isinstance(cell, int) and not isinstance(cell, bool) and 0 < cell < least


def _value(rows: Sequence[dict[str, Cell]], place: Place) -> Cell:
    return rows[place[0]][place[1]]


def _hidden_further(line: Sequence[Place], rows: Sequence[dict[str, Cell]], hidden: Hidden, least: int) -> bool:
    """Hide one more cell of a line whose total would tell a hidden one; tell whether it was needed."""
    counted = {place: value for place in line if isinstance(value := _value(rows, place), int)}
    small = [place for place in counted if hidden.get(place, SUPPRESSED) != SUPPRESSED]
    others = [place for place in counted if hidden.get(place) == SUPPRESSED]
    if not _is_told(sum(counted[p] for p in (*small, *others)), len(small), len(others), least):
        return False
    further = sorted((value == 0, value, place) for place, value in counted.items() if place not in hidden)
    if further:
        hidden[further[0][2]] = SUPPRESSED
    else:  # nothing is left to hide: not even that they are small is said
        hidden.update(dict.fromkeys(small, SUPPRESSED))
    return bool(further or small)


def _is_told(total: int, small: int, others: int, least: int) -> bool:
    """Tell whether the total of the hidden cells of a line gives one of them away, or is itself a small group.

    `small` ones are each from 1 to `least` − 1, and `others` each 0 or at least `least`.
    """
    if small + others < 2 or 0 < total < least:
        return small + others > 0 and total > 0
    if not small:
        return False
    most = small * (least - 1)
    sums = [s for s in range(small, most + 1) if (total == s if not others else total == s or total - s >= least)]
    return len(sums) < 2 and (small == 1 or others == 1 or sums[0] in (small, most))
