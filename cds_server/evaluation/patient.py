"""One patient from the final chart to rows: what was, what was said, and what preceded what."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cds_server.evaluation.courses import Followed, Look, followed_courses
from cds_server.evaluation.moments import Ask, WrittenOrder, asks, written_orders
from cds_server.evaluation.preceded import CARDS_OF_EVENT, Event, Spoken, episode_rows, event_row, events_of
from cds_server.evaluation.reading.charts import Chart
from cds_server.evaluation.reading.outcomes import OutcomesOfPatient
from cds_server.evaluation.rows.moments import EventKind, MomentKind
from cds_server.evaluation.what_was import WhatWas, what_was
from cds_server.evaluation.what_was_said import Replay
from cds_server.site_rules import SiteRules
from fhir_mappings.known_at.delays import KnownBy
from fhir_mappings.known_at.timeline import Timeline

HASH_DIGITS = 16


@dataclass
class PatientRows:
    """The rows of one patient by table, and how the times were found at which data were known."""

    tables: dict[str, list[Any]] = field(default_factory=dict)
    known_by: Counter[tuple[str, KnownBy]] = field(default_factory=Counter)
    courses: int = 0
    moments: int = 0

    def add(self, table: str, rows: Iterable[Any]) -> None:
        self.tables.setdefault(table, []).extend(rows)


def pseudonym(patient: str, salt: bytes) -> str:
    """The name of a patient in every table: a keyed hash of the id."""
    return hmac.new(salt, patient.encode(), hashlib.sha256).hexdigest()[:HASH_DIGITS]


def patient_rows(
    chart: Chart, look: Look, others: Sequence[SiteRules], salt: bytes, supplied: OutcomesOfPatient
) -> PatientRows:
    """The rows of a patient. `others` are further sets of rules to replay; `supplied` is what the CSV says of them."""
    found = PatientRows()
    timeline = Timeline(chart.record, look.rules.terms, look.zone, chart.fhir_base, look.protocol.availability.delays)
    found.known_by = timeline.known_by
    name = pseudonym(chart.patient, salt)
    for followed in followed_courses(chart, look, supplied.died):
        if not _counts(followed, look):
            continue
        was = what_was(name, followed, chart, look, timeline)
        if was is None:
            continue
        found.courses += 1
        found.add("courses", [was.row])
        found.add("markers", was.markers)
        found.add("grade_days", was.days)
        found.add("charted_grades", was.charted_grades)
        orders = written_orders(chart, followed, look)
        calls = asks(was, followed, look, timeline, orders)
        for number, rules in enumerate((look.rules, *others), 1):
            replay = Replay(
                name, followed, chart, look, timeline, rules, number,
                frozenset(one.date for one in was.days if one.at_risk),
            )  # fmt: skip
            _add_said(found, replay, was, calls, orders, _in_course(supplied.icu.get(followed.number, ()), followed))
    return found


def _in_course(moments: Iterable[datetime], followed: Followed) -> list[datetime]:
    """The moments that lie in the time of a course; one of day 0 may be a date alone."""
    return [
        at for at in moments if at.astimezone(followed.zone).date() >= followed.course.day0 and at <= followed.until
    ]


def _counts(followed: Followed, look: Look) -> bool:
    cohort, day0 = look.protocol.cohort, followed.course.day0
    return (cohort.since is None or day0 >= cohort.since) and (cohort.until is None or day0 <= cohort.until)


def _add_said(
    found: PatientRows,
    replay: Replay,
    was: WhatWas,
    calls: Sequence[Ask],
    orders: Sequence[WrittenOrder],
    icu: Iterable[datetime],
) -> None:
    """The second reading of one course by one set of rules."""
    cards = replay.look.protocol.cards
    said = [replay.said_at(ask) for ask in calls]
    spoken = Spoken(said, cards)

    def would_speak(event: Event) -> bool:
        """Tell whether a rule would have spoken had the chart been opened in one of the hours before."""
        hourly = (event.at - timedelta(hours=hour) for hour in range(1, cards.preceded_at_most_hours + 1))
        return any(_speaks(replay, event.kind, at) for at in hourly if at >= was.row.infused_at)

    found.moments += len(said)
    found.add("moments", [one.moment for one in said])
    found.add("cards", [card for one in said for card in one.cards])
    found.add("episodes", episode_rows(was, spoken, orders, replay.number))
    events = events_of(was, orders, icu, cards)
    found.add("events", [event_row(was, event, spoken, replay.number, would_speak) for event in events])


def _speaks(replay: Replay, kind: EventKind, at: datetime) -> bool:
    facts, found = replay.answer(Ask(at, MomentKind.HOURLY))
    if kind is EventKind.GRADE_3 and facts.grade is not None and (facts.grade.grade or 0) >= 3:
        return False
    return any(card.id in CARDS_OF_EVENT[kind] for card in found.shown)
