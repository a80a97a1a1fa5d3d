"""The parts that a page is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_server.evaluation.report.charts import Chart
from cds_server.evaluation.tables.reading_list import Strip
from cds_server.evaluation.tables.table import Table


@dataclass(frozen=True)
class Part:
    """A heading with its notes, its picture, and the table behind the picture. `empty` stands for a table without a
    row."""

    heading: str
    notes: tuple[str, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    strips: tuple[Strip, ...] = ()
    caption: str = ""
    empty: str = "Nothing to show."


@dataclass(frozen=True)
class Chapter:
    id: str
    title: str
    parts: tuple[Part, ...]
    lead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tile:
    """One figure of page one, with what it counts."""

    name: str
    figure: str
    says: str


@dataclass(frozen=True)
class Page:
    """Everything on the page."""

    title: str
    note: str
    tiles: tuple[Tile, ...]
    chapters: tuple[Chapter, ...]
    holds_patient_data: bool
    facts: tuple[tuple[str, str], ...] = field(default=())

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(part.chart for chapter in self.chapters for part in chapter.parts if part.chart)
