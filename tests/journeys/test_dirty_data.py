"""Charts broken one field at a time: each gets an answer or a clear error, and none says less without saying so."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from example_patients.ehr import SERVICE_OF_HOOK
from example_patients.stories import drafted_tocilizumab
from tests.dirty_data import Broken, broken_bundles, json_text
from tests.every_field import places, value_at
from tests.fhir_wire import Resource
from tests.journeys.desk import ASSESSMENT, ZONE, Desk, bundle, chart_of, moment_of, scene_of, whole_prefetch
from tests.journeys.test_hapi import recorded
from tests.spec.tables import NOW, patient, rows

SLOWEST = 5.0
"""Seconds of work for one answer: hundreds of times what it takes, so that only what runs away is found."""


@dataclass(frozen=True)
class Chart:
    """A patient's whole record as prefetch, and when the user looks at it."""

    patient_id: str
    now: datetime
    prefetch: dict[str, Any]
    keys: tuple[str, ...]
    """Those that are broken. What is drafted stands under `draftOrders`."""

    @property
    def hook(self) -> str:
        return "order-sign" if "draftOrders" in self.prefetch else "patient-view"

    def body(self, prefetch: dict[str, Any]) -> dict[str, Any]:
        drafts = {name: value for name, value in prefetch.items() if name == "draftOrders"}
        return {
            "hook": self.hook, "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "prefetch": prefetch,
            "context": {"patientId": self.patient_id, "userId": "Practitioner/1", **drafts},
        }  # fmt: skip


def of_scene(scene_id: str, *keys: str) -> Chart:
    _, scene = scene_of(scene_id)
    prefetch = whole_prefetch(chart_of(scene_id))
    return Chart(scene.patient_id, moment_of(scene), prefetch, keys or tuple(prefetch))


def of_a_draft() -> Chart:
    """A second dose drafted 5 h after the first."""
    chart = of_scene("8", "draftOrders")
    draft = drafted_tocilizumab(chart.patient_id, 560, chart.now)
    return replace(chart, prefetch={**chart.prefetch, "draftOrders": bundle([draft])})


def of_hapi() -> Chart:
    """As a real server sent it: drugs behind references, one contained, 260 resources."""
    drugs = ("MedicationAdministration", "Medication")
    found = [e["resource"] for e in recorded("patient-a")["entry"] if e["resource"]["resourceType"] not in drugs]
    given = recorded("administrations-with-medication")[0]["response"]["body"]["entry"]
    prefetch = {**whole_prefetch(found), "recentAdministrations": {"resourceType": "Bundle", "entry": given}}
    return Chart("patient-a", datetime(2026, 3, 11, 15, 0, tzinfo=ZONE), prefetch, ("recentAdministrations",))


# each sign was well before it was not: what is lost now leaves the well one to be believed
WELL = "T 36.8 @-30h; SBP 118 @-9h; SpO2 97 @-9h; device RA @-9h; il6 7.5 @D0 08:00; crp 10 @D0 08:00; weight 62 @-20h"
SINCE = rows("""
| then                    | keys                         | since                                                                                                |
| grade 2 and a high IL-6 | il6Crp vitals oxygen weight  | il6 12 @D3 07:00; T 38.9 @-1h; SpO2 93 @-1h; device NC @-1h; flow 2 @-1h; il6 46.5 @-3h; crp 30 @-3h |
| grade 2 and a low IL-6  | il6Crp vitals                | T 38.9 @-4h; SBP 84 @-1h; il6 12 @D3 07:00; il6 14 @-3h; crp 30 @-3h                                 |
| grade 2 and a dose      | recentAdministrations        | T 38.9 @-6h; SBP 84 @-6h; il6 46.5 @-6h; crp 30 @-6h; toci 496 @-5h                                  |
| two vasopressors        | recentAdministrations vitals | T 38.9 @-1h; start norepinephrine 0.1 @-3h; rate epinephrine 0.1 @-9h; rate epinephrine 0.05 @-1h    |
| a ventilator and ICANS  | oxygen neuro                 | T 38.9 @-1h; device ventilator @-1h; FiO2 50 @-1h; ice 5 @-1h                                        |
""")


def of_row(row: dict[str, str]) -> Chart:
    prefetch = whole_prefetch(patient(f"{WELL}; {row['since']}"))
    return Chart("p", NOW, prefetch, tuple(row["keys"].split()))


def to_be_weighed() -> Chart:
    """Grade 2 with all that the label asks to weigh, and a CAR-T procedure, orders and respiratory support."""
    subject = {"reference": "Patient/p"}
    snomed = "http://snomed.info/sct"
    more: list[Resource] = [
        {"resourceType": "AllergyIntolerance", "id": "allergy", "patient": subject,
         "code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "612865"}]}},
        {"resourceType": "Condition", "id": "sepsis", "subject": subject, "recordedDate": "2026-03-05T10:00:00+08:00",
         "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
         "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "A41.9"}]}},
        {"resourceType": "Procedure", "id": "infused", "status": "completed", "subject": subject,
         "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
         "performedDateTime": "2026-03-02T10:00:00+08:00"},
        {"resourceType": "MedicationRequest", "id": "norepinephrine", "status": "active", "intent": "order",
         "subject": subject, "authoredOn": "2026-03-06T11:00:00+08:00",
         "medicationCodeableConcept": {"text": "norepinephrine infusion"}},
    ]  # fmt: skip
    signs = "T 38.9 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; culture Escherichia coli @-20h; plt 20 @-20h"
    prefetch = whole_prefetch([*patient(f"{WELL}; {signs}", infused=False), *more])
    ventilation = {"resourceType": "Procedure", "id": "mask", "status": "in-progress", "subject": subject,
                   "code": {"coding": [{"system": snomed, "code": "47545007"}]},
                   "performedPeriod": {"start": "2026-03-06T11:00:00+08:00"}}  # fmt: skip
    keys = ("safetyLabs", "microbiology", "allergies", "conditions", "activeMedicationOrders")
    procedures = ("cellTherapyProcedures", "supportProcedures")
    return Chart("p", NOW, {**prefetch, "supportProcedures": bundle([ventilation])}, (*keys, *procedures))


CHARTS = {
    "scene 3, tocilizumab recommended": lambda: of_scene("3"),
    "scene 8, a dose 5 h ago": lambda: of_scene("8", "patient", "vitals", "oxygen", "recentAdministrations"),
    "scene 1d, grade 4 with vasopressors": lambda: of_scene("1d", "recentAdministrations"),
    "scene 8, a second dose drafted": of_a_draft,
    "recorded from HAPI": of_hapi,
    "all that is to be weighed": to_be_weighed,
    **{f"well, then {row['then']}": lambda row=row: of_row(row) for row in SINCE},  # type: ignore[misc]
}


@dataclass(frozen=True)
class Said:
    """What an answer says, as far as a broken chart must not make it say less.

    `severity` is the grade, or what it would be if this is CRS. `doubts` is what the answer says it could not use or
    read: a resource set aside, "at least", no grade, a flag, a verdict unknown because of a result, a sentence about it
    or a card. `doubts_beside_order` are the sentences of the cards that order tocilizumab.
    """

    cards: Mapping[str, str]
    severity: int
    il6: str
    doses: int
    orders_tocilizumab: bool
    cautions: frozenset[str]
    doubts: frozenset[str]
    doubts_beside_order: frozenset[str]


URGENCY = ("info", "warning", "critical")
DOUBT_CARDS = frozenset({"data-quality", "crs-grade-unknown", "crs-possible-masked"})
# what the chart does not hold, and not what of it could not be read
NOT_ON_RECORD = frozenset({None, "no_baseline", "no_peak", "no_recent_sample", "zero_baseline"})
CAUTIONS = ("Hypersensitivity to tocilizumab", "Caution: ", "Infection to weigh", "ICANS grade")
DOUBTFUL = re.compile(r"(?:Could not be read|A result that could not be read|No result of|ICANS is unknown)[^.]*\.")


def said(answer: TestResponse) -> Said:
    body = answer.get_json()
    found = body["extension"][ASSESSMENT]
    cards = {card["source"]["topic"]["code"]: card for card in body["cards"]}
    words = " ".join(card["detail"] for card in cards.values())
    ordering = [c for c in cards.values() if any("ocilizumab" in s["label"] for s in c.get("suggestions", ()))]
    reasons = {(name, found.get(name, {}).get("reason")) for name in ("il6", "crp")}
    doubts = {
        *(f"set aside: {a['reference']}, {a['why']}" for a in found.get("setAside", ())),
        *(flag for flag in found.get("flags", ()) if flag != "no_course"),
        *(f"{name}: {reason}" for name, reason in reasons if reason not in NOT_ON_RECORD),
        *(["at least"] if "crsGradeIsMinimum" in found else []),
        *(["no grade"] if "provisionalGrade" in found else []),
        *DOUBTFUL.findall(words),
        *(DOUBT_CARDS & cards.keys()),
    }
    return Said(
        cards={name: card["indicator"] for name, card in cards.items()},
        severity=found.get("crsGrade", found.get("provisionalGrade", 0)),
        il6=found.get("il6", {}).get("category", "unknown"),
        doses=found.get("tocilizumabDoses", 0),
        orders_tocilizumab=bool(ordering),
        cautions=frozenset(words_of for words_of in CAUTIONS if words_of in words),
        doubts=frozenset(doubts),
        doubts_beside_order=frozenset(DOUBTFUL.findall(" ".join(card["detail"] for card in ordering))),
    )


def unsaid(whole: Said, broken: Said, left: str) -> list[str]:
    """What the answer to a broken chart says less than the whole one's. `left` is the JSON that is left of the chart.

    | less                                    | is allowed                                                                 |
    | no card where there was one             | where administrations or procedures were not all read and nothing that is  |
    |                                         | left names a CAR-T product: `no_course_in_part_read` of the protocol       |
    | a low IL-6 where it was not low         | never: it moves advice away from tocilizumab                               |
    | an order of tocilizumab that was not    | with a new doubt on the very card that orders                              |
    | a lower grade, or lower "if CRS"        | with a new doubt                                                           |
    | fewer doses of tocilizumab              | with a new doubt                                                           |
    | a warning gone, or less urgent          | with a new doubt                                                           |
    | a caution about tocilizumab gone        | with a new doubt                                                           |
    """
    less = []
    unread = "no_course_in_part_read" in broken.doubts and not CAR_T.search(left)
    if whole.cards and not broken.cards and not unread:
        less.append("silence")
    if broken.il6 == "low" and whole.il6 != "low":
        less.append(f"IL-6 {whole.il6} → low")
    if broken.orders_tocilizumab > whole.orders_tocilizumab and not broken.doubts_beside_order - whole.doubts:
        less.append("tocilizumab ordered")
    if broken.doubts - whole.doubts:
        return less
    if broken.severity < whole.severity:
        less.append(f"grade {whole.severity} → {broken.severity}")
    if broken.doses < whole.doses:
        less.append(f"doses {whole.doses} → {broken.doses}")
    for card, urgency in whole.cards.items():
        if URGENCY.index(broken.cards.get(card, "info")) < URGENCY.index(urgency):
            less.append(f"gone or less urgent: {card}")
    return [*less, *(f"caution gone: {words}" for words in whole.cautions - broken.cautions)]


CAR_T = re.compile("tisagenlecleucel|1986438|38228")

# What no reader can see. All else must be said.
EXCEPTIONS = rows(r"""
| field                               | how                             | why                                                                            |
| ^\w+: $                             | null                            | null is the client's answer "none on record"                                   |
| ^\w+: entry$                        | missing, empty                  | so is a Bundle without entries                                                 |
| ^\w+: .+: entry\.\*$                | missing                         | an entry that did not come                                                     |
| medicationCodeableConcept\.text$    | German, Chinese, markup, 100 kB | of a drug known by its text alone: another text is another drug                |
| ^draftOrders:                       | missing, null, empty            | what names no medication is no order yet: the public Sandbox sends such drafts |
| dosage(\.rateQuantity)?$            | missing, null, empty            | a completed event with neither rate nor amount is a stop                       |
| ^neuro: .*\.code\.coding\.\*\.code$ | German, Chinese, markup, 100 kB | in a site's own system any text may be the code of something else              |
""")


# One broken field costs itself; the whole call only where it is no JSON, another patient's, or of the request itself.
REFUSED = rows(r"""
| field         | how                                             | why                             |
| .             | «NaN», «Infinity»                               | no JSON                         |
| ^patient: id$ | German, Chinese, markup, 100 kB                 | another patient's               |
| ^draftOrders: | null, a wrong type, «1e400», «-1e400», «digits» | the request itself is not valid |
""")


def is_one_of(table: list[dict[str, str]], broken: Broken) -> bool:
    return any(re.search(row["field"], broken.field) and broken.how in row["how"].split(", ") for row in table)


def faults_of_form(answer: TestResponse) -> list[str]:
    """What the protocol forbids, and markup of the record in what clients render."""
    body = answer.get_json()
    if answer.status_code != 200:
        clear = answer.status_code in (400, 412) and all(issue["diagnostics"] for issue in body["issue"])
        return [] if clear else [f"status {answer.status_code}"]
    empty = [path for path in places(body) if value_at(body, path) in (None, "", {}, []) and path != ("cards",)]
    found = [f"empty: {path}" for path in empty]
    for card in body["cards"]:
        words = json.dumps([card["summary"], card["detail"], *(s["label"] for s in card.get("suggestions", ()))])
        found += [
            f"markup: {mark}" for mark in ("<script", "<img", "[x](", "https://evil", "www.evil") if mark in words
        ]
        found += ["a long summary"] if len(card["summary"]) >= 140 else []
        found += ["a long detail"] if len(card["detail"]) > 20_000 else []
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_a_broken_field_is_never_silence_nor_less_than_the_whole_chart_says(name: str) -> None:
    chart = CHARTS[name]()
    desk = Desk(now=chart.now)

    def answer(text: str) -> TestResponse:
        service = f"/cds-services/{SERVICE_OF_HOOK[chart.hook]}"
        return desk.client.post(service, data=text, content_type="application/json")

    whole = said(answer(json_text(chart.body(chart.prefetch))))
    wrong: list[str] = []
    statuses: Counter[int] = Counter()
    distinct: set[str] = set()
    for broken in broken_bundles(chart.prefetch, chart.now, chart.keys):
        text = json_text(chart.body(broken.prefetch))
        began = time.process_time()
        found = answer(text)
        faults = [] if time.process_time() - began < SLOWEST else ["slow"]
        faults += faults_of_form(found)
        statuses[found.status_code] += 1
        if found.status_code != 200:
            faults += [] if is_one_of(REFUSED, broken) else ["refused"]
        else:
            less = unsaid(whole, said(found), text)
            faults += [] if is_one_of(EXCEPTIONS, broken) else less
            body = found.get_json()
            distinct.add(json.dumps([body["extension"], *(card["detail"] for card in body["cards"])]))
        wrong += [f"{broken.field} | {broken.how} | {', '.join(faults)}"] if faults else []
    print(f"{name}: {statuses.total()} broken, {dict(statuses)}, {len(distinct)} distinct answers")
    assert statuses.total() > 200
    assert wrong == []
