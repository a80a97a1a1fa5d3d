"""`compare.csv` and what goes with it: the cards, the courses and the events that differ under the other rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.moments import EventKind, Preceded
from cds_server.evaluation.tables.cards import ALL_OTHERS, PER_DAYS, STATE_CARDS, Told, by_patient
from cds_server.evaluation.tables.outcomes import CourseKey, key
from cds_server.evaluation.tables.table import Cell, Table, numbers

CARDS = (
    "card", "shown", "shown_other", "courses", "courses_other", "days_only_here", "days_only_other", "per_10_days",
    "per_10_days_low", "per_10_days_high", "per_10_days_other", "per_10_days_other_low", "per_10_days_other_high",
    "difference", "difference_low", "difference_high",
)  # fmt: skip
COURSES = ("patient", "course", "card", "days_only_here", "days_only_other")
EVENTS = ("event", "n", "preceded", "preceded_other", "never", "never_other")
Days = set[tuple[CourseKey, date]]


def compared(evaluation: Evaluation, found: Told) -> Table:
    """Each card under both rule sets: how often, on which days only one of them shows it, and the rates."""
    if not evaluation.run.compare_hash:
        return Table("compare", CARDS, ())
    rows = tuple(_row(name, evaluation, found) for name in _names(found))
    counts = ("shown", "shown_other", "courses", "courses_other", "days_only_here", "days_only_other")
    return Table("compare", CARDS, rows, counts)


def _names(found: Told) -> list[str]:
    """Every card of both rule sets; all of them but the grade stand first, together."""
    return sorted({*found.of(1).shown, *found.of(2).shown}, key=lambda name: (name != ALL_OTHERS, name))


def _row(name: str, evaluation: Evaluation, found: Told) -> tuple[Cell, ...]:
    one, two, statistics = found.of(1), found.of(2), evaluation.protocol.statistics
    here, other = _only(name, found)
    more = {patient: two.at_risk[name][patient] - one.at_risk[name][patient] for patient in found.days}
    rates = (by_patient(counts, found.days, PER_DAYS, statistics)
             for counts in (one.at_risk[name], two.at_risk[name], more))  # fmt: skip
    return (name, one.shown[name], two.shown[name], len(one.courses[name]), len(two.courses[name]), len(here),
            len(other), *(cell for estimate in rates for cell in numbers(estimate)))  # fmt: skip


def _only(name: str, found: Told) -> tuple[Days, Days]:
    """The days of courses on which a card comes by the site's rules alone, and by the other ones alone."""
    if name == ALL_OTHERS:
        single = [_only(card, found) for card in _names(found) if card != ALL_OTHERS and card not in STATE_CARDS]
        return set().union(*(here for here, _ in single)), set().union(*(other for _, other in single))
    here, other = ({day for day, names in found.of(rules).by_day.items() if name in names} for rules in (1, 2))
    return here - other, other - here


def compared_courses(evaluation: Evaluation, found: Told) -> Table:
    """A row a course and card that differ, with the days after the infusion on which only one rule set shows it."""
    if not evaluation.run.compare_hash:
        return Table("compare_courses", COURSES, ())
    day0 = {key(course): course.day0 for course in evaluation.courses}
    rows: list[tuple[Cell, ...]] = []
    for name in _names(found):
        if name == ALL_OTHERS:
            continue
        here, other = (_by_course(days) for days in _only(name, found))
        rows += [(*where, name, *(_after(day0[where], days.get(where, [])) for days in (here, other)))
                 for where in {*here, *other}]  # fmt: skip
    return Table("compare_courses", COURSES, tuple(sorted(rows, key=lambda row: row[:3])))


def _by_course(days: Days) -> dict[CourseKey, list[date]]:
    found: dict[CourseKey, list[date]] = defaultdict(list)
    for where, day in days:
        found[where].append(day)
    return found


def _after(day0: date, days: list[date]) -> str:
    return " ".join(f"d{(day - day0).days}" for day in sorted(days))


def compared_events(evaluation: Evaluation) -> Table:
    """Doses, first grades of 3 and transfers: how many a card preceded by each rule set."""
    if not evaluation.run.compare_hash:
        return Table("compare_events", EVENTS, ())
    return Table("compare_events", EVENTS, tuple(_events(evaluation)), EVENTS[1:])


def _events(evaluation: Evaluation) -> Iterator[tuple[Cell, ...]]:
    count = Counter((row.event, row.rules, row.preceded) for row in evaluation.events)
    for kind in EventKind:
        n = sum(count[kind, 1, how] for how in Preceded)
        both = (count[kind, rules, how] for how in (Preceded.BEFORE, Preceded.NEVER) for rules in (1, 2))
        if n:
            yield kind.value, n, *both
