"""The page of a course: what it draws against what is charted and what the hooks say, and what it says when it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_server.course_page.reasons import earlier
from cds_server.course_page.routes import FhirAccess, course_response
from cds_server.running import running
from cds_server.site_rules import site_rules
from cds_server.storage.database import DecisionRow
from example_patients.stories.stories import Scene, Story, record
from tests.support.by_search import wire
from tests.support.desk import DAY_0, SCENES, ZONE, Desk, assessment, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE, Answer, Resource, outcome
from tests.support.tables import NOW, changed, facts_of, name_of, patient, rows

WITH_COURSE = [(story, scene) for story, scene in SCENES if story.id != "16" and not scene.deceased]


def no_fault(_: str) -> Answer | None:
    return None


def course(
    chart: list[Resource], now: datetime, patient_id: str = "p", fault: Callable[[str], Answer | None] = no_fault
) -> TestResponse:
    with wire(chart, fault):
        return Desk(now=now).client.get(f"/demo/course/{patient_id}")


def page_of(scene_id: str, fault: Callable[[str], Answer | None] = no_fault) -> TestResponse:
    _, scene = scene_of(scene_id)
    return course(chart_of(scene_id), moment_of(scene), scene.patient_id, fault)


def drawn(answer: TestResponse) -> Any:
    """What the browser draws."""
    assert answer.status_code == 200
    found = re.search(r'<script type="application/json" id="course-data">(.*?)</script>', answer.text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def lanes_of(answer: TestResponse) -> dict[str, Any]:
    """The lanes of signs by their key, those of laboratory values by their name."""
    found = drawn(answer)
    return {**found["lanes"], **{lane["name"]: lane for lane in found["labs"]}}


def said(answer: TestResponse) -> str:
    """The words of the page without its data, on one line."""
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def local(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, ZONE)
    return f"D{(at.date() - DAY_0.date()).days} {at:%H:%M}"


@pytest.mark.parametrize(("story", "scene"), WITH_COURSE, ids=[scene.id for _, scene in WITH_COURSE])
def test_the_band_ends_with_what_the_hooks_say_now(story: Story, scene: Scene) -> None:
    desk = Desk(now=moment_of(scene))
    chart = record(story, scene, desk.now, ZONE)
    hooks = assessment(desk.call(scene.id, prefetch=whole_prefetch(chart)))
    last = drawn(course(chart, desk.now, scene.patient_id))["grades"][-1]
    assert (last["grade"], last["minimum"]) == (hooks.get("crsGrade"), hooks.get("crsGradeIsMinimum", False))
    assert last["end"] == desk.now.timestamp() * 1000


BANDS = rows("""
| scene | grade by time                                                                      | because                           |
| 1d    | D0 10:00 ?; D5 06:00 ≥1; D5 09:30 2; D9 14:00 4                                    | grade 4 when the pressors began   |
| 3     | D0 10:00 ?; D4 06:00 ≥1; D4 09:30 2                                                | fever alone is a minimum          |
| 12    | D0 10:00 ?; D6 06:00 1; D6 18:00 ≥1; D7 06:00 ?; D8 09:30 0; D8 21:30 ?; D9 09:30 0 | unknown between what was charted |
| 13    | D0 10:00 ?; D4 09:30 0                                                             | hypoxia without fever is no CRS   |
""")


@pytest.mark.parametrize("row", BANDS, ids=name_of)
def test_the_grade_by_time(row: dict[str, str]) -> None:
    def shown(span: dict[str, Any]) -> str:
        return "?" if span["grade"] is None else f"{'≥' if span['minimum'] else ''}{span['grade']}"

    grades = drawn(page_of(row["scene"]))["grades"]
    assert "; ".join(f"{local(span['at'])} {shown(span)}" for span in grades) == row["grade by time"]


MARKS = rows("""
| scene | lane        | marks                                                                                         | limit |
| 1d    | IL-6        | D0 08:00 18.0 baseline; D5 07:00 31.0 counted; D7 06:00 47.7 peak; D9 06:00 5200.0 at or after the first IL-6 blocker: not counted | 72.0 |
| 1d    | CRP         | D0 08:00 22.0 baseline; D5 07:00 38.0 counted; D7 06:00 61.0 peak                             | 40.26 |
| 3     | temperature | D4 06:00 38.9; D4 09:30 38.9                                                                  | 38.0  |
| 3     | saturation  | D4 09:30 93.0                                                                                 | 90.0  |
| 3     | IL-6        | D0 08:00 7.5 baseline; D2 07:00 21.0 counted; D4 07:00 46.5 peak                              | 30.0  |
| 4     | IL-6        | D2 07:00 21.0 counted; D4 07:00 46.5 counted                                                  | None  |
| 14    | systolic    | D4 09:30 85.0                                                                                 | 86.0  |
| 13f   | temperature | D4 09:30 38.0                                                                                 | 38.0  |
""")


@pytest.mark.parametrize("row", MARKS, ids=lambda row: f"{row['scene']} {row['lane']}")
def test_the_marks_against_the_chart(row: dict[str, str]) -> None:
    lane = lanes_of(page_of(row["scene"]))[row["lane"]]
    marks = [f"{local(m['at'])} {m['value']} {m['use']}".strip() for m in lane["marks"]]
    assert ("; ".join(marks), str(lane["limit"])) == (row["marks"], row["limit"])


def test_each_mark_tells_value_unit_time_and_source_and_stands_in_the_table() -> None:
    answer = page_of("3")
    peak = lanes_of(answer)["IL-6"]["marks"][-1]
    assert peak["says"][:3] == ["IL-6: 46.5 pg/mL", "6 Mar 07:00", "peak"]
    assert re.fullmatch(r"Observation/crs-cds-example-3-\d+", peak["says"][3])
    for mark in [m for lane in lanes_of(answer).values() for m in lane["marks"]]:
        assert mark["says"][-1] in said(answer)
        assert mark["text"] in said(answer)


def test_doses_and_the_moment_after_which_il6_no_longer_counts() -> None:
    found = drawn(page_of("1d"))
    assert [(local(m["at"]), m["code"], m["text"], m["label"]) for m in found["drugs"]] == [
        ("D7 10:00", "dose", "tocilizumab 560 mg", "560 mg"), ("D9 10:00", "dose", "tocilizumab 560 mg", "560 mg"),
    ]  # fmt: skip
    until = {lane["name"]: lane["until"] for lane in found["labs"]}
    assert (local(until["IL-6"]), until["CRP"]) == ("D7 10:00", None)
    assert lanes_of(page_of("3"))["IL-6"]["until"] is None


DRUGS = rows("""
| chart                                                          | drugs                                              | because                                    |
| give dexamethasone 10 IV @-5h                                  | steroid dexamethasone 10 mg                        | a corticosteroid                           |
| give paracetamol 1000 @-5h                                     | antipyretic acetaminophen 1000 mg                  | an antipyretic                             |
| give anakinra 100 @-5h                                         | blocker anakinra 100 mg                            | another blocker                            |
| give dexamethasone 10 IV @D-5                                  |                                                    | before day −1: not of this course          |
""")


@pytest.mark.parametrize("row", DRUGS, ids=name_of)
def test_other_drugs(row: dict[str, str]) -> None:
    found = drawn(course(patient(f"grade 1; {row['chart']}"), NOW))["drugs"]
    assert ", ".join(f"{m['code']} {m['label']}" for m in found) == row["drugs"]


SUPPORT = rows("""
| chart                                                                  | oxygen                                   | pressors                                                                | because                                    |
| device NC @-3h; flow 2 @-3h; device HFNC @-2h                          | now: nasal cannula 2 L/min; now: high-flow cannula or mask |                                                       | one device after the other                 |
| device HFNC @-14h                                                      | now: high-flow cannula or mask; stale: high-flow cannula or mask, charted long ago |                               | past its window, and nothing charted since |
| device RA @-3h; SpO2 97 @-3h; SpO2 86 @-2h                             | now: no oxygen; now: SpO2 86 % without oxygen, 1 of 2 readings low |                                               | hypoxia on room air                        |
| device RA @-3h; SpO2 97 @-3h; start norepinephrine 0.1 @-2h            | now: no oxygen                           | now: norepinephrine                                                     | running                                    |
| device RA @-8h; SpO2 97 @-8h; rate norepinephrine 0.1 @-7h             | now: no oxygen                           | now: norepinephrine; stale: norepinephrine, last charted 6 Mar 05:00    | charted 7 h ago and not stopped            |
| device RA @-8h; SpO2 97 @-8h; rate norepinephrine 0.1 @-7h; rate norepinephrine 0 @-6h | now: no oxygen           | now: norepinephrine                                                     | stopped                                    |
""")


@pytest.mark.parametrize("row", SUPPORT, ids=name_of)
def test_oxygen_and_vasopressors_as_the_rules_read_them(row: dict[str, str]) -> None:
    found = drawn(course(patient(f"T 39 @-9h; T 39 @-1h; SBP 118 @-9h; SBP 118 @-1h; {row['chart']}"), NOW))
    for lane in ("oxygen", "pressors"):
        known = [m for m in found[lane] if m["code"] != "unknown"]
        assert "; ".join(f"{m['code']}: {m['label']}" for m in known) == row[lane]


CENSORED = rows("""
| baseline | limit | because                                            |
| 10       | 40.0  | four times the baseline                            |
| <1.5     | None  | below a limit: four times it is not known          |
| 0        | None  | four times nothing is no line                      |
""")


@pytest.mark.parametrize("row", CENSORED, ids=name_of)
def test_the_line_of_the_limit(row: dict[str, str]) -> None:
    lane = lanes_of(course(patient(f"il6 {row['baseline']} @D0 08:00; il6 30 @-2h; grade 1"), NOW))["IL-6"]
    assert str(lane["limit"]) == row["limit"]


ABSENT = rows("""
| chart                                                                         | says                                                    | because                     |
| il6 10 @D0 08:00; il6 30 @-2h; crp 5 @-2h; SBP 118 @-1h; SpO2 97 @-1h         | Nothing was found of: temperature.                      | nobody measured it          |
| grade 1                                                                       | Nothing was found of: IL-6, CRP.                        | an absent lane is no normal one |
| grade 1; crp 5 @-2h; il6 10 @D0 08:00; il6 30 [arb'U]/mL @-2h                 | IL-6: 1 in another unit than pg/mL, in the table only.  | another unit has no place   |
""")


@pytest.mark.parametrize("row", ABSENT, ids=name_of)
def test_what_is_not_in_the_picture_is_said(row: dict[str, str]) -> None:
    assert row["says"] in said(course(patient(row["chart"]), NOW))


def test_a_site_s_own_limit_is_the_one_drawn(tmp_path: Any) -> None:
    own = tmp_path / "site.toml"
    own.write_text('[thresholds]\nil6_fold = 5\nfever = "38.3 Cel"\n')
    with wire(chart_of("3")):
        desk = Desk(now=moment_of(scene_of("3")[1]), environ={"CRS_CDS_THRESHOLDS": str(own)})
        lanes = lanes_of(desk.client.get("/demo/course/crs-cds-example-3"))
    assert (lanes["IL-6"]["limitWords"], lanes["temperature"]["limit"]) == ("5 × baseline = 37.5 pg/mL", 38.3)


def test_the_cards_stand_beside_it_in_their_own_words() -> None:
    answer = page_of("1b")
    text = said(answer)
    for words in (
        "One retrospective study of one centre in B-ALL",
        "→ steroid-early-low-il6 (warning)",
        "Unconfirmed numbers in force",
    ):
        assert words in text
    assert answer.text.count('<article class="card') == 2


SAYS = rows("""
| fault                    | status | says                                                         | because                                    |
| all 500                  | 412    | could not be read                                            | a server that fails is no empty picture    |
| vital signs 500          | 200    | vital signs:                                                 | what was read is shown, what was not is said |
| labs 403                 | 200    | IL-6 and CRP:                                                | the rise is unknown, and why               |
| another patient          | 412    | sent data of another patient                                 | never the page of another                  |
""")
FAULTS: dict[str, Callable[[str], Answer | None]] = {
    "all 500": lambda _: outcome(500, "down"),
    "vital signs 500": lambda url: outcome(500, "down") if "8310-5" in url else None,
    "labs 403": lambda url: outcome(403, "no") if "26881-3" in url else None,
    "another patient": lambda url: (
        (200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OTHER}]}))
        if "26881-3" in url
        else None
    ),
}
OTHER: Resource = {
    "resourceType": "Observation",
    "id": "x",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/other"},
}


@pytest.mark.parametrize("row", SAYS, ids=name_of)
def test_what_cannot_be_read_is_said_on_the_page(row: dict[str, str]) -> None:
    answer = page_of("3", FAULTS[row["fault"]])
    assert (str(answer.status_code), answer.mimetype) == (row["status"], "text/html")
    assert row["says"] in said(answer)
    assert ("course-data" in answer.text) is (row["status"] == "200")
    assert "no-store" in answer.headers["Cache-Control"]


def test_signs_that_fail_leave_a_grade_unknown_through_all_the_course() -> None:
    grades = drawn(page_of("3", FAULTS["vital signs 500"]))["grades"]
    assert [(span["grade"], span["ifCrs"]) for span in grades] == [(None, "")], "not even a 0 if this is CRS"


NOT_GRADED = rows("""
| chart                                                               | if CRS           | because                                     |
| T 38.6 @-60h; SBP 84 @-1h; T 37 @-1h; SpO2 97 @-1h; device RA @-1h  | grade 2          | what is charted would be 2                  |
| SBP 84 @-1h; T 37 @-30h; T 39 @-50h                                 | at least grade 2 | oxygen is not known                         |
| T 39 @-50h                                                          |                  | nothing else was charted: no number to read |
""")


@pytest.mark.parametrize("row", NOT_GRADED, ids=name_of)
def test_what_it_would_be_if_this_is_crs(row: dict[str, str]) -> None:
    last = drawn(course(patient(row["chart"]), NOW))["grades"][-1]
    assert (last["grade"], last["ifCrs"]) == (None, row["if CRS"])
    assert (last["gradeIfCrs"] == 0) == (last["ifCrs"] == "")


NO_COURSE = rows("""
| scene      | says                                        | because                  |
| 16         | No infusion of CAR-T cells was found        | no course                |
| 2-deceased | The patient has died                        | nothing is graded        |
""")


@pytest.mark.parametrize("row", NO_COURSE, ids=name_of)
def test_without_a_course_the_page_says_so(row: dict[str, str]) -> None:
    answer = page_of(row["scene"])
    assert row["says"] in said(answer)
    assert "course-data" not in answer.text


def test_a_course_that_ended_is_said() -> None:
    answer = course(patient("grade 1"), NOW + timedelta(days=70))
    assert "the course has ended" in said(answer)


HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}"


def test_a_hostile_name_text_or_id_stays_text() -> None:
    chart = patient("il6 10 @D0 08:00; il6 30 @-2h; grade 2")
    hostile = [
        changed(r, name=[{"family": HOSTILE}]) if r["resourceType"] == "Patient"
        else changed(r, valueQuantity=None, valueString=f"30 {HOSTILE}") if r.get("valueQuantity", {}).get("value") == 30
        else r
        for r in chart
    ]  # fmt: skip
    hostile = [{k: v for k, v in r.items() if v is not None} for r in hostile]
    answer = course(hostile, NOW)
    assert "<img" not in answer.text
    assert "{{7*7}}" in answer.text
    assert lanes_of(answer)["IL-6"]["marks"]


REFUSED = rows("""
| address                     | environment | because                                   |
| /demo/course/..             | development | an id that is no id                       |
| /demo/course/a%20b          | development | nor this                                  |
| /demo/course/p              | production  | only where nobody's data is at stake      |
""")


@pytest.mark.parametrize("row", REFUSED, ids=name_of)
def test_no_page_there(row: dict[str, str], tmp_path: Any) -> None:
    production = {
        "CRS_CDS_ENV": "production", "CRS_CDS_PUBLIC_URL": "https://cds.example.org", "CRS_CDS_PSEUDONYM_KEY": "k" * 40,
        "CRS_CDS_CLIENTS": str(tmp_path / "clients.toml"), "CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path}/log.sqlite",
    }  # fmt: skip
    (tmp_path / "clients.toml").write_text(
        '[[client]]\nissuer = "https://ehr.example.org"\njwks_url = "https://ehr.example.org/jwks"\nfhir_servers = ["https://fhir.example.org/r4"]\n'
    )
    desk = Desk(now=NOW, environ=production if row["environment"] == "production" else {})
    assert desk.client.get(row["address"]).status_code == 404


def decided(rules: list[str], rules_hash: str) -> DecisionRow:
    known = {
        "crsGrade": 2,
        "crsGradeIsMinimum": True,
        "il6": {"category": "high", "foldChange": 6.2},
        "tocilizumabDoses": 0,
        "day": 4,
    }
    return DecisionRow(id="d", at=moment_of(scene_of("3")[1]), rules=rules, assessment=known, rules_hash=rules_hash)


@pytest.mark.parametrize("changed_since", [False, True])
def test_the_reasons_of_a_decision_stand_beside_those_of_now(*, changed_since: bool) -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene))
    with wire(chart_of("3")), desk.client.application.test_request_context():
        here = running()
        decision = decided(["M04", "C01", "Z99"], "other" if changed_since else here.sources.rules.hash)
        answer = course_response(here, scene.patient_id, FhirAccess(BASE), here.call_time(), decision)
    text = re.sub(r"<[^>]+>|\s+", " ", answer.get_data(as_text=True))
    for words in (
        "When the card was shown, 6 Mar 10:00",
        "CRS: at least grade 2",
        "IL-6 rise: above the limit, 6.2×",
        "M04",
        "Z99 a row that there is no more",
    ):
        assert words in re.sub(r"\s+", " ", text)
    assert ("have changed since" in text) is changed_since


TILES = rows("""
| chart                                                                        | tile              | says                                              | because                                  |
| T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h                        | CRS now           | No fever: not CRS, but hypotension without fever  | a 0 in shock is no all-clear             |
| grade 0; T 39 @-60h; give dexamethasone 10 IV @-58h                          | CRS now           | Grade 0, fever may be suppressed                  | nor is one under a corticosteroid        |
| T 36.8 @-1h; SBP 84 @-1h; SpO2 97 @-1h; device RA @-1h; give dexamethasone 10 IV @-20h | CRS now | May be masked: grade 2 if this is CRS             | what it would be is said at a glance     |
| grade 0                                                                      | CRS now           | Grade 0                                           | nothing of CRS                           |
| crp 10 @D0 08:00; crp 15 @-30h; toci 560 @-24h; crp 90 @-2h; grade 2         | CRP rise          | Up after tocilizumab                              | not 1.50-fold                            |
| ice 5 @-2h; grade 1                                                          | ICANS             | Grade 2                                           | it outweighs a grade 1                   |
| grade 1                                                                      | ICANS             | Unknown                                           | never charted                            |
| toci 560 @D3; grade 2                                                        | Tocilizumab doses | 1 5 Mar, time not known                           | a date is no time of day                 |
| toci 560 @-20h; grade 2                                                      | Tocilizumab doses | 1 5 Mar 16:00                                     | a time is one                            |
""")


def tile(answer: TestResponse, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt>(.*?)</div>", answer.text, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])).strip()


@pytest.mark.parametrize("row", TILES, ids=name_of)
def test_what_is_read_at_a_glance(row: dict[str, str]) -> None:
    found = tile(course(patient(row["chart"]), NOW), row["tile"])
    assert found == row["says"] or found.startswith(f"{row['says']} ")
    assert not found.startswith(f"{row['says']} but")


def test_a_tocilizumab_that_may_have_been_given_is_no_dose_and_is_named() -> None:
    chart = [
        changed(r, status="unknown") if "medicationReference" in r else r for r in patient("toci 560 @-20h; grade 2")
    ]
    assert tile(course(chart, NOW), "Tocilizumab doses") == "0 not counted: tocilizumab 560 mg, 5 Mar 16:00"


def test_doses_that_could_not_be_read_are_not_none() -> None:
    def fault(url: str) -> Answer | None:
        return outcome(500, "down") if "MedicationAdministration" in url and "effective-time=lt" in url else None

    assert tile(course(patient("grade 1"), NOW, "p", fault), "Tocilizumab doses").startswith(
        "Unknown the administrations could not all be read"
    )


def test_a_dose_known_by_date_only_stands_where_il6_ceases_to_count() -> None:
    answer = course(patient("il6 10 @D0 08:00; toci 560 @D3; grade 2"), NOW)
    found = drawn(answer)
    assert (local(lanes_of(answer)["IL-6"]["until"]), local(found["drugs"][0]["at"])) == ("D3 00:00", "D3 00:00")
    assert "5 Mar" in found["drugs"][0]["says"]


def test_il6_that_a_blocker_before_the_infusion_makes_unusable_is_shaded_from_the_start() -> None:
    answer = course(patient("il6 10 @D0 08:00; il6 30 @-2h; toci 560 @D-10 10:00; grade 2"), NOW)
    assert lanes_of(answer)["IL-6"]["until"] == drawn(answer)["start"]


IL10 = "il10 12 @D0 08:00; il10 20 @D2 07:00; toci 560 @D3 12:00; il10 96 @D4 07:00"


def test_il10_has_a_lane_and_a_table_without_a_limit_and_counts_after_a_blocker_too() -> None:
    answer = course(patient(f"{IL10}; grade 2"), NOW)
    lane = lanes_of(answer)["IL-10"]
    assert [(local(m["at"]), m["value"], m["code"]) for m in lane["marks"]] == [
        ("D0 08:00", 12, "baseline"), ("D2 07:00", 20, "counted"), ("D4 07:00", 96, "peak"),
    ]  # fmt: skip
    assert (lane["unit"], lane["limit"], lane["until"], lane["isLog"]) == ("pg/mL", None, None, True)
    assert "IL-10 (3)" in said(answer)
    assert "IL-10 rise" not in said(answer)


def test_without_il10_there_is_no_lane_and_not_a_word_of_it() -> None:
    answer = course(patient("grade 2"), NOW)
    assert [lane["name"] for lane in drawn(answer)["labs"]] == ["IL-6", "CRP"]
    assert "Nothing was found of: IL-6, CRP." in said(answer)
    assert "IL-10" not in answer.text


MEANS = rows("""
| born       | limit | because                             |
| 1980-01-01 | 65.0  | the limit of an adult's mean        |
| 2018-01-01 | None  | a child's mean has none             |
""")


@pytest.mark.parametrize("row", MEANS, ids=name_of)
def test_a_mean_pressure_has_its_own_limit(row: dict[str, str]) -> None:
    lanes = drawn(course(patient("MAP 75 @-2h; grade 1", birth_date=row["born"]), NOW))["lanes"]
    assert str(lanes["mean"]["limit"]) == row["limit"]


def test_a_grade_0_is_drawn_apart_from_one_under_treatment() -> None:
    chart = "T 39 @-70h; SBP 118 @-60h; T 36.8 @-40h; SBP 118 @-40h; SpO2 97 @-40h; device RA @-40h; give dexamethasone 10 IV @-38h; grade 0; T 36.8 @-30h; SBP 118 @-30h; SpO2 97 @-30h; device RA @-30h"
    found = [span["short"] for span in drawn(course(patient(chart), NOW))["grades"]]
    assert "grade 0" in found
    assert "grade 0, fever may be suppressed" in found


def test_no_grade_is_drawn_for_the_instant_in_which_a_window_closes() -> None:
    chart = "T 39 @-25h; SBP 118 @-25h; SpO2 97 @-25h; device RA @-25h; toci 560 @-24h; grade 0"
    spans = drawn(course(patient(chart), NOW))["grades"]
    assert [span["short"] for span in spans[-2:]] == ["at least grade 1", "grade 0, fever may be suppressed"]
    assert all(span["end"] - span["at"] >= 60_000 for span in spans)


SITE_RULES = site_rules(None, None)
KNOWN_THEN = rows("""
| assessment                                                                      | says                                                       | because                                     |
| {"crsGrade": 2}                                                                 | CRS: grade 2                                               | graded                                      |
| {"provisionalGrade": 0}                                                         | CRS: no grade                                              | there is no CRS of grade 0                  |
| {"provisionalGrade": 3}                                                         | CRS: no grade; at least grade 3 if it was CRS              | more may not have been known                |
| {"il6": {"category": "low", "foldChange": 3.9996}}                              | IL-6 rise: below the limit, 3.999×                                 | not rounded to the limit it did not reach   |
| {"crp": {"category": "low", "foldChange": 1.83}}                                | CRP rise: below the limit, 1.83×                                   | the limit itself                            |
| {"il6": {"category": "high", "foldRange": {"low": 33.3}}}                       | IL-6 rise: above the limit, ≥33×                       | of a result below a limit                   |
| {"crp": {"category": "high", "foldChange": 1.5}}                                | CRP rise: above the limit                                  | high by a rise after tocilizumab            |
| {"il6": {"category": "unknown", "reason": "zero_baseline"}}                     | IL-6 rise: unknown, the baseline is zero                   | why it was not known                        |
| {"tocilizumabDoses": 0, "flags": ["history_incomplete"]}                        | tocilizumab doses: at least 0                              | not all could be read then                  |
| {"icansGrade": 2}                                                               | ICANS: grade 2                                             | cards rest on it                            |
""")


@pytest.mark.parametrize("row", KNOWN_THEN, ids=name_of)
def test_what_was_known_when_the_card_was_shown(row: dict[str, str]) -> None:
    decision = DecisionRow(
        id="d", at=NOW, rules=[], assessment=json.loads(row["assessment"]), rules_hash=SITE_RULES.hash
    )
    assert earlier(decision, facts_of(patient("grade 1")), SITE_RULES).known == (row["says"],)


def test_a_page_is_one_of_the_calls_at_once() -> None:
    desk = Desk(now=NOW)
    with desk.client.application.app_context():
        here = running()
    for _ in range(here.settings.max_calls):
        here.places.free.acquire()
    answer = desk.client.get("/demo/course/p")
    assert (answer.status_code, "Too many calls at once" in said(answer)) == (503, True)


def test_an_earlier_value_that_is_not_valid_is_named_among_what_was_set_aside() -> None:
    chart = patient("grade 0; T 39 @-60h; SBP 118 @-60h; SpO2 97 @-60h; device RA @-60h")
    broken = [
        changed(r, note="no list") if r.get("effectiveDateTime", "").startswith("2026-03-04") else r for r in chart
    ]
    assert "not valid FHIR at note" in said(course(broken, NOW))
    assert "not valid FHIR" not in said(course(chart, NOW))


@pytest.mark.parametrize("fault", [no_fault, FAULTS["all 500"]], ids=["shown", "not read"])
def test_no_name_id_or_value_is_in_a_log_line_or_metric(
    fault: Callable[[str], Answer | None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    # an IL-6 of 46.5 with more digits, which no clock or counter shows by chance
    found = json.loads(json.dumps(chart_of("3")).replace('"value": 46.5', '"value": 46.503197'))
    chart = [changed(r, name=[{"family": "Plantedname"}]) if r["resourceType"] == "Patient" else r for r in found]
    with wire(chart, fault):
        desk = Desk(now=moment_of(scene_of("3")[1]))
        page = desk.client.get("/demo/course/crs-cds-example-3").text
    assert ("46.5" in page) is (fault is no_fault), "it is read where it can be"
    logged = " ".join(str(line.__dict__) for line in caplog.records if line.name.startswith("cds_server"))
    out = logged + desk.client.get("/metrics").text
    assert logged
    for planted in ("Plantedname", "crs-cds-example-3", "46.503"):
        assert planted not in out
