"""The cards: how often they were shown, what they preceded, and what was ordered after them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from cds_server.evaluation.protocol import Cards, Statistics
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import Known
from cds_server.evaluation.rows.moments import CardRow, Shown
from cds_server.evaluation.statistics import resampling
from cds_server.evaluation.statistics.estimates import Estimate
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.tables.outcomes import CourseKey, key
from cds_server.evaluation.tables.table import Cell, Table, numbers

STATE_CARDS = frozenset({"crs-grade", "crs-grade-unknown"})  # they report; rates are of the others
ALL_OTHERS = "all-but-the-grade"
PER_DAYS = 10
MANY_A_DAY = 3


@dataclass
class Tally:
    """The counts of one pass over the cards of one rule set. `counted` are the showings that count."""

    counted: frozenset[Shown] = Cards().counted
    shown: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    by_state: Counter[tuple[str, Shown]] = field(default_factory=Counter)
    by_patient: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    at_risk: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    courses: dict[str, set[CourseKey]] = field(default_factory=lambda: defaultdict(set))
    by_hour: Counter[int] = field(default_factory=Counter)
    new_by_hour: Counter[int] = field(default_factory=Counter)
    at_risk_by_hour: Counter[int] = field(default_factory=Counter)
    by_day: dict[tuple[CourseKey, date], set[str]] = field(default_factory=lambda: defaultdict(set))
    days_at_risk: set[tuple[CourseKey, date]] = field(default_factory=set)

    def add(self, row: CardRow) -> None:
        self.by_state[row.card, row.shown] += 1
        if row.shown not in self.counted:
            return
        self.by_day[key(row), row.date].add(row.card)
        if row.at_risk:
            self.days_at_risk.add((key(row), row.date))
        for name in (row.card,) if row.card in STATE_CARDS else (row.card, ALL_OTHERS):
            self.shown[name] += 1
            self.new[name] += row.is_new
            self.by_patient[name][row.patient] += 1
            self.at_risk[name][row.patient] += row.at_risk
            self.courses[name].add(key(row))
        if row.card not in STATE_CARDS:
            self.by_hour[row.hour] += 1
            self.new_by_hour[row.hour] += row.is_new
            self.at_risk_by_hour[row.hour] += row.at_risk


@dataclass(frozen=True)
class Told:
    """The tally of each rule set, with the days at risk and the courses of each patient, and the number of
    days without a charted sign."""

    tallies: dict[int, Tally]
    days: dict[str, int]
    courses: dict[str, int]
    unwatched: int

    def of(self, rules: int) -> Tally:
        return self.tallies.get(rules, Tally())

    @property
    def first(self) -> Tally:
        return self.of(1)


def told(evaluation: Evaluation) -> Told:
    """One pass over the cards, and one over the days."""
    counted = evaluation.protocol.cards.counted
    tallies: dict[int, Tally] = defaultdict(lambda: Tally(counted))
    for row in evaluation.cards:
        tallies[row.rules].add(row)
    courses = Counter(course.patient for course in evaluation.courses)
    days, unwatched = dict.fromkeys(courses, 0), 0
    for day in evaluation.grade_days:
        days[day.patient] = days.get(day.patient, 0) + day.at_risk
        unwatched += not day.at_risk
    return Told(dict(tallies), days, dict(courses), unwatched)


def card_rates(evaluation: Evaluation, found: Told) -> Table:
    """Each card: showings, new ones, courses with any, and the rates per ten days at risk and per course."""
    tally, n, statistics = found.first, len(evaluation.courses), evaluation.protocol.statistics
    names = sorted(tally.shown, key=lambda name: (name != ALL_OTHERS, -tally.shown[name], name))
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        with_any = exact_share(Share(len(tally.courses[name]), n))
        per_days = by_patient(tally.at_risk[name], found.days, PER_DAYS, statistics)
        per_course = by_patient(tally.by_patient[name], found.courses, 1, statistics)
        rows.append((name, tally.shown[name], tally.new[name], len(tally.courses[name]), *numbers(with_any),
                     *numbers(per_days), *numbers(per_course)))  # fmt: skip
    columns = ("card", "shown", "new", "courses", "share_of_courses", "share_of_courses_low", "share_of_courses_high",
               "per_10_days", "per_10_days_low", "per_10_days_high", "per_course", "per_course_low",
               "per_course_high")  # fmt: skip
    return Table("card_rates", columns, tuple(rows), ("shown", "new", "courses"))


def by_patient(counts: Mapping[str, int], whole: Mapping[str, int], per: int, statistics: Statistics) -> Estimate:
    """A rate: the counts of all patients per so many days or courses of theirs, with limits by drawing patients."""
    patients = sorted(whole)
    return resampling.rate(
        np.array([counts.get(p, 0) for p in patients]), np.array([whole[p] for p in patients]), per, statistics.seed,
        statistics.bootstrap,
    )  # fmt: skip


def days_note(found: Told, least: int = 0) -> str:
    """The days at risk, which every rate rests on, and those that do not count; a number below `least` is not said."""
    days, unwatched = sum(found.days.values()), found.unwatched
    some = f"<{least}" if 0 < unwatched < least else unwatched
    return f"{days} days at risk. {some} days without a charted sign stand in no denominator."


def card_states(found: Told) -> Table:
    """Showings by what became of the card. Cards that are off are never counted as shown."""
    tally = found.first
    names = sorted({name for name, _ in tally.by_state})
    rows: list[tuple[Cell, ...]] = [(name, *(tally.by_state[name, state] for state in Shown)) for name in names]
    states = tuple(state.value for state in Shown)
    return Table("card_states", ("card", *states), tuple(rows), states)


def by_hour(found: Told) -> Table:
    """Cards but the grade by the hour of the local day, and their rate per ten days at risk."""
    tally, days = found.first, sum(found.days.values())
    rates = [tally.at_risk_by_hour[hour] * PER_DAYS / days if days else None for hour in range(24)]
    rows = tuple((hour, tally.by_hour[hour], tally.new_by_hour[hour], rate) for hour, rate in enumerate(rates))
    return Table("cards_by_hour", ("hour", "shown", "new", "per_10_days"), rows, ("shown", "new"))


def busy_days(found: Told) -> Counter[str]:
    """The days at risk of each patient on which more than three different cards were shown, the grade not counted."""
    tally = found.first
    many = (day for day in tally.days_at_risk if len(tally.by_day[day] - STATE_CARDS) > MANY_A_DAY)
    return Counter(patient for (patient, _), _ in many)


def false_alarms(evaluation: Evaluation, found: Told) -> Table:
    """Courses with a card that never passed grade 1, and severe courses without one, with exact limits; and days with
    many cards, whose limits draw patients, because the days of one patient hang together."""
    alarmed = found.first.courses[ALL_OTHERS]
    mild = [c for c in evaluation.courses if c.severe is Known.NO and c.max_grade is not None and c.max_grade <= 1]
    severe = [c for c in evaluation.courses if c.severe is Known.YES]
    busy = busy_days(found)
    alarms, silences = (
        Share(sum(key(c) in alarmed for c in mild), len(mild)),
        Share(sum(key(c) not in alarmed for c in severe), len(severe)),
    )
    rows = (
        ("courses never above grade 1, with a card", alarms.events, alarms.n, *numbers(exact_share(alarms))),
        ("severe courses, without any card", silences.events, silences.n, *numbers(exact_share(silences))),
        (
            f"days at risk, with more than {MANY_A_DAY} different cards", busy.total(), sum(found.days.values()),
            *numbers(by_patient(busy, found.days, 1, evaluation.protocol.statistics)),
        ),
    )  # fmt: skip
    return Table("false_alarms", ("of", "count", "n", "share", "share_low", "share_high"), rows, ("count", "n"))
