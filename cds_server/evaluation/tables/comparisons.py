"""`comparisons.csv`: the study's comparisons of courses with tocilizumab and without, by what happened later.

None of them is an effect: who got the drug was decided by how the course went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from cds_server.evaluation.protocol import Comparisons, PValues
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow, Group, Known
from cds_server.evaluation.statistics.estimates import Estimate
from cds_server.evaluation.statistics.proportions import (
    Share,
    exact_share,
    fisher_p,
    interaction,
    p_with_one_event_more,
    risk_difference,
)
from cds_server.evaluation.tables.outcomes import Supplied, first_courses, icans_of, supplied_by
from cds_server.evaluation.tables.table import Cell, Table, in_words, numbers

COLUMNS = (
    "endpoint", "stratum", "treated_events", "treated_n", "untreated_events", "untreated_n", "difference", "low",
    "high", "test", "p", "note", "treated_share", "treated_share_low", "treated_share_high", "untreated_share",
    "untreated_share_low", "untreated_share_high", "unknown", "unknown_counted",
)  # fmt: skip
COUNTS = ("treated_events", "treated_n", "untreated_events", "untreated_n", "unknown")
Outcome = Callable[[CourseRow], Known]


class UnknownCounted(StrEnum):
    """The way in which a course of unknown outcome is counted."""

    LEFT_OUT = "left-out"
    NONE = "as-none"
    EVENT = "as-event"


@dataclass(frozen=True)
class Stratum:
    name: str
    holds: Callable[[CourseRow], bool]


ALL = Stratum("all", lambda _: True)
WITH_CRS = Stratum("crs", lambda c: c.crs is Known.YES)
IL6 = tuple(Stratum(f"il6-{g.value}", lambda c, g=g: c.il6_group is g) for g in (Group.LOW, Group.HIGH, Group.UNKNOWN))  # type: ignore[misc]
CRP = tuple(Stratum(f"crp-{g.value}", lambda c, g=g: c.crp_group is g) for g in (Group.LOW, Group.HIGH, Group.UNKNOWN))  # type: ignore[misc]
IL6_WITH_CRS = tuple(
    Stratum(f"{s.name}, crs", lambda c, s=s: s.holds(c) and c.crs is Known.YES)  # type: ignore[misc]
    for s in IL6[:2]
)
HEADLINES = {("severe-crs", "il6-low"), ("severe-infection", "crp-high")}


def comparisons(evaluation: Evaluation) -> Table:
    """The comparisons on first courses whose treatment is known."""
    supplied = supplied_by(evaluation)
    courses = [c for c in first_courses(evaluation.courses) if c.tocilizumab is not None]
    rows: list[tuple[Cell, ...]] = []
    for endpoint, outcome, strata in _plan(supplied):
        for stratum in strata:
            within = [c for c in courses if stratum.holds(c)]
            if not within:
                continue
            ways = _ways((endpoint, stratum.name), within, outcome)
            rows += [
                _row(endpoint, stratum.name, way, within, outcome, evaluation.protocol.comparisons) for way in ways
            ]
    rows += list(_interaction(courses))
    return Table("comparisons", COLUMNS, tuple(rows), COUNTS)


def _plan(supplied: Supplied) -> Iterator[tuple[str, Outcome, tuple[Stratum, ...]]]:
    yield "severe-crs", lambda c: c.severe, (ALL, WITH_CRS, *IL6, *IL6_WITH_CRS)
    yield "icans", lambda c: icans_of(c, supplied), (ALL, WITH_CRS, *IL6)
    for event in ("severe-infection", "death"):
        if supplied.has(event):
            strata = (ALL, WITH_CRS, *CRP) if event == "severe-infection" else (ALL, WITH_CRS)
            yield event, lambda c, event=event: supplied.known(c, event), strata  # type: ignore[misc]


def _ways(row: tuple[str, str], within: Sequence[CourseRow], outcome: Outcome) -> list[UnknownCounted]:
    """The headlines have a best and a worst case beside them if an outcome is not known."""
    matters = row in HEADLINES and any(outcome(c) is Known.UNKNOWN for c in within)
    return list(UnknownCounted) if matters else [UnknownCounted.LEFT_OUT]


def shares(courses: Sequence[CourseRow], outcome: Outcome, way: UnknownCounted) -> tuple[Share, Share, int]:
    """The shares with the outcome among the treated and the untreated, and the number of unknown outcomes."""
    unknown = sum(outcome(c) is Known.UNKNOWN for c in courses)
    counted = [c for c in courses if way is not UnknownCounted.LEFT_OUT or outcome(c) is not Known.UNKNOWN]

    def share(group: Iterable[CourseRow]) -> Share:
        found = [outcome(c) for c in group]
        events = found.count(Known.YES) + (found.count(Known.UNKNOWN) if way is UnknownCounted.EVENT else 0)
        return Share(events, len(found))

    return share(c for c in counted if c.tocilizumab), share(c for c in counted if not c.tocilizumab), unknown


def _row(
    endpoint: str, stratum: str, way: UnknownCounted, within: list[CourseRow], outcome: Outcome, asked: Comparisons
) -> tuple[Cell, ...]:
    treated, untreated, unknown = shares(within, outcome, way)
    planned = is_planned(f"{endpoint}:{stratum}", asked) and way is UnknownCounted.LEFT_OUT
    return (endpoint, stratum, treated.events, treated.n, untreated.events, untreated.n,
            *numbers(_difference(treated, untreated)),
            *(_tested(treated, untreated, asked) if planned else (None, None, "")),
            *numbers(exact_share(treated)), *numbers(exact_share(untreated)), unknown, way.value)  # fmt: skip


def is_planned(comparison: str, asked: Comparisons) -> bool:
    """Tell whether a p-value stands beside a comparison, named as `endpoint:stratum`."""
    return asked.p is PValues.LISTED and comparison in asked.listed


def _difference(treated: Share, untreated: Share) -> Estimate | None:
    return risk_difference(treated, untreated) if treated.n and untreated.n else None


def _tested(treated: Share, untreated: Share, asked: Comparisons) -> tuple[Cell, Cell, Cell]:
    """Test, p, and how much p hangs on one patient where there are few events."""
    if not treated.n or not untreated.n:
        return None, None, ""
    more = p_with_one_event_more(treated, untreated)
    few = treated.events + untreated.events < asked.fragile_below_events
    fragile = f"fragile: one event more gives p = {in_words(more)}" if few and not isnan(more) else ""
    return "Fisher", fisher_p(treated, untreated), fragile


def _interaction(courses: Sequence[CourseRow]) -> Iterator[tuple[Cell, ...]]:
    """The difference of the two differences: whether a small rise of IL-6 has anything to do with the first one."""
    differences = []
    for stratum in IL6[:2]:
        within = [c for c in courses if stratum.holds(c)]
        treated, untreated, _ = shares(within, lambda c: c.severe, UnknownCounted.LEFT_OUT)
        differences.append(_difference(treated, untreated))
    low, high = differences
    if low is not None and high is not None:
        nothing = (None,) * 4
        yield ("severe-crs", "interaction: il6-low minus il6-high", *nothing, *numbers(interaction(low, high)), None,
               None, "", *(None,) * 7, UnknownCounted.LEFT_OUT.value)  # fmt: skip
