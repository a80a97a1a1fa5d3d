"""Page one: what a clinical lead reads in ten minutes."""

from __future__ import annotations

from cds_server.evaluation.report import charts
from cds_server.evaluation.report.all_tables import Report
from cds_server.evaluation.report.part import Chapter, Part
from cds_server.evaluation.tables.table import Table


def page_one(report: Report) -> Chapter:
    """What a clinical lead reads first."""
    t = report.tables
    return Chapter(
        "page-one",
        "Page one",
        (
            Part("Who is in, and who fell out", table=t.flow),
            Part(
                "What the data lacked",
                ("A kind of data that is absent is unread, not normal: nothing is worked out of it.",),
                table=t.unread,
                caption="Gaps of the export.",
            ),
            Part(
                "Computed against charted grade",
                (
                    "Each act of charting a grade beside the grade that is computed at that time. CRS: from a day "
                    "before onset to a day after the end. ICANS: up to day 30; computed is the highest by ICE score of "
                    "the 24 h before, and an ICE score of 0 counts as grade 3, which is the least that it means.",
                    *_without_acts(t.agreement),
                ),
                table=t.agreement,
            ),
            Part(
                "Agreement in figures",
                (
                    "Limits of the acts draw patients, because the acts of one patient hang together; those of the "
                    "highest grades are exact. Acts at which no grade is known, and those that state no single grade "
                    "(2-3, ≥3), are counted and left out.",
                ),
                table=t.agreement_in_figures,
            ),
            Part(
                "Preceded by a card",
                (
                    "A card counts from 1 min to 24 h before the event, at the opening of the chart, a "
                    "result or a change of grade. Cards on the order itself are counted apart. An event "
                    "without a card has no lead time, not a zero.",
                ),
                chart=charts.preceded(t.preceded),
                table=t.preceded,
                caption="Lead hours: median (quartiles).",
            ),
            Part(
                "Worth reading first",
                (
                    "The courses from which most can be learned, in this order of reasons. Each cell is a "
                    "day with its highest known grade; hatched is not known.",
                ),
                strips=report.strips,
            ),
        ),
    )


def _without_acts(table: Table) -> tuple[str, ...]:
    if table.rows:
        return ()
    return ("Nobody charted a grade under a code of the value sets crs-grade and icans-grade: see docs/evaluate.md.",)
