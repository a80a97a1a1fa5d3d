"""Aligned text tables, and patients written in them.

A patient is a list of entries `T 38.9 @-2h` (two hours before the call) in the words of `example_patients.chart`;
`@D4` is known by date only.
`grade 2` stands for signs of that grade, charted an hour before the call (`SIGNS`).
Unless an entry says otherwise the infusion was at 10:00 four days before the call, the call is on
2026-03-06 at 12:00 in Shanghai, the patient is an adult, and everything was read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cards.choose import Advice, advice
from cards.deciding.card_modes import CardModes
from cards.deciding.decision_table import Indicator
from cards.deciding.situation import verdicts
from cards.deciding.verdict import Category
from cards.deciding.when_to_show import Call, Showing
from example_patients.stories.chart import ChartEntry, Resource, resources
from fhir_mappings.codes.site_value_sets import site_terminology
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.facts.grade import NoGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.medications.draft_fields import Draft
from fhir_mappings.medications.draft_orders import draft_orders
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from fhir_mappings.settled_facts import settled_facts

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 6, 12, 0, tzinfo=ZONE)
INFUSED = datetime(2026, 3, 2, 10, 0, tzinfo=ZONE)
T = Thresholds()
NO_MODES = CardModes()
EXAMPLE_VALUE_SETS = Path(__file__).parents[2] / "example_patients" / "value_sets"
TERMS = site_terminology({file.name: file.read_bytes() for file in EXAMPLE_VALUE_SETS.glob("*.json")})
ALL_FETCHED: Mapping[Kind, datetime] = {}
ALL_READ = {kind: Coverage(Completeness.COMPLETE) for kind in Kind}
SIGNS = {
    "grade 0": "T 36.8 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h",
    "grade 1": "T 39 @-1h; SBP 118 @-1h; SpO2 97 @-1h; device RA @-1h",
    "grade 2": "T 39 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h",
    "grade 3": "T 39 @-1h; SBP 118 @-1h; SpO2 95 @-1h; device HFNC @-1h",
    "grade 4": "T 39 @-1h; SBP 118 @-1h; SpO2 95 @-1h; device BiPAP @-1h",
}
_ENTRY = re.compile(r"(?P<words>.+?) @(?P<at>D-?\d+(?: \d\d:\d\d)?|[+-]?\d+(?:\.\d+)?[hm])")


def rows(table: str) -> list[dict[str, str]]:
    """The rows of an aligned table as dicts; the first line names the columns."""
    lines = [line.strip().strip("|") for line in table.strip().splitlines()]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if not set(line) <= set("-| ")]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def name_of(row: dict[str, str]) -> str:
    return row["because"]


def moment_of(text: str) -> datetime:
    """`-2h`, `-30m` before the call, or `D4 07:00` counted from the day of the infusion; `D4` is its midnight."""
    if text.startswith("D"):
        day, clock = text[1:].split() if " " in text else (text[1:], "00:00")
        hours, minutes = (int(part) for part in clock.split(":"))
        return INFUSED.replace(hour=hours, minute=minutes) + timedelta(days=int(day))
    unit = {"h": 3600, "m": 60}[text[-1]]
    return NOW + timedelta(seconds=float(text[:-1]) * unit)


def charted(text: str) -> list[ChartEntry]:
    found = []
    for signs, meaning in SIGNS.items():
        text = re.sub(rf"{signs}(?= *(;|$))", meaning, text)
    for part in filter(None, (p.strip() for p in text.split(";"))):
        match = _ENTRY.fullmatch(part)
        if match is None:
            raise ValueError(f"not an entry: {part}")
        word, _, value = match["words"].partition(" ")
        at = moment_of(match["at"])
        by_date = re.fullmatch(r"D-?\d+", match["at"])
        found.append(ChartEntry(at.date() if by_date else at, word, value))
    return found


def patient(text: str, *, infused: bool = True, birth_date: str = "1980-01-01") -> list[Resource]:
    infusion = [ChartEntry(INFUSED, "car-t", "tisagenlecleucel")] if infused else []
    who: Resource = {"resourceType": "Patient", "id": "p", "birthDate": birth_date}
    return [who, *resources([*infusion, *charted(text)], "p")]


def facts_of(
    found: Iterable[Resource],
    *,
    as_of: datetime = NOW,
    unread: Sequence[Kind] = (),
    since: Mapping[Kind, datetime] = ALL_FETCHED,
    zone: ZoneInfo | None = ZONE,
    thresholds: Thresholds = T,
    terms: Terminology = TERMS,
) -> PatientFacts:
    """The facts of a record in which everything was read but the kinds named, or those only `since` some moment."""
    pool = ResourcePool()
    for number, resource in enumerate(found):
        pool.add(json.dumps(resource).encode(), f"entry {number}")
    lost = {kind: Coverage(Completeness.UNREAD, "not permitted") for kind in unread}
    lost |= {kind: Coverage(Completeness.PART, "too many pages", moment) for kind, moment in since.items()}
    if Kind.ADMINISTRATIONS in lost:
        lost[Kind.RUNNING] = lost[Kind.ADMINISTRATIONS]
    context = MappingContext(terms, thresholds, zone, "p", None, as_of)
    return settled_facts(PatientRecord(pool, {**ALL_READ, **lost}), context)


def answered(
    found: Iterable[Resource],
    *,
    drafts: Sequence[Resource] = (),
    showing: Showing = Showing.STATE,
    unread: Sequence[Kind] = (),
    since: Mapping[Kind, datetime] = ALL_FETCHED,
    as_of: datetime = NOW,
    modes: CardModes = NO_MODES,
    thresholds: Thresholds = T,
) -> Advice:
    """The cards for a patient as the chart is opened, or with all drafts selected."""
    found = list(found)
    facts = facts_of(found, unread=unread, since=since, as_of=as_of, thresholds=thresholds)
    pool = ResourcePool()
    orders = draft_orders(
        [Draft(i, None, draft) for i, draft in enumerate(drafts)], frozenset(), pool, TERMS, None, thresholds
    )
    return advice(facts, Call(showing, "p", orders), TERMS, thresholds, modes)


def shown_cards(found: Advice) -> str:
    """`severe-crs (c), infection-surveillance (w), crs-grade`: critical and warning are marked."""
    marks = {Indicator.CRITICAL: " (c)", Indicator.WARNING: " (w)", Indicator.INFO: ""}
    return ", ".join(f"{card.id}{marks[card.indicator]}" for card in found.cards) or "–"


def shown_grade(facts: PatientFacts) -> str:
    """`2`, `≥2` for a minimum, `unknown, 2 if CRS`, `masked, 3 if CRS`."""
    grade = facts.grade
    if grade is None:
        return "no course"
    if grade.grade is None:
        assert grade.no_grade is not None, "no grade has a reason"
        word = {NoGrade.MASKED: "masked", NoGrade.UNKNOWN: "unknown"}[grade.no_grade]
        return f"{word}, {grade.provisional} if CRS"
    return f"≥{grade.grade}" if grade.minimum else str(grade.grade)


def ordered_infusion(drug: str) -> Resource:
    """An active order of an hour ago for an infusion that no administration answers yet."""
    return {
        "resourceType": "MedicationRequest", "id": "ordered", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/p"}, "authoredOn": "2026-03-06T11:00:00+08:00",
        "medicationCodeableConcept": {"text": f"{drug} infusion"},
    }  # fmt: skip


def first_on_hold(found: Sequence[Resource]) -> list[Resource]:
    """The same record, the first drug after the infusion on hold."""
    first = next(n for n, r in enumerate(found) if r["resourceType"] == "MedicationAdministration" and n > 1)
    return [changed(r, status="on-hold") if n == first else r for n, r in enumerate(found)]


def changed(resource: Resource, **fields: Any) -> Resource:
    return {**resource, **fields}


def dense(step: int) -> str:
    """Signs every `step` minutes of three days, with three rises that do not last."""
    quiet = "T {t} @-{m}m; SBP {sbp} @-{m}m; SpO2 97 @-{m}m; device {device} @-{m}m"
    return "; ".join(
        quiet.format(
            m=m, t=39 if m == 4000 else 36.8, sbp=84 if m == 3000 else 118, device="HFNC" if m == 1000 else "RA"
        )
        for m in range(4200, 0, -step)
    )


def shown_fold(facts: PatientFacts, analyte: str) -> str:
    verdict = getattr(verdicts(facts, T), analyte)
    fold = getattr(facts, analyte).fold or getattr(facts, analyte).fold_after_blockade
    if verdict.category is Category.UNKNOWN or verdict.reason is not None:
        return f"{verdict.category.value}: {verdict.reason.value}"
    number = f"{fold.low:.2f}" if fold.low == fold.high else f"{fold.low:.2f}–{fold.high or '∞'}"
    return f"{number} {verdict.category.value}"
