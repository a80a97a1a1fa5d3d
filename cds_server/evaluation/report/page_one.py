"""Page one, which a clinical lead reads in ten minutes."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.evaluation.report import charts
from cds_server.evaluation.report.all_tables import Report
from cds_server.evaluation.report.part import Chapter, Part
from cds_server.evaluation.tables.cards import ALL_OTHERS
from cds_server.evaluation.tables.table import Cell, Table, in_words

CARDS = ("card", "per_10_days", "per_course", "courses", "share_of_courses")
COMPARED = ("card", "per_10_days", "per_10_days_other", "difference", "days_only_here", "days_only_other")


def page_one(report: Report, policy: str) -> Chapter:
    """The chapter that a clinical lead reads first."""
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
                empty="Nothing: the export has every kind of data that the rules read, and every file could be read.",
            ),
            *_agreement(report),
            _cards(report, policy),
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
                empty="No dose, no grade of 3 or more and no transfer to intensive care is on record.",
            ),
            *_other_rules(report),
            Part("Worth reading first", (_of_the_strips(report),), strips=report.strips),
        ),
    )


def _agreement(report: Report) -> Iterator[Part]:
    """The matrix and its figures; without a charted grade one sentence."""
    t = report.tables
    heading = "Computed against charted grade"
    if not t.agreement.rows:
        nobody = "No charted grade was found; docs/evaluate.md says how a site names the codes of its own charting."
        yield Part(heading, (nobody,))
        return
    yield Part(
        heading,
        (
            "Each act of charting a grade beside the grade that is computed at that time. CRS: from a day "
            "before onset to a day after the end. ICANS: up to day 30; computed is the highest by ICE score of "
            "the 24 h before, and an ICE score of 0 counts as grade 3, which is the least that it means.",
        ),
        table=t.agreement,
    )
    yield Part(
        "Agreement in figures",
        (
            "Limits of the acts draw patients, because the acts of one patient hang together; those of the "
            "highest grades are exact. Acts at which no grade is known, and those that state no single grade "
            "(2-3, ≥3), are counted and left out.",
        ),
        table=t.agreement_in_figures,
    )


def _cards(report: Report, policy: str) -> Part:
    t = report.tables
    return Part(
        "How often cards came",
        (
            f"Moments: {policy}. Every rate depends on them. Rates are per patient and 10 days at risk, and per "
            "course; limits draw patients. The first line is all cards but those that only state the grade. Chapter 6 "
            "has the table by hour.",
        ),
        chart=charts.cards_by_hour(t.cards_by_hour),
        table=t.card_rates.only(*_with_limits(t.card_rates, CARDS)),
        empty="No card was shown.",
    )


def _with_limits(table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    for name in columns:
        yield from (one for one in (name, f"{name}_low", f"{name}_high") if one in table.columns)


def _other_rules(report: Report) -> Iterator[Part]:
    """The cards that differ with the other rules, and the events, if there are other rules."""
    table = report.tables.compare
    if not table.rows:
        return
    view = table.only(*_with_limits(table, COMPARED))
    yield Part(
        "What changes with the other rules",
        tuple(_of_other_rules(report)),
        table=view.where(lambda row: row["days_only_here"] != 0 or row["days_only_other"] != 0),
        empty="Every card comes on the same days with both.",
    )


def _of_other_rules(report: Report) -> Iterator[str]:
    changed = [f"{row['rule']} {row['other']} in place of {row['here']}" for row in report.tables.changed_rules.dicts()]
    yield f"The other rules: {'; '.join(changed)}." if changed else "The other rules are the same as the site's."
    for row in report.tables.compare.dicts():
        if row["card"] == ALL_OTHERS and _are_numbers(row["per_10_days"], row["per_10_days_other"]):
            yield (
                f"Cards per 10 days at risk, the grade not counted: {in_words(row['per_10_days'])} with the site's "
                f"rules, {in_words(row['per_10_days_other'])} with the other ones."
            )
    events = [row for row in report.tables.compare_events.dicts() if row["preceded"] != row["preceded_other"]]
    said = [f"{row['event']} {row['preceded']} and {row['preceded_other']} of {row['n']}" for row in events]
    if said:
        yield f"Preceded by a card with the site's rules and with the other ones: {'; '.join(said)}."
    elif all(isinstance(row["preceded"], int) for row in report.tables.compare_events.dicts()):
        yield "As many doses, grades of 3 or more and transfers are preceded by a card with both."


def _of_the_strips(report: Report) -> str:
    if report.aggregate_only:
        return "Left out: an aggregate report has no row of a patient."
    if not report.strips:
        return "No course has one of the reasons for which it would be listed."
    return (
        "The courses from which most can be learned, in this order of reasons. Each cell is a day with its highest "
        "known grade; hatched is not known. T: tocilizumab, S: a corticosteroid, I: moved to intensive care."
    )


def _are_numbers(*cells: Cell) -> bool:
    return all(isinstance(cell, float) for cell in cells)
