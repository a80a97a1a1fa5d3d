"""What must hold for every patient, whatever is charted: properties, tried on generated charts.

Each has its own small generator in the words of the tables; `derandomize` keeps the tries the same in every run.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cards.choose import Advice
from cards.deciding.decision_table import CardId
from cards.deciding.situation import Verdicts, verdicts
from cards.deciding.verdict import Category
from cards.deciding.when_to_show import Showing
from example_patients.stories.chart import Resource
from example_patients.stories.stories import drafted_tocilizumab
from fhir_mappings.facts.grade import CrsGrade, Fever
from fhir_mappings.facts.patient import PatientFacts
from tests.support.tables import NOW, T, answered, changed, facts_of, patient

EVERY = settings(max_examples=60, deadline=None, derandomize=True, database=None)

hours = st.integers(1, 90)
il6 = st.tuples(st.sampled_from(["5", "8", "10", "12.5", "20", "39", "40", "41", "60", "500", "<7", ">90"]), hours)
BASELINES = ("D-3 12:00", "D-1 20:00", "D0 08:00", "D0 16:00")
OXYGEN = (
    "device RA",
    "device NC",
    "device NC|flow 6",
    "device NC|flow 7",
    "device HFNC",
    "device BiPAP",
    "flow 3",
    "FiO2 50",
)
DRUGS = (
    "toci 560",
    "give paracetamol 1000",
    "give dexamethasone 10",
    "give dexamethasone 4",
    "give methylprednisolone 500",
    "give methylprednisolone 60",
    "infuse methylprednisolone 40 mg/h",
    "infuse hydrocortisone 10 mg/h",
    "give dexamethasone 10 eye",
)
signs = st.tuples(
    st.sampled_from(["T 36.8", "T 38.0", "T 39.4", ""]),
    st.sampled_from(["SBP 118", "SBP 89", "SBP 84", ""]),
    st.sampled_from(["SpO2 97", "SpO2 88", ""]),
    st.sampled_from([*OXYGEN, ""]),
    st.sampled_from(["", "", "rate norepinephrine 0.1", "start norepinephrine 0.1", "start vasopressin 0.03"]),
)


def at(entries: tuple[str, ...], ago: int) -> str:
    return "; ".join(f"{one} @-{ago}h" for entry in entries for one in entry.split("|") if one)


@st.composite
def charts(draw: Any) -> str:
    """A chart with signs at a few times, IL-6 and CRP results, and drugs."""
    parts = [at(draw(signs), ago) for ago in draw(st.lists(hours, min_size=1, max_size=4, unique=True))]
    parts += [f"il6 {draw(il6)[0]} @{day}" for day in draw(st.lists(st.sampled_from(BASELINES), unique=True))]
    parts += [f"il6 {value} @-{ago}h" for value, ago in draw(st.lists(il6, max_size=4, unique_by=lambda pair: pair[1]))]
    parts += [f"crp {draw(st.integers(1, 90))} @-{ago}h" for ago in draw(st.lists(hours, max_size=2, unique=True))]
    drugs = st.lists(st.tuples(st.sampled_from(DRUGS), hours), max_size=3, unique_by=lambda pair: pair[1])
    parts += [f"{drug} @-{ago}h" for drug, ago in draw(drugs)]
    parts += [f"ice {draw(st.integers(0, 10))} @-2h"] if draw(st.booleans()) else []
    return "; ".join(filter(None, parts)) + "; weight 70 @-80h"


def shown(found: Advice) -> list[Any]:
    return [(c.id, c.indicator, c.summary, c.detail, [s.resource for s in c.suggestions]) for c in found.cards]


def verdicts_of(facts: PatientFacts) -> Verdicts:
    return verdicts(facts, T)


@EVERY
@given(charts(), st.integers())
def test_the_order_of_resources_never_matters(chart: str, seed: int) -> None:
    found = patient(chart)
    mixed = list(found)
    random.Random(seed).shuffle(mixed)  # noqa: S311
    assert shown(answered(mixed)) == shown(answered(found))


def in_other_units(resource: Resource) -> Resource:
    """The same value in another unit of its quantity."""
    quantity = resource.get("valueQuantity")
    other = {
        "pg/mL": ("ng/mL", Decimal("0.001")), "mg/L": ("mg/dL", Decimal("0.1")), "kg": ("g", Decimal(1000)),
        "L/min": ("mL/min", Decimal(1000)),
    }  # fmt: skip
    if quantity is None or quantity["code"] not in other:
        return resource
    unit, factor = other[quantity["code"]]
    value = Decimal(str(quantity["value"])) * factor
    return changed(resource, valueQuantity={**quantity, "value": float(value), "unit": unit, "code": unit})


def in_utc(resource: Resource) -> Resource:
    text = resource.get("effectiveDateTime")
    period = resource.get("effectivePeriod")

    def moved(at: str) -> str:
        return datetime.fromisoformat(at).astimezone(UTC).isoformat().replace("+00:00", "Z")

    if text:
        return changed(resource, effectiveDateTime=moved(text))
    return changed(resource, effectivePeriod={k: moved(v) for k, v in period.items()}) if period else resource


def outcome(facts: PatientFacts) -> tuple[Any, ...]:
    found = verdicts_of(facts)
    grade = facts.grade
    doses = [d.start for d in facts.tocilizumab.doses]
    return (
        found.il6, found.crp, facts.il6.fold, facts.crp.fold, grade and (grade.grade, grade.minimum, grade.provisional),
        doses, facts.weight and facts.weight.kg, facts.icans.grade,
    )  # fmt: skip


@EVERY
@given(charts())
def test_the_same_patient_in_other_units_gets_the_same_answer(chart: str) -> None:
    found = patient(chart)
    assert outcome(facts_of([in_other_units(r) for r in found])) == outcome(facts_of(found))


@EVERY
@given(charts())
def test_the_same_patient_in_utc_gets_the_same_answer(chart: str) -> None:
    found = patient(chart)
    assert shown(answered([in_utc(r) for r in found])) == shown(answered(found))


UNRELATED: tuple[Resource, ...] = (
    {"resourceType": "Observation", "id": "u1", "status": "final", "subject": {"reference": "Patient/p"},
     "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]}, "effectiveDateTime": "2026-03-06T11:00:00+08:00",
     "valueQuantity": {"value": 110, "unit": "mg/dL", "code": "mg/dL"}},
    {"resourceType": "MedicationAdministration", "id": "u2", "status": "completed", "subject": {"reference": "Patient/p"},
     "medicationCodeableConcept": {"text": "Normal saline"}, "effectiveDateTime": "2026-03-06T11:00:00+08:00"},
    {"resourceType": "Condition", "id": "u3", "subject": {"reference": "Patient/p"},
     "code": {"text": "Hypertension"}, "recordedDate": "2026-03-01"},
    {"resourceType": "Procedure", "id": "u4", "status": "completed", "subject": {"reference": "Patient/p"},
     "code": {"text": "Lumbar puncture"}, "performedDateTime": "2026-03-05"},
    {"resourceType": "ServiceRequest", "id": "u5", "status": "active", "intent": "order",
     "subject": {"reference": "Patient/p"}, "code": {"text": "Physiotherapy"}},
)  # fmt: skip


@EVERY
@given(charts(), st.sampled_from(UNRELATED))
def test_an_unrelated_resource_changes_nothing(chart: str, more: Resource) -> None:
    found = patient(chart)
    assert shown(answered([*found, more])) == shown(answered(found))


@EVERY
@given(charts(), st.integers(1, 60), st.sampled_from(["1", "900", "9000", "<2"]))
def test_il6_after_tocilizumab_never_moves_the_fold(chart: str, ago: int, value: str) -> None:
    before = f"{chart}; toci 560 @-{ago}h"
    after = f"{before}; il6 {value} @-{ago - 1}h"
    plain, more = facts_of(patient(before)), facts_of(patient(after))
    assert (more.il6.fold, verdicts_of(more).il6) == (plain.il6.fold, verdicts_of(plain).il6)


def least(grade: CrsGrade | None) -> int:
    """What is known of the grade at the least: without a grade, what it would be."""
    assert grade is not None
    return grade.provisional if grade.grade is None else grade.grade


DEVICES = ("device RA", "device NC", "device HFNC", "device BiPAP")
PRESSORS = ("start norepinephrine 0.1", "start epinephrine 0.1", "start vasopressin 0.03")


@EVERY
@given(signs, st.integers(0, 3), st.integers(0, 3))
def test_more_oxygen_never_lowers_the_grade(charted: tuple[str, ...], one: int, other: int) -> None:
    lower, higher = sorted((one, other))
    rest = (charted[0], charted[1], charted[2], "", charted[4])
    grades = [facts_of(patient(at((*rest, DEVICES[i]), 2))).grade for i in (lower, higher)]
    assert least(grades[0]) <= least(grades[1])


@EVERY
@given(signs, st.lists(st.sampled_from(PRESSORS), unique=True, max_size=2), st.sampled_from(PRESSORS))
def test_one_more_vasopressor_never_lowers_the_grade(charted: tuple[str, ...], some: list[str], more: str) -> None:
    rest = charted[:4]
    without = facts_of(patient(at((*rest, *some), 2))).grade
    beside = facts_of(patient(at((*rest, *dict.fromkeys((*some, more))), 2))).grade
    assert least(without) <= least(beside)


@EVERY
@given(signs, st.sampled_from(["", "give paracetamol 1000 @-3h", "toci 560 @-3h"]), st.integers(0, 60))
def test_time_passing_without_a_record_never_lowers_the_grade(charted: tuple[str, ...], drug: str, passed: int) -> None:
    """A lower grade needs a record; time alone may only make it a minimum, or take the grade away."""
    chart = patient(f"{at(charted, 2)}; {drug}")
    then, now = facts_of(chart).grade, facts_of(chart, as_of=NOW + timedelta(hours=passed)).grade
    assert then is not None
    assert now is not None
    if then.grade is not None and now.grade is not None:
        suppressed = now.grade == 0 and now.fever in (Fever.WAIVED, Fever.EARLIER)
        assert now.grade >= then.grade or now.minimum or (suppressed and then.grade == 1)


@EVERY
@given(charts(), st.data())
def test_a_result_that_cannot_be_read_never_turns_high_into_low(chart: str, data: st.DataObject) -> None:
    """A result that is no longer there at all is another chart; one that is there and cannot be used may have been high."""
    found = patient(f"{chart}; il6 10 @D0 08:00; il6 60 @-5h; T 36.8 @D-1 10:00; T 39 @-10h")
    results = [n for n, r in enumerate(found) if r.get("code", {}).get("coding", [{}])[0].get("code") == "26881-3"]
    lost = data.draw(st.sampled_from(results))
    broken = [
        changed(r, valueQuantity={"value": 1, "unit": "furlong"}) if n == lost else r for n, r in enumerate(found)
    ]
    if verdicts_of(facts_of(found)).il6.category is Category.HIGH:
        assert verdicts_of(facts_of(broken)).il6.category is not Category.LOW


SAFETY = {c for c in CardId if c.startswith("toci-")} - {CardId.TOCI_RECOMMENDED, CardId.TOCI_GUIDELINE} | {
    CardId.NO_CRS, CardId.STEROID_CHECK
}  # fmt: skip


@EVERY
@given(charts(), st.sampled_from(["", "560", "700"]))
def test_no_suggestion_once_accepted_raises_a_check(chart: str, drafted: str) -> None:
    found = patient(chart)
    drafts = [drafted_tocilizumab("p", int(drafted), NOW)] if drafted else []
    first = answered(found, drafts=drafts, showing=Showing.ORDERS if drafts else Showing.STATE)
    raised = {c.id for c in first.cards} & SAFETY
    for card in first.cards:
        for suggestion in card.suggestions:
            accepted = {"id": "accepted", **suggestion.resource}
            beside = [] if suggestion.action == "update" else drafts
            again = answered(found, drafts=[*beside, accepted], showing=Showing.ORDERS)
            new = {c.id for c in again.cards} & SAFETY - raised
            assert not new, f"{card.id} offered {suggestion.label}, which raises {new}"
            if suggestion.action == "update":
                assert CardId.TOCI_DOSE_CHECK not in {c.id for c in again.cards}
