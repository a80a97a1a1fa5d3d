"""The lines under rows, and the value sets among which a person chooses for some of them."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.inventory_report.not_known import NotKnown
from cds_server.inventory_report.report import NameRow
from cds_server.inventory_report.shown import json_text, safe, wrapped
from cds_server.inventory_report.value_set_lines import INGREDIENT


class Choices:
    """The choices of one table, each by a number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[str, ...], bool], int] = {}

    def line(self, row: NotKnown | NameRow) -> str:
        """The line under a row, after its value set or the number of a choice; or why there is none."""
        line = row.line()
        if line.include is None:
            return safe(f"no line: {line.why_not}")
        if len(line.value_sets) == 1 and not line.needs_ingredient:
            return f"{line.value_sets[0]}: {json_text(line.include)}"
        number = self._numbers.setdefault((line.value_sets, line.needs_ingredient), len(self._numbers) + 1)
        return f"choose [{number}]: {json_text(line.include)}"

    def legend(self) -> Iterator[str]:
        for (value_sets, needs_ingredient), number in self._numbers.items():
            needs = f"; for a set of drugs add the extension {INGREDIENT}" if needs_ingredient else ""
            one = f"[{number}] " + ("one of " if len(value_sets) > 1 else "") + ", ".join(value_sets) + needs
            yield from wrapped(one, "    ")
