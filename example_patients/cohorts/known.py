"""A cohort of ten whose onset, end, grade and doses are written down: `truth.csv` lies beside the export.

Some of them have grades of CRS and ICANS that somebody charted, ICE scores, ferritin and blood cultures.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

from example_patients.cohorts.course_chart import LAST_VISIT, PRODUCT, Level, Person, resources_of, signs, tagged
from example_patients.cohorts.export import Cohort, Outcome
from example_patients.stories.chart import LOINC, UCUM, Resource

FIRST = date(2024, 2, 5)
LATE, CORRECTED_AFTER = timedelta(hours=26), timedelta(days=3)
PROTOCOL = """\
title = "Known courses (a constructed cohort)"
note = "Constructed data: no patient of this cohort exists. Every figure is known beforehand: see truth.csv."
constructed = true
"""


@dataclass(frozen=True)
class KnownCourse:
    """A course as it is charted, in hours from midnight of day 0: `levels` are (hour, grade); a 0 ends a fever."""

    patient: str
    because: str
    levels: tuple[tuple[int, int], ...] = ()
    tocilizumab: tuple[int, ...] = ()
    died_hour: int | None = None
    il6: str = "late"  # late, corrected
    icu_hour: int | None = None
    second_infusion_day: int | None = None
    entries: tuple[tuple[int, str], ...] = ()  # of the flowsheet and the laboratory: see `entry`


@dataclass(frozen=True)
class Truth:
    """A row of `truth.csv`: what `courses.csv` must say of the first course. Times are UTC, empty if there is none."""

    patient: str
    because: str
    crs: str
    onset: str
    crs_end: str
    end_is_censored: str
    duration_days: str
    max_grade: int
    severe: str
    tocilizumab_doses: int
    recrudescences: int
    late_fever: str
    died_in_severe: str


COURSES = (
    KnownCourse(
        "k01",
        "fever for three days, and its IL-6 is reported a day late",
        ((78, 1), (144, 0)),
        entries=((79, "ferritin 600"), (80, "culture No growth"), (80, "crs 1"), (104, "crs 1"), (104, "ferritin 900")),
    ),
    KnownCourse(
        "k02",
        "grade 2, then a dose",
        ((102, 1), (126, 2), (150, 1), (198, 0)),
        (130,),
        entries=(
            (104, "culture Escherichia coli"),
            (110, "crs 1"),
            (120, "ferritin 1500"),
            (127, "crs Grade 2"),
            (135, "crs 2-3"),
            (140, "ferritin 4000"),
        ),
    ),
    KnownCourse(
        "k03",
        "grade 3 with a corrected IL-6",
        ((78, 1), (110, 3), (134, 1), (168, 0)),
        (104, 128),
        il6="corrected",
        entries=((98, "ferritin 5200"), (100, "ice 8"), (101, "icans 1"), (112, "crs 2"), (120, "crs 3")),
    ),
    KnownCourse(
        "k04",
        "dies in grade 4",
        ((78, 1), (102, 4)),
        (104,),
        died_hour=197,
        entries=((103, "ferritin 12000"), (103, "crs 2"), (110, "ice 0"), (112, "icans 4"), (150, "crs 4")),
    ),
    KnownCourse(
        "k05",
        "moved to intensive care",
        ((54, 1), (86, 3), (110, 2), (134, 1), (168, 0)),
        (88,),
        icu_hour=90,
        entries=((60, "ice 10"), (64, "icans 0"), (100, "icans 2")),
    ),
    KnownCourse("k06", "no fever at all", entries=((250, "crs 0"), (680, "crs 0"))),
    KnownCourse(
        "k07",
        "a first fever on day 20 is late",
        ((486, 1), (504, 0)),
        entries=((98, "ice 10"), (100, "icans 0"), (488, "crs 1")),
    ),
    KnownCourse("k08", "a fever again after five days", ((78, 1), (120, 0), (246, 1), (264, 0))),
    KnownCourse(
        "k09",
        "a fever again after two days is the same episode",
        ((78, 1), (96, 0), (150, 1), (168, 0)),
        entries=((100, "icans 0-1"),),
    ),
    KnownCourse("k10", "a second infusion on day 45", ((78, 1), (120, 0)), second_infusion_day=45),
)
# no LOINC names a grade or an ICE score: the code is that of our own value set, as a site's own would be
FLOWSHEET = "urn:crs-cds:local"
CODES = {
    "crs": {"system": FLOWSHEET, "code": "crs-grade", "display": "CRS grade"},
    "icans": {"system": FLOWSHEET, "code": "icans-grade", "display": "ICANS grade"},
    "ice": {"system": FLOWSHEET, "code": "ice-score", "display": "ICE score"},
    "ferritin": {"system": LOINC, "code": "2276-4", "display": "Ferritin [Mass/volume] in Serum or Plasma"},
    "culture": {"system": LOINC, "code": "600-7", "display": "Bacteria identified in Blood by Culture"},
}
# the hours of the day at which signs are charted
ROUNDS = (6, 14, 22)


def known_cohort() -> Cohort:
    """The export, with its truth as a further file."""
    made: list[Resource] = []
    for number, course in enumerate(COURSES):
        made += _resources(course, FIRST + number * timedelta(days=9))
    return Cohort(
        tuple(made),
        PROTOCOL,
        outcomes=tuple(_outcomes()),
        more={"truth.csv": _as_csv(tuple(truths()))},
    )


def truths() -> Iterator[Truth]:
    """The truth on the first course of each patient."""
    for number, course in enumerate(COURSES):
        yield _truth(course, FIRST + number * timedelta(days=9))


def _at(day0: date, hour: int) -> datetime:
    return datetime.combine(day0, time(), UTC) + timedelta(hours=hour)


def _resources(course: KnownCourse, day0: date) -> list[Resource]:
    died = _at(day0, course.died_hour) if course.died_hour else None
    person = Person(course.patient, "female", 50, day0, died)
    found = resources_of(person, list(_lines(course)))
    charted = [entry(text, _at(day0, hour), f"{course.patient}-entry-{n}", course.patient)
               for n, (hour, text) in enumerate(course.entries)]  # fmt: skip
    return [*(_as_reported(resource, course, day0) for resource in found), *map(tagged, charted)]


def entry(text: str, at: datetime, id_: str, patient: str) -> Resource:
    """`crs 2`, `icans 1`, `ice 8`, `ferritin 600` in ng/mL, `culture No growth`: an entry as an Observation."""
    word, _, value = text.partition(" ")
    return {
        "resourceType": "Observation", "id": id_, "status": "final", "code": {"coding": [CODES[word]]},
        "subject": {"reference": f"Patient/{patient}"}, "effectiveDateTime": at.isoformat(), **_value(word, value),
    }  # fmt: skip


def _value(word: str, value: str) -> Resource:
    if word == "ferritin":
        return {"valueQuantity": {"value": int(value), "unit": "ng/mL", "system": UCUM, "code": "ng/mL"}}
    if word == "culture":
        return {"valueCodeableConcept": {"text": value}}
    return {"valueInteger": int(value)} if word == "ice" else {"valueString": value}


def _lines(course: KnownCourse) -> Iterator[str]:
    yield "D0 08:00  il6 10 | crp 20 | weight 70"
    yield f"D0 10:00  car-t {PRODUCT}"
    yield from signs(tuple(Level(*level) for level in course.levels), 24, course.died_hour)
    yield "D3 07:00  il6 60 | crp 90"
    for hour in course.tocilizumab:
        yield f"D{hour // 24} {hour % 24:02}:00  toci 560"
    if course.died_hour is None:
        yield f"D{LAST_VISIT} 10:00  weight 68"
    if course.second_infusion_day:
        yield f"D{course.second_infusion_day} 10:00  car-t {PRODUCT}"
        yield f"D{course.second_infusion_day + 35} 10:00  weight 68"


def _as_reported(resource: Resource, course: KnownCourse, day0: date) -> Resource:
    """The IL-6 of day 3 as the record holds it in the end: reported late, or corrected days after the draw."""
    drawn = _at(day0, 79)
    if resource.get("valueQuantity", {}).get("unit") != "pg/mL" or resource["effectiveDateTime"] != drawn.isoformat():
        return resource
    if course.il6 == "late":
        return resource | {"issued": (drawn + LATE).isoformat()}
    return resource | {"status": "corrected", "issued": (drawn + CORRECTED_AFTER).isoformat()}


def _truth(course: KnownCourse, day0: date) -> Truth:
    first = course.levels[0][0] if course.levels else None
    late = first is not None and first > 15 * 24
    onset = None if late else first
    end = _end(course)
    grades = [grade for _, grade in course.levels] or [0]
    duration = f"{(end - onset) / 24:.1f}" if onset is not None and end is not None else ""
    return Truth(
        patient=course.patient,
        because=course.because,
        crs="yes" if onset is not None else "no",
        onset=_at(day0, onset).isoformat() if onset is not None else "",
        crs_end=_at(day0, end).isoformat() if onset is not None and end is not None else "",
        end_is_censored="yes" if course.died_hour else "no",
        duration_days=duration,
        max_grade=max(grades),
        severe="yes" if max(grades) >= 3 else "no",
        tocilizumab_doses=len(course.tocilizumab),
        recrudescences=int(course.patient == "k08"),
        late_fever=_at(day0, first).isoformat() if late and first is not None else "",
        died_in_severe="yes" if course.died_hour else "no",
    )


def _end(course: KnownCourse) -> int | None:
    """The last round with a sign of the first episode, or before death; a fever within 72 h is of the same episode."""
    over = [hour for hour, grade in course.levels if grade == 0] or [course.died_hour or 0]
    last = over[0] if course.patient == "k08" else over[-1]
    return max((24 * day + hour for day in range(40) for hour in ROUNDS if 24 * day + hour < last), default=None)


def _outcomes() -> Iterator[Outcome]:
    for number, course in enumerate(COURSES):
        day0 = FIRST + number * timedelta(days=9)
        if course.icu_hour is not None:
            yield Outcome(course.patient, "icu", _at(day0, course.icu_hour))
        if course.died_hour is not None:
            yield Outcome(course.patient, "death", _at(day0, course.died_hour))


def _as_csv(rows: tuple[Truth, ...]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f.name for f in fields(Truth)])
    writer.writerows(asdict(row).values() for row in rows)
    return text.getvalue()
