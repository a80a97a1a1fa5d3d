"""`crs-cds evaluate`: an export becomes rows; what stands in the way is named, and a run that was stopped goes on."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.engine import bucket_folders, processes
from cds_server.evaluation.evaluate import Progress, Wanted, evaluate
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import Group, Known
from cds_server.evaluation.rows.moments import EventKind, MomentKind, Preceded
from cds_server.evaluation.workplace import SALT_BYTES, Workplace
from tests.support.desk import EXAMPLE_VALUE_SETS, ZONE
from tests.support.evaluations import EXPORTED, RULES, SILENT, chart, evaluated, export
from tests.support.program import SITE, crs_cds
from tests.support.tables import name_of, rows

COHORT = rows("""
| scene | crs     | onset            | max | severe  | il6  | doses | first dose       | because                                    |
| 1a    | yes     | 2026-03-07 06:00 | 4   | yes     | low  | 2     | 2026-03-09 10:00 | Patient A: two doses, then grade 4          |
| 2     | yes     | 2026-03-09 06:00 | 2   | no      | low  | 2     | 2026-03-10 10:00 | Patient B: grade 2 throughout               |
| 3     | yes     | 2026-03-06 06:00 | 2   | unknown | high | 0     |                  | a high rise, and the chart ends with it     |
| 13    | unknown |                  |     |         | unknown | 0  |                  | one temperature in two weeks says nothing   |
""")


@pytest.mark.parametrize("row", COHORT, ids=name_of)
def test_a_course_in_hindsight(row: dict[str, str], tmp_path: Path) -> None:
    found = evaluated(export(tmp_path / "export", chart(row["scene"], "a")), tmp_path / "work")
    (course,) = found.courses

    def clock(at: datetime | None) -> str:
        return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if at is not None else ""

    assert (course.crs, clock(course.onset), course.il6_group) == (Known(row["crs"]), row["onset"], Group(row["il6"]))
    assert (course.tocilizumab_doses, clock(course.first_tocilizumab)) == (int(row["doses"]), row["first dose"])
    if row["max"]:
        assert (course.max_grade, course.severe) == (int(row["max"]), Known(row["severe"]))


# Patient A: infused on 2 March 2026
ICU = rows("""
| date       | events | says                       | because                    |
| 2026-03-09 | 1      |                            | a day of the course        |
| 2026-03-02 | 1      |                            | day 0, as a date alone     |
| 2026-03-01 | 0      | date lies before the course | the day before            |
""")


@pytest.mark.parametrize("row", ICU, ids=name_of)
def test_a_move_to_intensive_care_counts_in_its_course_alone(row: dict[str, str], tmp_path: Path) -> None:
    outcomes = tmp_path / "outcomes.csv"
    lines = [f"a,icu,{row['date']},,1", *["a,x-high-risk,,,1"] * 20]
    outcomes.write_text("\n".join(["patient,event,date,value,course", *lines]), encoding="utf-8")
    found = evaluated(export(tmp_path / "export", chart("1a", "a")), tmp_path / "work", outcomes=outcomes)
    assert sum(event.event is EventKind.ICU for event in found.events) == int(row["events"])
    assert [one.why for one in found.unread if one.what == "outcomes"] == ([row["says"]] if row["says"] else [])


def test_the_lead_of_a_card_is_from_its_first_showing_to_the_dose(tmp_path: Path) -> None:
    found = evaluated(export(tmp_path / "export", chart("1a", "a")), tmp_path / "work")
    doses = [row for row in found.events if row.event is EventKind.TOCILIZUMAB]
    assert [(row.preceded, row.card, str(row.lead_hours)) for row in doses] == [
        (Preceded.BEFORE, "toci-guideline", "26.00"),  # first at 08:00 of the day before, while no sample was fresh
        (Preceded.BEFORE, "steroid-early-low-il6", "50.00"),
    ]
    assert {row.kind for row in found.moments} == {MomentKind.CHART, MomentKind.RESULT, MomentKind.GRADE}


def test_a_result_makes_a_moment_when_it_is_known_and_not_when_it_was_drawn(tmp_path: Path) -> None:
    resources = chart("3", "a")
    (late,) = [r for r in resources if r.get("valueQuantity", {}).get("value") == 46.5]
    late["issued"] = (datetime.fromisoformat(late["effectiveDateTime"]) + timedelta(hours=5)).isoformat()
    found = evaluated(export(tmp_path / "export", resources), tmp_path / "work")
    known = [row.at for row in found.moments if row.kind is MomentKind.RESULT]
    assert datetime(2026, 3, 6, 12, 0, tzinfo=ZONE) in known
    first_high = min(row.at for row in found.moments if row.il6 == "high")
    assert first_high == datetime(2026, 3, 6, 12, 0, tzinfo=ZONE)


def test_the_same_patients_give_the_same_rows_however_they_are_written(tmp_path: Path) -> None:
    resources = [*chart("1a", "a"), *chart("7", "b")]
    lines = export(tmp_path / "lines", resources)
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    for number, part in enumerate((resources[:9], resources[9:])):
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in part]}
        (bundles / f"{number}.json.gz").write_bytes(gzip.compress(json.dumps(bundle, indent=1).encode()))
    (bundles / "manifest.json").write_text(json.dumps(EXPORTED), encoding="utf-8")
    one, other = evaluated(lines, tmp_path / "work"), evaluated(bundles, tmp_path / "work")
    assert (one.courses, one.markers) == (other.courses, other.markers)


BROKEN = rows("""
| file                                                                                                           | what             | why                        | because                       |
| {"resourceType":"Observation",                                                                                 | broken.ndjson    | is not JSON                | a bad line costs that line    |
| {"resourceType":"Observation","id":"x","status":"final","code":{"text":"T"}}                                   | Observation      | names no patient           | of nobody                     |
| {"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"MedicationAdministration timed out"}]} | medication administrations | not every MedicationAdministration | an error names what is missing |
| {"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"Medication timed out"}]}        | medication administrations | not every Medication could     | who names a drug by reference is in part too |
| {"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"timed out"}]}                   | vital signs      | not every Observation      | an error that names nothing is of all |
""")


@pytest.mark.parametrize("row", BROKEN, ids=name_of)
def test_what_an_export_lacks_is_named(row: dict[str, str], tmp_path: Path) -> None:
    found = evaluated(export(tmp_path / "export", chart("3", "a"), broken=row["file"]), tmp_path / "work")
    assert any(row["what"] in one.what and row["why"] in one.why for one in found.unread), found.unread
    assert len(found.courses) == 1


ERRORS = rows("""
| diagnostics                         | doses in part | signs in part | because                                       |
| Encounter: timed out                |               |               | a type of which nothing is read               |
| MedicationStatement: timed out      |               |               | no Medication either                          |
| Encounter, Observation: timed out   |               | yes           | two types, one of them ours                   |
| the list of patients is incomplete  | yes           | yes           | words of a sentence are no types              |
""")


@pytest.mark.parametrize("row", ERRORS, ids=name_of)
def test_an_error_of_the_export_touches_the_types_that_it_names(row: dict[str, str], tmp_path: Path) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": row["diagnostics"]}]}
    found = evaluated(export(tmp_path / "export", chart("3", "a"), errors=json.dumps(outcome)), tmp_path / "work")
    said = {one.what for one in found.unread}
    assert ("medication administrations" in said) is bool(row["doses in part"])
    assert ("vital signs" in said) is bool(row["signs in part"])


GIVEN = rows("""
| drug                | at                        | tocilizumab | steroids | because                                          |
| paracetamol         | 2026-03-08T10:00:00+08:00 | no          | no       | another drug                                     |
| tocilizumab         | 2026-03-08T10:00:00+08:00 | yes         | no       | a dose                                           |
| tocilizumab         |                           | unknown     | unknown  | an administration without a time                 |
| Medication/missing  | 2026-03-08T10:00:00+08:00 | unknown     | unknown  | a drug that the export does not hold             |
| Medication/missing  | 2026-02-20T10:00:00+08:00 | no          | no       | such a drug before the infusion                  |
""")


@pytest.mark.parametrize("row", GIVEN, ids=name_of)
def test_none_was_given_only_where_no_administration_may_have_been_it(row: dict[str, str], tmp_path: Path) -> None:
    drug = {"medicationReference": {"reference": row["drug"]}} if "/" in row["drug"] else {
        "medicationCodeableConcept": {"text": row["drug"]}
    }  # fmt: skip
    given = {"resourceType": "MedicationAdministration", "id": "g", "status": "completed",
             "subject": {"reference": "Patient/a"}, "dosage": {"text": "IV"}, **drug}  # fmt: skip
    given |= {"effectiveDateTime": row["at"]} if row["at"] else {}
    (course,) = evaluated(export(tmp_path / "export", [*chart("3", "a"), given]), tmp_path / "work").courses
    found = {True: "yes", False: "no", None: "unknown"}
    assert (found[course.tocilizumab], found[course.steroids]) == (row["tocilizumab"], row["steroids"])


def test_an_error_that_names_administrations_says_nothing_of_orders(tmp_path: Path) -> None:
    order = {"resourceType": "MedicationRequest", "id": "o", "status": "completed", "intent": "order",
             "subject": {"reference": "Patient/a"}, "authoredOn": "2026-03-01T10:00:00+08:00",
             "medicationCodeableConcept": {"text": "allopurinol"}}  # fmt: skip
    error = json.loads(BROKEN[2]["file"])
    found = evaluated(
        export(tmp_path / "export", [*chart("3", "a"), order], error=json.dumps(error)), tmp_path / "work"
    )
    assert "active medication orders" not in {one.what for one in found.unread}


ENDS = rows("""
| times                                                        | end                       | because                                   |
| 2026-04-01T10:00:00+08:00                                    | 2026-04-01T02:00:00+00:00 | the last time in it                       |
| 2026-04-01T23:00:00+08:00 2026-04-01T20:00:00Z               | 2026-04-01T20:00:00+00:00 | the later one, though written as earlier  |
| 2026-04-01T10:00:00.250Z                                     | 2026-04-01T10:00:00.250000+00:00 | with fractions of a second          |
| 2026-04-01T10:00:00+08:00 2026-04-02                         | 2026-04-02T23:59:59.999999+00:00 | a date alone                        |
| 2026-04-01T10:00:00+08:00 2099-01-01T00:00:00Z               | 2026-04-01T02:00:00+00:00 | what lies ahead is no end                 |
| 2026-04-01T10:00:00+08:00 soon                               | 2026-04-01T02:00:00+00:00 | what is no time is no end                 |
""")


@pytest.mark.parametrize("row", ENDS, ids=name_of)
def test_the_end_of_an_export_without_a_manifest_is_the_last_time_in_it(row: dict[str, str], tmp_path: Path) -> None:
    orders = [{"resourceType": "ServiceRequest", "id": f"o{n}", "subject": {"reference": "Patient/a"}, "authoredOn": at}
              for n, at in enumerate(row["times"].split())]  # fmt: skip
    folder = export(tmp_path / "export", [*chart("3", "a"), *orders])
    (folder / "manifest.json").unlink()
    end = evaluated(folder, tmp_path / "work").run.exported_at
    assert end is not None
    assert end.astimezone(UTC).isoformat() == row["end"]


def test_a_dose_may_be_the_last_time_of_an_export(tmp_path: Path) -> None:
    """Administrations have a period, where other resources have a time."""
    resources = chart("1a", "a")
    (dose, *_) = [r for r in resources if r["resourceType"] == "MedicationAdministration" and "effectivePeriod" in r]
    dose["effectivePeriod"] = {"start": "2026-05-01T10:00:00+08:00"}
    folder = export(tmp_path / "export", resources)
    (folder / "manifest.json").unlink()
    assert evaluated(folder, tmp_path / "work").run.exported_at == datetime(2026, 5, 1, 10, tzinfo=ZONE)


def test_nothing_is_said_of_a_type_that_is_absent(tmp_path: Path) -> None:
    procedure = {"resourceType": "Procedure", "id": "i", "status": "completed", "subject": {"reference": "Patient/a"},
                 "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "38228"}]},
                 "performedDateTime": "2026-03-02T10:00:00+08:00"}  # fmt: skip
    resources = [r for r in chart("3", "a") if r["resourceType"] != "MedicationAdministration"]
    found = evaluated(export(tmp_path / "export", [*resources, procedure]), tmp_path / "work")
    (course,) = found.courses
    assert (course.tocilizumab, course.steroids, course.treatment_reached) == (None, None, False)
    assert any("no MedicationAdministration" in one.why for one in found.unread)


def test_what_an_export_takes_back_is_gone(tmp_path: Path) -> None:
    resources = chart("1a", "a")
    dose = next(r for r in resources if r["resourceType"] == "MedicationAdministration" and "medicationReference" in r)
    gone = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": f"MedicationAdministration/{dose['id']}"}},
    ]}  # fmt: skip
    found = evaluated(export(tmp_path / "export", resources, deleted=json.dumps(gone)), tmp_path / "work")
    assert found.courses[0].tocilizumab_doses == 1


NOW = {"resourceType": "Patient", "id": "new", "birthDate": "1980-01-01"}
BEFORE = {"resourceType": "Patient", "id": "old", "active": False}
MERGED = {
    "the new Patient says it": [NOW | {"link": [{"type": "replaces", "other": {"reference": "Patient/old"}}]}],
    "both are there": [NOW | {"link": [{"type": "replaces", "other": {"reference": "Patient/old"}}]}, BEFORE],
    "the old Patient says it": [NOW, BEFORE | {"link": [{"type": "replaced-by", "other": {"reference": "Patient/new"}}]}],
}  # fmt: skip


@pytest.mark.parametrize("said", MERGED)
def test_a_merged_patient_is_one(said: str, tmp_path: Path) -> None:
    resources = [r for r in chart("1a", "old") if r["resourceType"] != "Patient"]
    found = evaluated(export(tmp_path / "export", [*MERGED[said], *resources]), tmp_path / "work")
    assert [course.age_years for course in found.courses] == [46]
    assert {row.step: row.patients for row in found.flow}["in the export"] == 1


def test_an_old_id_stays_where_the_one_that_took_its_place_is_not_in_the_export(tmp_path: Path) -> None:
    found = [r for r in chart("1a", "old") if r["resourceType"] != "Patient"]
    who = BEFORE | {"birthDate": "1980-01-01", "link": MERGED["the old Patient says it"][1]["link"]}
    assert [c.age_years for c in evaluated(export(tmp_path / "export", [who, *found]), tmp_path / "work").courses] == [
        46
    ]


def test_one_drug_for_all_reaches_every_patient_that_points_at_it(tmp_path: Path) -> None:
    shared = {"resourceType": "Medication", "id": "toci", "code": {"text": "tocilizumab"}}
    resources = [*chart("7", "a"), *chart("7", "b")]
    for one in resources:
        if "medicationReference" in one:
            one["medicationReference"] = {"reference": "Medication/toci"}
    kept = [r for r in resources if r["resourceType"] != "Medication"]
    found = evaluated(export(tmp_path / "export", [*kept, shared]), tmp_path / "work")
    assert [course.tocilizumab_doses for course in found.courses] == [1, 1]


class _StoppedError(Exception):
    """The end of a run by its user."""


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", [one for name in "abcdef" for one in chart("7", name)])
    wanted = Wanted((folder,), Protocol(), (RULES,), (RulesFrom(None, EXAMPLE_VALUE_SETS),), ZONE, "Asia/Shanghai", "0")
    done: list[int] = []

    def stop_after_two(_: int, __: int, last: Any) -> None:
        done.extend([last.bucket] if last is not None else [])
        if len(done) == 2:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        evaluate(wanted, Workplace(tmp_path / "work"), processes(1), Progress(lambda _: None, stop_after_two))
    times = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "work" / "results").iterdir()}
    found = evaluate(wanted, Workplace(tmp_path / "work"), processes(1), SILENT)
    after = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "work" / "results").iterdir()}
    assert len(found.courses) == 6
    assert times.items() <= after.items()


def test_a_limit_takes_the_same_patients_each_time(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", [one for name in "abcd" for one in chart("3", name)])
    first = evaluated(folder, tmp_path / "work", limit=2)
    assert len(first.courses) == 2
    assert evaluated(folder, tmp_path / "work", limit=2).courses == first.courses


BAD = rows("""
| arguments                        | says                                   | because                      |
| nowhere --out out                | there is no such file                  | no such folder               |
| empty --out out                  | no FHIR resource of a patient          | an empty folder              |
| well --out out                   | none of the 1 patients has a CAR-T infusion that can be read; | a cohort without a course |
| course --out out --from 2030-01-01 | that can be read in the time of the cohort; | courses of other years  |
| well --out well/report           | lies in the export well                | a report among the data      |
| . --out report                   | lies in the export .                   | so by another name           |
| well --out out --compare nowhere | --compare must name a file             | no second file of rules      |
| well --out out --outcomes nowhere | nowhere cannot be read (No such file   | no file of outcomes         |
| cut --out out                    | is cut off                             | packed data that end early   |
| well --out out --every often     | --every must be a number of hours      | no number                    |
| well --out out --from yesterday  | --from must be a date                  | no date                      |
| well --out out --protocol bad    | --protocol: nonsense is unknown        | a protocol that is none      |
| well --out out --outcomes bad    | the first line must name the column    | a CSV that is none           |
| well --out out --outcomes burden | line 2: value of x-burden must be %    | a burden that is no number   |
| well --out bad/out               | Not a directory                        | a report into a file         |
""")


@pytest.mark.parametrize("row", BAD, ids=name_of)
def test_bad_input_is_one_sentence_and_exit_code_2(
    row: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut").mkdir()
    packed = gzip.compress(b"\n".join(json.dumps(one).encode() for one in chart("3", "a")))
    (tmp_path / "cut" / "all.ndjson.gz").write_bytes(packed[:400])
    export(tmp_path / "well", chart("16", "a"))
    export(tmp_path / "course", chart("3", "a"))
    (tmp_path / "bad").write_text("nonsense = 1\n", encoding="utf-8")
    (tmp_path / "burden").write_text("patient,event,date,value\na,x-burden,,high\n", encoding="utf-8")
    result = crs_cds("evaluate", *row["arguments"].split(), "--workers", "1")
    assert result.exit_code == 2, result.output
    assert row["says"] in result.stderr
    assert "Traceback" not in result.output


def test_the_command_writes_the_rows_and_keeps_the_salt_outside(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", chart("1a", "patient-of-ours"))
    result = crs_cds("evaluate", str(folder), "--out", str(tmp_path / "report"), "--workers", "1")
    assert result.exit_code == 0, result.output
    with (tmp_path / "report" / "courses.csv").open(encoding="utf-8") as file:
        (course,) = csv.DictReader(file)
    assert (course["max_grade"], course["onset"]) == ("4", "2026-03-06T22:00:00+00:00")
    written = b"".join(file.read_bytes() for file in (tmp_path / "report").rglob("*") if file.is_file())
    assert b"patient-of-ours" not in written
    assert [one.name for one in (tmp_path / "report.work").iterdir()] == ["salt"]


def test_a_worker_that_is_killed_costs_no_patient_and_doubles_none(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", [one for name in "abcdefgh" for one in chart("3", name)])
    wanted = Wanted((folder,), Protocol(), (RULES,), (RulesFrom(None, EXAMPLE_VALUE_SETS),), ZONE, "Asia/Shanghai", "0")
    killed: list[int] = []

    def kill_one(_: int, __: int, last: Any) -> None:
        if last is not None and not killed:
            killed.extend(child.pid or 0 for child in multiprocessing.active_children()[:1])
            os.kill(killed[0], signal.SIGKILL)

    found = evaluate(wanted, Workplace(tmp_path / "work"), processes(2), Progress(lambda _: None, kill_one))
    assert killed
    assert len({course.patient for course in found.courses}) == len(found.courses) == 8
    alone = evaluate(wanted, Workplace(tmp_path / "other"), processes(1), SILENT)
    assert len(list(found.moments)) == len(list(alone.moments))


PROGRAM = "from cds_server.command_line.program import main; main()"


def test_a_run_that_is_killed_leaves_no_process_and_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", [one for name in "abcdefgh" for one in chart("3", name)])
    arguments = ("evaluate", str(folder), "--out", str(tmp_path / "report"), "--workers", "2")
    results = tmp_path / "report.work" / "results"
    command = [sys.executable, "-c", PROGRAM, *arguments]
    run = subprocess.Popen(command, env=os.environ | SITE, stderr=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    wait_until(lambda: results.exists() and bool(bucket_folders(results)))
    run.kill()
    run.wait()
    wait_until(lambda: not is_there(run.pid))
    done = {one.name: one.stat().st_mtime_ns for one in bucket_folders(results)}
    kept: dict[str, int] = {}

    def note(found: Evaluation, *_: object, **__: object) -> None:
        kept.update({one.name: one.stat().st_mtime_ns for one in bucket_folders(results)})
        assert len({course.patient for course in found.courses}) == len(found.courses) == 8

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cds_server.evaluation.report.write.write_report", note)
        result = crs_cds(*arguments)
    assert result.exit_code == 0, result.output
    assert done.items() <= kept.items()


def is_there(session: int) -> bool:
    """Tell whether any process of a session is left."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(ready: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("tag", "is_said"), [("HTEST", True), ("HRESCH", False), (5, False)])
def test_patients_marked_as_test_data_are_said_to_be_constructed_on_the_page(
    tag: object, is_said: bool, tmp_path: Path
) -> None:
    resources = chart("3", "a")
    (patient,) = [one for one in resources if one["resourceType"] == "Patient"]
    patient["meta"] = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": tag}]}
    folder = export(tmp_path / "export", [*resources, *chart("7", "b")])
    result = crs_cds("evaluate", str(folder), "--out", str(tmp_path / "report"), "--workers", "1")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert ("Constructed data: 1 of " in page) is is_said


def test_a_patient_without_a_course_is_counted_and_is_no_fault(tmp_path: Path) -> None:
    found = evaluated(export(tmp_path / "export", [*chart("3", "a"), *chart("16", "b")]), tmp_path / "work")
    counts = {row.step: row.patients for row in found.flow}
    assert counts["without an infusion that can be read, or outside the cohort"] == 1
    assert [row.courses for row in found.flow][:4] == [None, None, None, 1], (
        "no course is looked for before: that is no 0"
    )
    assert not any("fault of this program" in row.why for row in found.unread)


def test_a_full_disk_is_one_sentence_and_what_is_done_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export(tmp_path / "export", [one for name in "abcd" for one in chart("3", name)])

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    arguments = ("evaluate", str(folder), "--out", str(tmp_path / "report"), "--workers", "1")
    with monkeypatch.context() as patched:
        patched.setattr("cds_server.evaluation.report.write.write_report", full)
        result = crs_cds(*arguments)
    assert (result.exit_code, "the disk of" in result.stderr, "is full" in result.stderr) == (2, True, True)
    done = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "report.work" / "results").iterdir()}
    assert done
    assert crs_cds(*arguments).exit_code == 0


def test_a_salt_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are hashed without a salt can be guessed."""

    def full(file: Path, content: bytes) -> None:
        with file.open("wb") as opened:
            opened.write(content[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            Workplace(tmp_path / "work")
    assert len(Workplace(tmp_path / "work").salt) == SALT_BYTES


def test_a_gz_that_is_cut_off_costs_its_rest_and_is_named(tmp_path: Path) -> None:
    folder = export(tmp_path / "export", chart("3", "a"))
    packed = gzip.compress("\n".join(map(json.dumps, chart("7", "b"))).encode())
    (folder / "more.ndjson.gz").write_bytes(packed[: len(packed) // 2])
    found = evaluated(folder, tmp_path / "work")
    assert any("more.ndjson.gz" in one.what and "cut off" in one.why for one in found.unread)
    assert found.run.patients >= 1


CUT = rows("""
| file         | doses in part | conditions in part | because                                             |
| doses cut    | yes           | no                 | the types that stand before the cut                 |
| all damaged  | yes           | yes                | nothing tells what it holds                         |
| one bad line | no            | no                 | a bad line costs that line                          |
""")


@pytest.mark.parametrize("row", CUT, ids=name_of)
def test_the_types_of_a_file_that_is_cut_off_are_there_in_part(row: dict[str, str], tmp_path: Path) -> None:
    who = {"subject": {"reference": "Patient/a"}}
    doses = [{"resourceType": "MedicationAdministration", "id": f"g{n}", "status": "completed", **who,
              "effectiveDateTime": "2026-03-08T10:00:00+08:00", "medicationCodeableConcept": {"text": f"saline {n}"}}
             for n in range(3000)]  # fmt: skip
    condition = {"resourceType": "Condition", "id": "c", "code": {"text": "leukaemia"}, **who}
    folder = export(tmp_path / "export", [*chart("3", "a"), condition])
    packed = gzip.compress("\n".join(map(json.dumps, doses)).encode())
    content = {
        "doses cut": packed[:-500],
        "all damaged": b"\x1f\x8bxxxxxxxxxxxx",
        "one bad line": b'{"resourceType":\n',
    }
    (folder / "doses.ndjson.gz").write_bytes(content[row["file"]])
    in_part = {one.what for one in evaluated(folder, tmp_path / "work").unread if "is cut off or damaged" in one.why}
    assert ("medication administrations" in in_part, "conditions" in in_part) == (
        row["doses in part"] == "yes", row["conditions in part"] == "yes",
    )  # fmt: skip
