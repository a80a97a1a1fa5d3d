"""A timeline as the numbers and words that the browser draws. Times are milliseconds since 1970; every time in words is
in the facility's zone, because a browser may be in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from cards.sentences.numbers_and_times import when
from cds_server.course_page.marks import GradeSpan, Lane, Mark
from cds_server.course_page.timeline import Timeline
from fhir_mappings.facts.course import Course
from fhir_mappings.reading.fhir_time import day

MOST_SOURCES = 6


def picture(shown: Timeline, course: Course, zone: tzinfo) -> dict[str, Any]:
    """The data that `course.js` draws. `says` of a mark is the text on hovering: value, time, use, source."""
    lanes = {
        "temperature": shown.temperature, "saturation": shown.saturation, "systolic": shown.systolic,
        "mean": shown.mean,
    }  # fmt: skip
    return {
        "start": _ms(shown.start),
        "end": _ms(shown.now),
        "days": list(_days(shown, course, zone)),
        "infused": [_ms(at) for at in shown.infused],
        "grades": [_grade(span, zone) for span in shown.grades],
        "lanes": {name: _lane(lane, zone) for name, lane in lanes.items()},
        "labs": [_lane(lane, zone) for lane in shown.labs],
        "oxygen": _marks(shown.oxygen, "Oxygen", zone),
        "pressors": _marks(shown.pressors, "Vasopressor", zone),
        "drugs": _marks(shown.drugs, "Drug", zone),
    }


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _days(shown: Timeline, course: Course, zone: tzinfo) -> Iterator[dict[str, Any]]:
    """Each local midnight on the axis with its day of the course."""
    # the server marks the days, because the time axis of ECharts knows only the browser's zone
    local = shown.start.astimezone(zone).date()
    while (midnight := day(local, zone).earliest) <= shown.now:
        if midnight >= shown.start:
            yield {"at": _ms(midnight), "day": (local - course.day0).days, "date": f"{local.day} {local:%b}"}
        local += timedelta(days=1)


def _grade(span: GradeSpan, zone: tzinfo) -> dict[str, Any]:
    if_crs = f"{span.if_crs} if this is CRS" if span.if_crs else ""
    return {
        "at": _ms(span.start),
        "end": _ms(span.end),
        "grade": span.grade,
        "minimum": span.minimum,
        "ifCrs": span.if_crs,
        "gradeIfCrs": span.grade_if_crs,
        "short": span.short,
        "says": _said([f"CRS: {span.short}", if_crs, period(span.start, span.end, zone), span.why,
                       _sources(span.sources)]),
    }  # fmt: skip


def _lane(lane: Lane, zone: tzinfo) -> dict[str, Any]:
    return {
        "name": lane.name,
        "unit": lane.unit,
        "limit": _number(lane.limit),
        "limitWords": lane.limit_words,
        "isLog": lane.is_log,
        "until": _ms(lane.until) if lane.until else None,
        "marks": _marks(lane.marks, lane.name, zone),
    }


def _marks(marks: Iterable[Mark], name: str, zone: tzinfo) -> list[dict[str, Any]]:
    return [
        {
            "at": _ms(m.at),
            "end": _ms(m.end) if m.end else None,
            "value": _number(m.value),
            "text": m.text,
            "label": m.label or m.text,
            "short": m.short,
            "use": m.use,
            "code": m.code,
            "bound": m.bound,
            "says": _said([f"{name}: {m.text}", time_of(m, zone), m.use, m.source]),
        }
        for m in marks
    ]


def _number(value: Decimal | None) -> float | None:
    """The number for drawing only: every threshold has been applied to the Decimal."""
    return None if value is None else float(value)


def _said(lines: list[str]) -> list[str]:
    return [line for line in lines if line]


def _sources(references: tuple[str, ...]) -> str:
    more = len(references) - MOST_SOURCES
    return ", ".join(references[:MOST_SOURCES]) + (f" and {more} more" if more > 0 else "")


def time_of(mark: Mark, zone: tzinfo) -> str:
    """The time in words: `6 Mar 07:00`, `6 Mar` for a mark known by date only, or a period from start to end."""
    at = mark.at.astimezone(zone)
    if mark.date_only:
        return f"{at.day} {at:%b}"
    return when(at) if mark.end is None else period(mark.at, mark.end, zone)


def period(start: datetime, end: datetime, zone: tzinfo) -> str:
    return f"{when(start.astimezone(zone))} – {when(end.astimezone(zone))}"
