"""The courses of a patient in a final chart, and the time over which each of them is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import zip_longest

from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.reading.charts import Chart
from cds_server.site_rules import SiteRules
from fhir_mappings.course import current_course, infusion_administrations, infusions
from fhir_mappings.course_search import MappingContext, find_course
from fhir_mappings.facts.course import Course
from fhir_mappings.infusions.infusion_procedures import infusion_procedures
from fhir_mappings.known_at.death import died_within
from fhir_mappings.reading.fhir_time import day

_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True)
class Look:
    """Everything that an evaluation of one patient rests on beside the chart."""

    protocol: Protocol
    rules: SiteRules
    zone: tzinfo | None
    exported_at: datetime

    def context(self, chart: Chart, at: datetime) -> MappingContext:
        return MappingContext(self.rules.terms, self.rules.thresholds, self.zone, chart.patient, chart.fhir_base, at)


@dataclass(frozen=True)
class Death:
    """The death of a patient: the instant that counts, None where it is not dated."""

    at: datetime | None


@dataclass(frozen=True)
class Followed:
    """A course, the n-th of its patient, and the end of its time. `cut`: the export ends it, before day 30. `death` is
    that of the patient, whenever it was."""

    number: int
    course: Course
    until: datetime
    cut: bool
    zone: tzinfo
    death: Death | None = None


def death_of(chart: Chart, zone: tzinfo) -> Death | None:
    """The death in a chart; None where none is recorded."""
    patient = chart.record.pool.patient(chart.patient)
    if patient is None or not (patient.deceased_boolean or patient.deceased_date_time):
        return None
    died = died_within(patient.deceased_date_time, zone) if patient.deceased_date_time else None
    return Death(died.latest if died is not None else None)


def followed_courses(chart: Chart, look: Look, died: datetime | None = None) -> tuple[Followed, ...]:
    """The courses of a patient, the first of them first. `died` is the death that was supplied beside the chart: it
    counts where the chart dates none."""
    context = look.context(chart, look.exported_at)
    pool, terms, t = chart.record.pool, look.rules.terms, look.rules.thresholds
    found = find_course(chart.record, context)
    procedures, _ = infusion_procedures(pool, terms, found.zone, look.exported_at, t)
    products, _ = infusion_administrations(found.given)
    all_infusions = infusions((*procedures, *products), terms, found.zone)
    by_day0: dict[object, Course] = {}
    for infusion in sorted(all_infusions, key=lambda one: one.start):
        course = current_course(all_infusions, infusion.start, found.zone, t)
        if course is not None:
            by_day0[course.day0] = course
    courses = list(by_day0.values())
    death = death_of(chart, found.zone)
    undated = death is None or death.at is None
    if died is not None and undated and courses and died >= courses[0].start:
        death = Death(died)
    return tuple(
        _followed(number, course, following.start if following is not None else None, death, look, found.zone)
        for number, (course, following) in enumerate(zip_longest(courses, courses[1:]), 1)
    )


def _followed(
    number: int, course: Course, following: datetime | None, death: Death | None, look: Look, zone: tzinfo
) -> Followed:
    follow_up = look.protocol.follow_up
    last = day(course.last_infused + timedelta(days=follow_up.days), zone).latest
    ends = [last, look.exported_at]
    ends += [following - _MOMENT] if following is not None else []
    ends += [death.at - _MOMENT] if death is not None and death.at is not None else []
    whole = day(course.last_infused + timedelta(days=follow_up.study_window_ends_day), zone).latest
    cut = min(ends) == look.exported_at < whole
    return Followed(number, course, max(min(ends), course.start), cut, zone, death)
