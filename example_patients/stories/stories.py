"""The example patients: one chart each, and the moments at which an EHR asks.

They are the scenarios of the clinical specification. Values are invented, except that the paper describes the course
and some values of Patient A. `wanted` are the cards in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from example_patients.stories.chart import RXNORM, SNOMED, UCUM, Resource, entries, resources

PREFIX = "crs-cds-example"
ORDER_HOOKS = ("order-select", "order-sign")  # an EHR calls the others when a chart is opened
ICE_CARDS = frozenset({"icans-steroid"})  # only if the site has the code of `value_sets/`


@dataclass(frozen=True)
class Scene:
    """One moment of a story: its time, the drafted dose, and the cards that are wanted.

    If tocilizumab is drafted, `wanted` are the cards on both order hooks, and `before_draft` those at the opening of
    the chart. Otherwise `wanted` are the cards at the opening, and `other_order` those beside an unrelated order.
    """

    id: str
    call: tuple[int, str]
    wanted: tuple[str, ...]
    toci_mg: int | None = None
    deceased: bool = False
    says: str = ""
    before_draft: tuple[str, ...] = ()
    other_order: tuple[str, ...] = ()

    @property
    def hook(self) -> str:
        """The hook that the scene shows."""
        return "order-select" if self.toci_mg else "patient-view"

    def wanted_on(self, hook: str, *, ice: bool = True) -> tuple[str, ...]:
        """The wanted cards of a hook. `ice` is True if the site reads the example hospital's ICE score."""
        opened = hook not in ORDER_HOOKS
        if self.toci_mg:
            cards = self.before_draft if opened else self.wanted
        else:
            cards = self.wanted if opened else self.other_order
        return tuple(card for card in cards if ice or card not in ICE_CARDS)

    @property
    def patient_id(self) -> str:
        """The id of the scene's own patient: with one each, all scenes can happen now."""
        return f"{PREFIX}-{self.id}"


@dataclass(frozen=True)
class Story:
    id: str
    title: str
    age: int
    chart: str
    scenes: tuple[Scene, ...]


GRADE = "crs-grade"

STORIES: tuple[Story, ...] = (
    Story("1", "Patient A of the paper: a small IL-6 rise, then grade 4", 44, """
        D0 08:00  il6 18.0 | crp 22 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D5 06:00  T 39.1
        D5 07:00  il6 31 | crp 38
        D5 09:30  T 39.1 | SBP 118 | SpO2 94 | device NC | flow 3
        D6 09:30  T 38.8 | SBP 118 | SpO2 94 | device NC | flow 3
        D7 06:00  il6 47.7 | crp 61
        D7 09:30  T 39.1 | SBP 118 | SpO2 94 | device NC | flow 3
        D7 10:00  toci 560
        D8 09:30  T 37.2 | SBP 118 | SpO2 94 | device NC | flow 3
        D9 06:00  il6 5200
        D9 08:30  T 36.8 | SBP 118 | SpO2 94 | device NC | flow 3
        D9 10:00  toci 560
        D9 14:00  start norepinephrine 0.1 | start epinephrine 0.05
        D9 14:30  T 36.8 | SBP 88 | SpO2 91 | device BiPAP
        """, (
        Scene("1a", (5, "10:00"), ("steroid-early-low-il6", GRADE), says="up only 1.7×"),
        Scene("1b", (7, "09:45"), ("steroid-early-low-il6", "infection-surveillance", GRADE), 560, says="up only 2.7×",
              before_draft=("steroid-early-low-il6", GRADE)),
        Scene("1c", (9, "09:00"), ("steroid-early-low-il6", "infection-surveillance", GRADE), says="up only 2.7×"),
        Scene("1d", (9, "15:00"), ("severe-crs", "infection-surveillance", GRADE),
              says="grade 4", other_order=("severe-crs", GRADE)),
    )),
    Story("2", "Patient B of the paper: grade 2 after two doses", 30, """
        D0 08:00  il6 25.1 | weight 55
        D0 10:00  car-t tisagenlecleucel
        D4 07:00  il6 40.2
        D7 06:00–D7 22:00 /4h  T 39.0 | SBP 86 | SpO2 97 | device RA
        D8 02:00–D13 09:30 /4h  T 38.4 | SBP 86 | SpO2 97 | device RA
        D8 07:00  il6 63.0
        D8 10:00  toci 440
        D10 10:00  toci 440
        D13 09:30  T 38.4 | SBP 86 | SpO2 97 | device RA
        """, (
        Scene("2", (13, "10:00"), ("steroid-after-2-toci", GRADE), says="up 2.5×"),
        Scene("2-deceased", (20, "10:00"), (), deceased=True),
    )),
    Story("3", "Grade 2 and a high IL-6 rise", 51, """
        D0 08:00  il6 7.5 | crp 10 | weight 62
        D0 10:00  car-t tisagenlecleucel
        D2 07:00  il6 21
        D4 06:00  T 38.9
        D4 07:00  il6 46.5 | crp 15
        D4 09:30  T 38.9 | SBP 118 | SpO2 93 | device NC | flow 2
        """, (Scene("3", (4, "10:00"), ("toci-recommended", GRADE), says="496 mg"),)),
    Story("4", "Grade 2 without a baseline", 51, """
        D0 08:00  crp 10 | weight 62
        D0 10:00  car-t tisagenlecleucel
        D2 07:00  il6 21
        D4 06:00  T 38.9
        D4 07:00  il6 46.5 | crp 15
        D4 09:30  T 38.9 | SBP 118 | SpO2 93 | device NC | flow 2
        """, (Scene("4", (4, "10:00"), ("toci-guideline", "data-quality", GRADE), says="496 mg"),)),
    Story("5", "Grade 1, tocilizumab drafted, CRP risen", 37, """
        D0 08:00  il6 5 | crp 12 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D3 06:00  T 38.6
        D3 07:00  il6 40 | crp 30
        D3 09:30  T 38.6 | SBP 118 | SpO2 97 | device RA
        """, (
        Scene("5", (3, "10:00"), ("infection-surveillance", "grade1-supportive", GRADE), 560, says="up 2.5×",
              before_draft=("grade1-supportive", GRADE)),
    )),
    Story("6", "High-flow oxygen: grade 3, IL-6 low", 29, """
        D0 08:00  il6 30 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D6 06:00  T 39.5
        D6 07:00  il6 90
        D6 09:30  T 39.5 | SBP 118 | SpO2 95 | device HFNC | flow 30 | FiO2 50
        """, (
        Scene("6", (6, "10:00"), ("severe-crs", GRADE), says="IL-6 must not delay",
              other_order=("severe-crs", GRADE)),
    )),
    Story("7", "Grade 2, IL-6 high, 26 h after the first dose", 46, """
        D0 08:00  il6 10 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D4 06:00–D4 22:00 /4h  T 39.0 | SBP 84 | SpO2 97 | device RA
        D5 02:00–D6 06:00 /4h  T 36.8 | SBP 84 | SpO2 97 | device RA
        D5 07:00  il6 55
        D5 08:00  toci 560
        D6 07:00  il6 8100
        D6 09:30  T 36.8 | SBP 84 | SpO2 97 | device RA
        """, (Scene("7", (6, "10:00"), ("toci-recommended", GRADE), says="up 5.5×"),)),
    Story("8", "A second dose drafted 5 h after the first", 46, """
        D0 08:00  il6 10 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D5 06:00–D5 22:00 /4h  T 39.0 | SBP 84 | SpO2 97 | device RA
        D5 07:00  il6 55
        D6 02:00–D6 06:00 /4h  T 36.8 | SBP 84 | SpO2 97 | device RA
        D6 05:00  toci 560
        D6 07:00  il6 8100
        D6 09:30  T 36.8 | SBP 84 | SpO2 97 | device RA
        """, (
        Scene("8", (6, "10:00"), ("toci-interval", "reassess-window", GRADE), 560, says="13:00",
              before_draft=("reassess-window", GRADE)),
    )),
    Story("9", "Four doses given, a fifth drafted", 46, """
        D0 08:00  il6 10 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D3 06:00–D3 22:00 /4h  T 39.0 | SBP 84 | SpO2 97 | device RA
        D4 02:00–D6 06:00 /4h  T 36.8 | SBP 84 | SpO2 97 | device RA
        D4 07:00  il6 55
        D4 16:00  toci 560
        D5 02:00  toci 560
        D5 12:00  toci 560
        D5 22:00  toci 560
        D6 09:30  T 36.8 | SBP 84 | SpO2 97 | device RA
        """, (
        Scene("9", (6, "10:00"), ("toci-max-doses", "steroid-after-2-toci", GRADE), 560, says="4 doses",
              before_draft=("steroid-after-2-toci", GRADE)),
    )),
    Story("10", "ICANS grade 2 with CRS grade 1, tocilizumab drafted", 58, """
        D0 08:00  il6 9 | crp 14 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D7 06:00  T 38.3
        D7 07:00  il6 50 | crp 20
        D7 09:30  T 38.3 | SBP 118 | SpO2 97 | device RA | ice 5
        """, (
        Scene("10", (7, "10:00"), ("icans-steroid", "grade1-supportive", GRADE), 560,
              says="ASCO adds tocilizumab", before_draft=("icans-steroid", "grade1-supportive", GRADE)),
    )),
    Story("11", "Everything exactly at its limit", 51, """
        D0 08:00  il6 12.0 | crp 30 | weight 62
        D0 10:00  car-t tisagenlecleucel
        D4 06:00  T 38.0
        D4 07:00  il6 48.0 | crp 54.9
        D4 09:30  T 38.0 | SBP 118 | SpO2 93 | device NC | flow 6
        """, (
        Scene("11", (4, "10:00"), ("toci-recommended", GRADE), 496, says="near the limit",
              before_draft=("toci-recommended", GRADE)),
    )),
    Story("12", "Fever suppressed after tocilizumab, CRP low again", 33, """
        D0 08:00  il6 9 | crp 15 | weight 70
        D0 10:00  car-t tisagenlecleucel
        D6 06:00  T 39.2 | SBP 112 | SpO2 97 | device RA
        D7 07:00  il6 40 | crp 60
        D7 10:00  toci 560
        D8 09:30  T 36.8 | SBP 112 | SpO2 97 | device RA
        D9 07:00  crp 9
        D9 09:30  T 36.8 | SBP 112 | SpO2 97 | device RA
        """, (Scene("12", (9, "10:00"), ("infection-surveillance", GRADE), says="up 4×"),)),
    Story("13", "Hypoxia, 100.3 °F", 40, """
        D0 08:00  weight 70
        D0 10:00  car-t tisagenlecleucel
        D4 09:30  T 100.3 degF | SBP 118 | SpO2 88 | device RA
        """, (Scene("13", (4, "10:00"), ("other-cause-first", GRADE), says="no fever: not CRS"),)),
    Story("13f", "Hypoxia, 100.4 °F", 40, """
        D0 08:00  weight 70
        D0 10:00  car-t tisagenlecleucel
        D4 09:30  T 100.4 degF | SBP 118 | SpO2 88 | device RA
        """, (Scene("13f", (4, "10:00"), ("toci-guideline", GRADE), says="grade 2"),)),
    Story("14", "A child of 8 years, SBP 85", 8, """
        D0 08:00  il6 4 | weight 25
        D0 10:00  car-t tisagenlecleucel
        D4 06:00  T 39.0
        D4 07:00  il6 22
        D4 09:30  T 39.0 | SBP 85 | SpO2 96 | device RA
        """, (Scene("14", (4, "10:00"), ("toci-recommended", GRADE), says="300 mg"),)),
    Story("14n", "A child of 8 years, SBP 86", 8, """
        D0 08:00  il6 4 | weight 25
        D0 10:00  car-t tisagenlecleucel
        D4 06:00  T 39.0
        D4 07:00  il6 22
        D4 09:30  T 39.0 | SBP 86 | SpO2 96 | device RA
        """, (Scene("14n", (4, "10:00"), ("grade1-supportive", GRADE), says="grade 1"),)),
    Story("15", "Brexu-cel, fever 40 h after the infusion", 61, """
        D0 08:00  il6 6 | weight 70
        D0 10:00  car-t brexucabtagene autoleucel
        D2 01:30  T 38.7 | SBP 118 | SpO2 97 | device RA
        """, (
        Scene("15", (2, "02:00"), ("grade1-supportive", GRADE),
              says="when CRS begins within 72 h"),
    )),
    Story("16", "Rheumatoid arthritis, no CAR-T cells", 60, """
        D0 08:00  il6 12 | crp 40 | weight 70
        D4 09:30  T 36.8 | SBP 118 | SpO2 97 | device RA
        """, (Scene("16", (4, "10:00"), (), 560),)),
)  # fmt: skip

SCENES: tuple[tuple[Story, Scene], ...] = tuple((story, scene) for story in STORIES for scene in story.scenes)


def record(story: Story, scene: Scene, as_of: datetime, zone: tzinfo) -> list[Resource]:
    """The patient's resources up to the moment of a scene, moved so that the scene is at `as_of`.

    What came after day 0 keeps its distance from the call, because the cards rest on hours. Day 0 keeps its clock
    (infusion at 10:00, baseline at 08:00), because the baseline must lie on the date of the infusion in the service's
    zone. So the cards are the same at every hour of the day.
    """
    return _record(story, scene, as_of, zone, until=as_of)


def whole_record(story: Story, scene: Scene, as_of: datetime, zone: tzinfo) -> list[Resource]:
    """The same with what the story holds after the scene, as the chart stands when all is over."""
    return _record(story, scene, as_of, zone, until=datetime.max.replace(tzinfo=UTC))


def _record(story: Story, scene: Scene, as_of: datetime, zone: tzinfo, until: datetime) -> list[Resource]:
    day, clock = scene.call
    call, now = _naive_day(day, clock), as_of.astimezone(UTC)
    day0 = as_of.astimezone(zone).date() - timedelta(days=day)

    def at(entry_day: int, entry_clock: str) -> datetime:
        if entry_day <= 0:
            return datetime.combine(day0 + timedelta(days=entry_day), time.fromisoformat(entry_clock), zone)
        return (now - (call - _naive_day(entry_day, entry_clock))).astimezone(zone)

    charted = [e for e in entries(story.chart, at) if e.at <= until]
    patient: Resource = {
        "resourceType": "Patient",
        "id": scene.patient_id,
        "name": [{"family": "Example", "given": [f"Story {scene.id}"]}],
        "birthDate": _birth_date(story.age, as_of),
    }
    if scene.deceased:
        patient["deceasedBoolean"] = True
    return [patient, *resources(charted, scene.patient_id)]


def told_at(scene: Scene, zone: tzinfo) -> datetime:
    """The moment of a scene by the calendar of its story, in a zone."""
    return _naive_day(*scene.call).replace(tzinfo=zone)


def _naive_day(day: int, clock: str) -> datetime:
    hours, minutes = (int(part) for part in clock.split(":"))
    return datetime(2026, 3, 2, hours, minutes, tzinfo=UTC) + timedelta(days=day)


def _birth_date(age: int, as_of: datetime) -> str:
    return date(as_of.year - age, 1, 1).isoformat()


def drafted_tocilizumab(patient_id: str, mg: int, authored: datetime) -> Resource:
    """The draft that an EHR holds while a user orders tocilizumab."""
    quantity = {"value": mg, "unit": "mg", "system": UCUM, "code": "mg"}
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-tocilizumab",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": authored.isoformat(),
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": "612865", "display": "tocilizumab"}],
            "text": f"tocilizumab {mg} mg IV",
        },
        "dosageInstruction": [
            {
                "route": {"coding": [{"system": SNOMED, "code": "47625008", "display": "Intravenous route"}]},
                "doseAndRate": [{"doseQuantity": quantity}],
            }
        ],
    }


def drafted_ondansetron(patient_id: str, authored: datetime) -> Resource:
    """A draft that has nothing to do with CRS."""
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-ondansetron",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": authored.isoformat(),
        "medicationCodeableConcept": {"text": "ondansetron"},
    }


def hook_body(scene: Scene, as_of: datetime, hook: str | None = None, **more: Any) -> dict[str, Any]:
    """The body of the call that an EHR sends in a scene, on the scene's own hook or another; `more` is added to it."""
    hook = hook or scene.hook
    context: dict[str, Any] = {"patientId": scene.patient_id, "userId": "Practitioner/example"}
    if hook == "encounter-start":
        context["encounterId"] = "example"
    if hook in ORDER_HOOKS:
        mg, id_ = scene.toci_mg, scene.patient_id
        draft = drafted_tocilizumab(id_, mg, as_of) if mg else drafted_ondansetron(id_, as_of)
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{draft['id']}"]
    return {"hook": hook, "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10", "context": context, **more}
