"""The time of fever that asks for another cause first: with the infusion, or for the first time late in the course."""

from __future__ import annotations

from datetime import tzinfo

from fhir_mappings.facts.course import Course
from fhir_mappings.facts.grade import CrsGrade, FirstFever
from fhir_mappings.facts.thresholds import Thresholds


def first_fever(grade: CrsGrade, course: Course, zone: tzinfo, t: Thresholds) -> FirstFever | None:
    """The times of the first and of the present fever of the course; None without one."""
    if grade.onset is None or grade.episode is None:
        return None
    day = (grade.onset.astimezone(zone).date() - course.day0).days
    begun = [i.start for i in course.infusions if i.time_known and i.start <= grade.episode]
    after = grade.episode - max(begun) if begun else None
    return FirstFever(
        day,
        after,
        is_late=day > t.late_first_fever.days,
        with_infusion=after is not None and after <= t.infusion_reaction,
    )
