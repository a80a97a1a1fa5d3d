"""The sums of each table of a report: how its counts hang together, inside the table and with other ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cds_server.evaluation.aggregate.sums import Rows, Sums, across, down, of_whole, rows_within, within
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import Known
from cds_server.evaluation.tables.comparisons import ALL, CRP, IL6, IL6_WITH_CRS, WITH_CRS, UnknownCounted
from cds_server.evaluation.tables.outcomes import first_courses


@dataclass(frozen=True)
class Totals:
    """Numbers that stand in several places of a report."""

    patients: int = 0
    courses: int = 0
    first: int = 0
    treated: int = 0
    untreated: int = 0
    with_crs: int = 0

    @classmethod
    def of(cls, evaluation: Evaluation) -> Totals:
        first = first_courses(evaluation.courses)
        return cls(
            patients=len({course.patient for course in evaluation.courses}),
            courses=len(evaluation.courses),
            first=len(first),
            treated=sum(course.tocilizumab is True for course in first),
            untreated=sum(course.tocilizumab is False for course in first),
            with_crs=sum(course.crs is Known.YES for course in first),
        )


def _flow(rows: Rows, totals: Totals) -> Sums:
    """Whoever was read and has no course is the difference of two rows; so are later courses."""
    courses = tuple(((r, "courses"), totals.first) for r, row in enumerate(rows) if row["courses"] is not None)
    return Sums(near=courses + tuple(((r, "patients"), totals.patients) for r in range(len(rows))))


def _highest_grades(rows: Rows, totals: Totals) -> Sums:
    line = tuple((r, "courses") for r in range(len(rows) - 1))  # the last row counts deaths, whatever the grade
    return Sums(lines=(line,)) + of_whole(rows, totals.courses, "courses")


def _table1(rows: Rows, totals: Totals) -> Sums:
    groups: dict[str, list[int]] = {}
    for r, row in enumerate(rows):
        groups.setdefault(row["characteristic"], []).append(r)
    return (
        down(rows, ("characteristic",), "treated", "untreated", "later_courses", "no_il6_baseline")
        + across(rows, "treated", "untreated")
        + within(rows, ("treated", "treated_n"), ("untreated", "untreated_n"))
        + of_whole(rows, totals.first, "treated_n", "untreated_n")
        + Sums(worked_out=tuple((group[0], tuple(group)) for group in groups.values()))
    )


def _onset(rows: Rows, _: Totals) -> Sums:
    counts = ("courses", "crs", "crs_known", "severe", "severe_known", "late_fever", "no_culture")
    return (
        Sums(lines=tuple(tuple((r, column) for r in (1, 2)) for column in counts))
        + within(rows, ("crs", "crs_known"), ("crs_known", "courses"), ("severe", "severe_known"), ("severe", "crs"),
                 ("severe_known", "courses"), ("late_fever", "courses"), ("no_culture", "courses"))
    )  # fmt: skip


def _durations(rows: Rows, totals: Totals) -> Sums:
    by_rise = tuple(
        tuple((r, column) for r, row in enumerate(rows) if row["stratum"] != WITH_CRS.name and row["group"] == group)
        for group in ("with tocilizumab", "without")
        for column in ("courses", "not_ended")
    )
    whole = {"with tocilizumab": totals.treated, "without": totals.untreated}
    near = tuple(((r, "courses"), whole[row["group"]]) for r, row in enumerate(rows))
    pairs = tuple((r, tuple(s for s in range(len(rows)) if rows[s]["stratum"] == rows[r]["stratum"]))
                  for r in range(len(rows)))  # fmt: skip
    beside = down(rows, ("stratum",), "courses") + within(rows, ("not_ended", "courses"))
    return Sums(by_rise, near, pairs) + beside


def _subgroups(rows: Rows, _: Totals) -> Sums:
    return (
        down(rows, ("subgroup",), "severe", "courses", "not_known")
        + across(rows, "courses", "not_known")
        + within(rows, ("severe", "courses"))
    )


def _quarters(rows: Rows, _: Totals) -> Sums:
    pairs = (("severe", "severe_known"), ("severe_known", "courses"), ("tocilizumab", "tocilizumab_known"),
             ("tocilizumab_known", "courses"))  # fmt: skip
    return down(rows, (), "courses", *(part for part, _ in pairs)) + within(rows, *pairs)


def _comparisons(rows: Rows, _: Totals) -> Sums:
    """Strata by a marker add up; courses with CRS are some of all; other ways to count the unknown differ by them."""
    left_out = UnknownCounted.LEFT_OUT.value
    where = {(row["endpoint"], row["stratum"]): r for r, row in enumerate(rows) if row["unknown_counted"] == left_out}
    counts = ("treated_events", "treated_n", "untreated_events", "untreated_n")
    groups = [
        [where[endpoint, stratum.name] for stratum in marker if (endpoint, stratum.name) in where]
        for endpoint in {endpoint for endpoint, _ in where}
        for marker in (IL6, CRP)
    ]
    above = {WITH_CRS.name: ALL.name} | {s.name: of.name for s, of in zip(IL6_WITH_CRS, IL6, strict=False)}
    pairs = [(r, where.get((row["endpoint"], above.get(row["stratum"], row["stratum"])))) for r, row in enumerate(rows)]
    figures = [r for r, row in enumerate(rows) if row["treated_n"] is None]  # the interaction
    of_figures = tuple(where[key] for key in where if key[1] in {stratum.name for stratum in IL6})
    return (
        Sums(
            tuple(tuple((r, column) for r in group) for group in groups for column in counts),
            worked_out=tuple((r, of_figures) for r in figures),
        )
        + rows_within(rows, [(r, whole) for r, whole in pairs if whole not in (None, r)], *counts)
        + within(rows, ("treated_events", "treated_n"), ("untreated_events", "untreated_n"))
        + across(rows, "treated_events", "untreated_events")
        + across(rows, "treated_n", "untreated_n", "unknown")
    )


def _preceded(rows: Rows, _: Totals) -> Sums:
    return across(rows, "preceded", "only_at_or_after", "never") + within(
        rows, ("preceded", "n"), ("never", "n"), ("on_the_order", "n"), ("never_but_would_have_spoken", "never")
    )


def _compare_events(rows: Rows, _: Totals) -> Sums:
    ends = ("", "_other")
    near = tuple(((r, f"preceded{end}"), row["n"] - row[f"never{end}"]) for r, row in enumerate(rows) for end in ends)
    return Sums(near=near) + within(rows, *((f"{part}{end}", "n") for part in ("preceded", "never") for end in ends),
                                    ("preceded_other", "preceded"), ("never_other", "never"))  # fmt: skip


def _orders_after(rows: Rows, _: Totals) -> Sums:
    names = list(rows[0]) if rows else []
    ordered = [name for name in names if name.startswith("ordered")]
    severe = [name for name in names if name.startswith("severe")]
    untreated = [name for name in names if name.startswith("not_treated")]  # one, named after the hours of the protocol
    chains = (*zip(ordered, [*ordered[1:], "episodes"], strict=True),
              *zip(severe, [*severe[1:], *untreated], strict=True))  # fmt: skip
    return within(rows, *chains, *((name, "episodes") for name in untreated))


def _agreement(rows: Rows, _: Totals) -> Sums:
    grades = [name for name in (rows[0] if rows else ()) if name not in ("scale", "charted")]
    return across(rows, *grades) + down(rows, ("scale",), *grades)


def _patients(rows: Rows, totals: Totals) -> Sums:
    """As many Patients as were read: whoever has no course is the difference."""
    patients = (r for r, row in enumerate(rows) if row["type"] == "Patient")
    return Sums(near=tuple(((r, "resources"), totals.patients) for r in patients))


SUMS: dict[str, Callable[[Rows, Totals], Sums]] = {
    "flow": _flow,
    "highest_grades": _highest_grades,
    "grade_by_day": lambda rows, _: across(rows, *(name for name in (rows[0] if rows else ()) if name != "day")),
    "table1": _table1,
    "onset": _onset,
    "durations": _durations,
    "subgroups": _subgroups,
    "quarters": _quarters,
    "markers": lambda rows, totals: (
        across(rows, "n", "unknown") + within(rows, ("events", "n")) + of_whole(rows, totals.with_crs, "events")
    ),
    "displayed_markers": lambda rows, _: (
        down(rows, ("marker", "unit"), "courses", "not_known") + across(rows, "courses", "not_known")
    ),
    "comparisons": _comparisons,
    "hazards": lambda rows, totals: within(rows, ("events", "courses")) + of_whole(rows, totals.with_crs, "courses"),
    "agreement": _agreement,
    "agreement_in_figures": lambda rows, _: across(rows, "n", "not_known", "not_one_grade"),
    "card_rates": lambda rows, totals: of_whole(rows, totals.courses, "courses"),
    "card_states": lambda rows, _: across(rows, "active", "shadow"),
    "cards_by_hour": lambda rows, _: down(rows, (), "shown", "new"),
    "preceded": _preceded,
    "orders_after": _orders_after,
    "false_alarms": lambda rows, _: within(rows, ("count", "n")),
    "compare": lambda rows, totals: (
        of_whole(rows, totals.courses, "courses", "courses_other") + within(rows, ("courses_other", "courses"))
    ),
    "compare_events": _compare_events,
    "missing": lambda rows, totals: (
        down(rows, ("quantity",), "not_known") + of_whole(rows, totals.courses, "not_known")
    ),
    "inventory": lambda rows, totals: down(rows, ("type",), "resources", "set_aside") + _patients(rows, totals),
    "icans_and_doses": lambda rows, totals: down(rows, ("of",), "courses") + of_whole(rows, totals.courses, "courses"),
    "inventory_by_type": _patients,
    "log_responses": lambda rows, _: across(rows, "accepted", "overridden", "no_answer"),
}
