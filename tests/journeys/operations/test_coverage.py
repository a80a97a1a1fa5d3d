"""`crs-cds coverage`: what is read, set aside and not known in exported data, each with a line to paste."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.codes.site_value_sets import site_concepts
from tests.support.desk import chart_of
from tests.support.exports import (
    AT,
    GERMAN,
    LOINC,
    RXNORM,
    SNOMED,
    concept,
    given,
    local_codes,
    ndjson,
    observation,
    patient,
    procedure,
    subject,
)
from tests.support.fhir_wire import Resource
from tests.support.program import crs_cds, written
from tests.support.tables import rows

ROOT = Path(__file__).parents[3]
NO_FILES = {"CRS_CDS_VALUE_SETS": "", "CRS_CDS_TIMEZONE": "Europe/Berlin"}
NOW = ("--at", "2026-03-06T09:30:00+01:00")


def covered(*files: Path | str, options: Iterable[str] = (), **environ: str) -> dict[str, Any]:
    result = crs_cds("coverage", *map(str, files), "--json", *NOW, *options, **(NO_FILES | environ))
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def of(tmp_path: Path, *resources: Resource, **environ: str) -> dict[str, Any]:
    return covered(ndjson(tmp_path, "export.ndjson", resources), **environ)


def page(*files: Path | str, options: Iterable[str] = ()) -> str:
    result = crs_cds("coverage", *map(str, files), *NOW, *options, **NO_FILES)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def read_as(found: dict[str, Any]) -> dict[str, int]:
    return {row["valueSet"]: row["resources"] for row in found["concepts"]}


LOCAL = rows("""
| kind        | code    | value sets              | would be read |
| procedure   | OPS-1   | (chosen by a person)    |               |
| observation | KT-AX   | body-temperature        | 6 of 6        |
| observation | RRS     | systolic-pressure       | 6 of 6        |
| device      |         | (chosen by a person)    |               |
| drug        | 4712    | vasopressor             |               |
| observation | 5J095   | interleukin-6           | 6 of 6        |
| observation | 5C070   | c-reactive-protein      | 6 of 6        |
| observation | 9N011   | body-weight             | 6 of 6        |
""")


def test_local_codes_in_german_and_japanese_are_found_by_their_names_and_sorted_by_their_weight(tmp_path: Path) -> None:
    found = covered(ndjson(tmp_path, "export.ndjson.gz", local_codes()))
    assert [
        {
            "kind": row["kind"],
            "code": row.get("code", ""),
            "value sets": row["valueSets"][0] if len(row["valueSets"]) == 1 else "(chosen by a person)",
            "would be read": f"{row['numbersThatWouldBeRead']} of {row['numbersTried']}"
            if "numbersTried" in row
            else "",
        }
        for row in found["notKnown"]
    ] == LOCAL
    assert read_as(found) == {"vasopressor": 6, "oxygen-delivery-device": 6, "antipyretic": 12, "tocilizumab": 6}
    assert [row["code"] for row in found["otherDrugs"]] == ["4714"]
    assert [row["code"] for row in found["otherProcedures"]] == ["OPS-2"]
    assert [row["code"] for row in found["otherCodes"]] == ["RRD", "3H010"]


def pasted(folder: Path, found: dict[str, Any], chosen: dict[str, str]) -> dict[str, str]:
    """A site's files with every line pasted: into its value set, or the one that a person chose for its kind; into a
    set of drugs with an ingredient."""
    by_set: dict[str, list[Any]] = {}
    for row in (*found["notKnown"], *found["otherDrugs"]):
        if "include" not in row:
            continue
        value_set = row["valueSets"][0] if len(row["valueSets"]) == 1 else chosen[row.get("kind", "other drug")]
        assert value_set in row["valueSets"]
        if row.get("needsIngredient"):
            row["include"]["concept"][0]["extension"] = [{"url": "urn:crs-cds:ingredient", "valueString": "cafedrine"}]
        by_set.setdefault(value_set, []).append(row["include"])
    folder.mkdir()
    for value_set, includes in by_set.items():
        written(folder, f"{value_set}.json", {
            "resourceType": "ValueSet", "id": value_set, "status": "active", "compose": {"include": includes},
        })  # fmt: skip
    return {"CRS_CDS_VALUE_SETS": str(folder)}


def test_a_line_that_is_pasted_is_taken_and_makes_what_it_is_of_known(tmp_path: Path) -> None:
    export = ndjson(tmp_path, "export.ndjson", local_codes())
    chosen = {"device": "high-flow-oxygen", "procedure": "ventilation-procedure", "other drug": "vasopressor"}
    site = pasted(tmp_path / "site", covered(export), chosen)
    found = covered(export, **site)
    assert found["notKnown"] == found["otherDrugs"] == []
    assert read_as(found) == {
        "vasopressor": 18, "body-temperature": 6, "systolic-pressure": 6, "oxygen-delivery-device": 6,
        "high-flow-oxygen": 6, "mechanical-ventilation": 6, "antipyretic": 12, "tocilizumab": 6, "interleukin-6": 6,
        "c-reactive-protein": 6, "body-weight": 6,
    }  # fmt: skip


NEW_LINE = {
    # what is charted                                                                                   the include that it gets, or why not
    "a code": (observation("o", 1, concept(GERMAN, "KT", "Körpertemperatur"), 38.1, "Cel"),
        {"system": GERMAN, "concept": [{"code": "KT", "display": "Körpertemperatur"}]}),
    "a LOINC code of ours under another system": (observation("o", 1, concept("urn:oid:1.2.3", "8310-5", "T"), 38.1, "Cel"),
        {"system": "urn:oid:1.2.3", "concept": [{"code": "8310-5", "display": "T"}]}),
    "a code without a display": (observation("o", 1, {"coding": [{"system": GERMAN, "code": "KT"}], "text": "Temp"}, 38.1, "Cel"),
        {"system": GERMAN, "concept": [{"code": "KT", "display": "Temp"}]}),
    "a text alone": (observation("o", 1, {"text": "Temp"}, 38.1, "Cel"), "it has no code with a system"),
    "a code without a system": (observation("o", 1, concept(None, "KT", "Temp"), 38.1, "Cel"), "it has no code with a system"),
    "a system that is no address": (observation("o", 1, concept("ICU", "KT", "Temp"), 38.1, "Cel"), "system must be an absolute URI"),
    "a code with a blank": (observation("o", 1, concept(GERMAN, "K T", "Temp"), 38.1, "Cel"), "must be without spaces"),
    "a device text": (observation("o", 1, concept(LOINC, "3152-6"), "Airvo da capo"),
        {"system": "urn:crs-cds:local", "concept": [{"code": "text-114ba8e7f7", "display": "Airvo da capo", "designation": [{"value": "Airvo da capo"}]}]}),
    "a coded device": (observation("o", 1, concept(LOINC, "3152-6"), concept(GERMAN, "D7", "Airvo da capo")),
        {"system": GERMAN, "concept": [{"code": "D7", "display": "Airvo da capo"}]}),
    "a drug by its text": (given("o", 1, {"text": "Tocilizumob"}),
        {"system": "urn:crs-cds:local", "concept": [{
            "extension": [{"url": "urn:crs-cds:ingredient", "valueString": "tocilizumab"}], "code": "text-4f53398315",
            "display": "Tocilizumob", "designation": [{"value": "Tocilizumob"}]}]}),
    "a route": (given("o", 1, concept(RXNORM, "612865"), dosage={"route": concept(GERMAN, "R1", "in den Port")}),
        {"system": GERMAN, "concept": [{"code": "R1", "display": "in den Port"}]}),
    "a diagnosis": ({"resourceType": "Condition", "id": "o", "subject": subject(1), "code": concept(GERMAN, "Z1", "Zytokin-Freisetzungssyndrom")},
        {"system": GERMAN, "concept": [{"code": "Z1", "display": "Zytokin-Freisetzungssyndrom"}]}),
    "an ordered test": ({"resourceType": "ServiceRequest", "id": "o", "status": "active", "subject": subject(1), "code": concept(GERMAN, "BK", "Blutkultur aerob")},
        {"system": GERMAN, "concept": [{"code": "BK", "display": "Blutkultur aerob"}]}),
    "a procedure that may be an infusion": (procedure("o", 1, concept(GERMAN, "P1", "CAR-T cell infusion consult")),
        {"system": GERMAN, "concept": [{"code": "P1", "display": "CAR-T cell infusion consult"}]}),
    "a procedure around an infusion": (procedure("o", 1, concept(GERMAN, "P2", "CAR-T apheresis")), "if it is an infusion, send the procedure code"),
    "a drug around an infusion": (given("o", 1, {"text": "CAR-T premedication per protocol"}), "if it is an infusion, send the procedure code"),
    "a unit": (observation("o", 1, concept(LOINC, "26881-3"), 7.5, "[fur_us]"), "units are in no value set"),
}  # fmt: skip


@pytest.mark.parametrize("what", NEW_LINE)
def test_each_thing_not_known_has_its_line_or_the_reason_why_there_is_none(what: str, tmp_path: Path) -> None:
    charted, wanted = NEW_LINE[what]
    found = of(tmp_path, charted)["notKnown"]
    assert len(found) == 1
    if isinstance(wanted, str):
        assert "include" not in found[0]
        assert wanted in found[0]["noLine"]
    else:
        assert found[0]["include"] == wanted


SET_ASIDE = {
    # what is charted                                                                        the value set, why, what stands there
    "a unit that is not listed": (observation("o", 1, concept(LOINC, "26881-3"), 7.5, "[fur_us]"), ("interleukin-6", 'unit "[fur_us]" cannot be converted to pg/mL', "[fur_us]")),
    "no unit": (observation("o", 1, concept(LOINC, "26881-3"), 7.5), ("interleukin-6", "unit is missing", None)),
    "numbers that may be thousands": (observation("o", 1, concept(LOINC, "26881-3"), "1,234 pg/mL"), ("interleukin-6", 'text "9,999 pg/mL" may hold thousands or a decimal', "9,999 pg/mL")),
    "an impossible value": (observation("o", 1, concept(LOINC, "8310-5"), 381, "Cel"), ("body-temperature", "value outside 25 to 45 Cel", "Cel")),
    "a text": (observation("o", 1, concept(LOINC, "26881-3"), "haemolytic"), ("interleukin-6", 'text "haemolytic" cannot be read as a number', "haemolytic")),
    "a time as nobody writes it in FHIR": (observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", effectiveDateTime="06.03.2026 09:30"),
        ("body-temperature", "time is no FHIR dateTime of at least a day with, if timed, an offset", "99.99.9999 99:99")),
    "a drug at such a time": (given("o", 1, concept(RXNORM, "612865"), effectiveDateTime="06.03.2026"),
        ("tocilizumab", "tocilizumab: time is no FHIR dateTime of at least a day with, if timed, an offset", "99.99.9999")),
    "no time": (observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", effectiveDateTime=None), ("body-temperature", "no effective time", None)),
    "no status": (observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", status="done"), ("body-temperature", "status is none of FHIR's", "done")),
    "a time ahead": (observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", effectiveDateTime="2026-03-09T08:00:00Z"), ("body-temperature", "future_dated", None)),
    "no code": (observation("o", 1, {}, 38.1, "Cel"), (None, "code does not say what was measured", None)),
    "no patient": (observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", subject={"display": "Anna"}), (None, "names no patient by reference", None)),
    "a wrong type": (observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", valueQuantity=7), (None, "wrong type at valueQuantity", None)),
    "a drug without a time": (given("o", 1, concept(RXNORM, "612865"), effectiveDateTime=None), ("tocilizumab", "tocilizumab: no effective time", None)),
    "a procedure without a time": (procedure("o", 1, concept("http://www.ama-assn.org/go/cpt", "38228"), performedDateTime=None), ("car-t-administration", "CAR-T administration: no time performed", None)),
    "an age that nobody knows": ({"resourceType": "Patient", "id": "o"}, (None, "no birthDate that gives an age", None)),
}  # fmt: skip


@pytest.mark.parametrize("what", SET_ASIDE)
def test_what_is_set_aside_is_counted_by_reason_and_not_as_read(what: str, tmp_path: Path) -> None:
    charted, (value_set, why, stands) = SET_ASIDE[what]
    found = of(tmp_path, charted)
    (row,) = found["setAside"]
    assert (row.get("valueSet"), row["why"]) == (value_set, why)
    assert stands in (row.get("stands"), row.get("unit"))
    assert row["firstAt"]["place"] == "line 1"
    assert found["concepts"] == []


def test_a_resource_that_the_model_of_fhir_refuses_is_tried_and_said(tmp_path: Path) -> None:
    """The service would set it aside once an answer rested on it."""
    bad = observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", device="the one at the bed")
    (row,) = of(tmp_path, bad)["invalid"]
    assert (row["valueSet"], row["why"], row["tried"]) == ("body-temperature", "not valid FHIR at device", 1)


def test_a_drug_is_found_behind_its_reference_in_whatever_file_it_stands(tmp_path: Path) -> None:
    drug = {"resourceType": "Medication", "id": "m", "code": concept(GERMAN, "99", "Beutel"),
            "ingredient": [{"itemReference": {"reference": "Substance/s"}}]}  # fmt: skip
    substance = {"resourceType": "Substance", "id": "s", "code": concept(RXNORM, "7512", "norepinephrine")}
    refers = given("a", 1, {}, medicationReference={"reference": "https://fhir.example.org/r4/Medication/m"})
    del refers["medicationCodeableConcept"]
    ndjson(tmp_path, "a.ndjson", [refers])
    ndjson(tmp_path, "b.ndjson.gz", [drug])
    written(tmp_path, "c.json", {"resourceType": "Bundle", "entry": [{"resource": substance}]})
    (row,) = covered(tmp_path)["concepts"]
    assert (row["valueSet"], row["names"][0]["text"]) == ("vasopressor", "Beutel / norepinephrine")


def test_a_bundle_has_its_own_medications_before_those_of_other_files(tmp_path: Path) -> None:
    refers = given("a", 1, {}, medicationReference={"reference": "Medication/m"})
    del refers["medicationCodeableConcept"]
    for name, code in (("a.json", "7512"), ("b.json", "612865")):
        medication = {"resourceType": "Medication", "id": "m", "code": concept(RXNORM, code)}
        written(tmp_path, name, {"resourceType": "Bundle", "entry": [{"resource": refers}, {"resource": medication}]})
    assert read_as(covered(tmp_path)) == {"vasopressor": 1, "tocilizumab": 1}


def test_the_example_patients_are_read_without_a_rest(tmp_path: Path) -> None:
    found = covered(
        ndjson(tmp_path, "a.ndjson", chart_of("3")), options=(), CRS_CDS_VALUE_SETS="", CRS_CDS_TIMEZONE="Asia/Shanghai"
    )
    assert found["setAside"] == found["notKnown"] == found["invalid"] == []
    assert {"car-t-product", "body-temperature", "interleukin-6", "body-weight"} <= read_as(found).keys()


def few_and_many() -> list[Resource]:
    """Six patients with one local code and text, one of them with a text that names a person."""
    charted = [
        r for n in range(6)
        for r in (
            patient(n), observation(f"t{n}", n, concept(GERMAN, "KT", "Körpertemperatur"), 38.1, "Cel"),
            observation(f"d{n}", n, concept(LOINC, "3152-6"), "Airvo da capo"),
            given(f"s{n}", n, {"text": "Sodium chloride"}),
        )
    ]  # fmt: skip
    return [
        *charted,
        observation("x1", 0, concept(LOINC, "3152-6"), "BiPAP of Anna Example"),
        observation("x2", 0, concept(GERMAN, "AE", "Temperatur Anna Example"), 38.1, "Anna Example"),
        observation("x3", 0, concept(LOINC, "26881-3"), "Anna Example"),
        observation("x4", 0, concept(LOINC, "600-7"), "Anna Example positive"),
        observation("x5", 0, {"text": "Note on Anna Example"}),
        observation("x6", 0, concept(LOINC, "8310-5"), 38, "Anna Example"),
        observation("x7", 0, concept(LOINC, "8310-5"), 38, "Cel", status="Anna Example"),
        observation("x8", 0, concept(GERMAN, "KT", "Körpertemperatur"), 38, "Anna Example"),
        given("x9", 0, {"text": "Norepinephrene for Anna Example"}),
        given("x10", 0, {"text": "Norepinephrine for Anna Example"}),
        given("x11", 0, {"text": "Anna Example"}),
        given("x12", 0, concept(RXNORM, "612865"), dosage={"route": {"text": "by Anna Example"}}),
        procedure("x13", 0, {"text": "CAR-T consult of Anna Example"}),
        procedure("x14", 0, {"text": "CAR-T infusion of Anna Example"}),
        procedure("x15", 0, {"text": "talk with Anna Example"}),
        {"resourceType": "Condition", "id": "x16", "subject": subject(0), "code": {"text": "CRS grade Anna Example"}},
        {"resourceType": "AnnaExample", "id": "x17"},
    ]  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["tables", "JSON"])
def test_what_is_shared_names_nothing_of_fewer_than_five_patients(options: tuple[str, ...], tmp_path: Path) -> None:
    export = ndjson(tmp_path, "Anna Example.ndjson", few_and_many())
    whole = page(tmp_path, options=options)
    shared = page(tmp_path, options=("--share", *options))
    assert whole.count("Anna Example") >= 15
    assert "Anna" not in shared
    assert str(tmp_path) not in shared
    assert all(text in shared for text in ("Körpertemperatur", "Airvo da capo", "Sodium chloride"))
    assert export.exists()


def test_the_head_says_what_the_output_is(tmp_path: Path) -> None:
    export = ndjson(tmp_path, "a.ndjson", few_and_many())
    assert page(export).startswith("PATIENT DATA: texts are printed as they are charted and may hold names.")
    assert page(export, options=["--share"]).startswith(
        "Codes, texts and places of fewer than five patients are left out."
    )
    assert "of fewer than five patients: " in page(export, options=["--share"])


def test_nothing_in_a_record_steers_a_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;x\x07 \u202egnp \x9b31m \x7f\u200b"
    (tmp_path / f"{evil.replace('/', '')}.ndjson").write_text("{}\n")
    texts = concept(GERMAN, f"KT{evil}", f"Körpertemperatur {evil}")
    ndjson(tmp_path, "a.ndjson", [
        observation("a", 1, texts, 38.1, f"Cel{evil}"), observation("b", 1, concept(LOINC, "3152-6"), f"mask {evil}"),
        given("c", 1, {"text": f"Norepinephrene {evil}"}), procedure("d", 1, {"text": f"CAR-T {evil}"}),
        observation("e", 1, concept(LOINC, "600-7"), evil), observation("f", 1, concept(LOINC, "8310-5"), 38, evil),
        given("g", 1, {"text": evil}),
    ])  # fmt: skip
    for options in ((), ("--json",), ("--share",)):
        shown = page(tmp_path, options=options)
        assert all(c.isprintable() or c == "\n" for c in shown)
    row = next(r for r in covered(tmp_path)["notKnown"] if r["kind"] == "device")
    assert row["include"]["concept"][0]["designation"] == [{"value": f"mask {evil}"}], "JSON keeps what stands there"


USABLE = rows("""
| files                     | exit | says                                                          |
| good.ndjson               | 0    | Read: 1 resources                                             |
| good.ndjson bad.ndjson    | 0    | bad.ndjson: is not JSON (2: line 1, line 2)                   |
| bad.ndjson                | 2    | nothing in it can be read: bad.ndjson: is not JSON            |
| missing.ndjson            | 2    | nothing in it can be read: missing.ndjson: there is no such file |
| missing.ndjson good.ndjson | 0   | missing.ndjson: there is no such file                         |
| empty.ndjson              | 2    | nothing in it can be read: no file with a FHIR resource.      |
|                           | 2    | Missing argument                                              |
""")


@pytest.mark.parametrize("row", USABLE, ids=lambda row: row["files"] or "none")
def test_a_file_that_cannot_be_read_is_named_and_without_any_other_it_is_an_error(
    row: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ndjson(tmp_path, "good.ndjson", [patient(1)])
    Path("bad.ndjson").write_text('{"resourceType": "Patient", "name": "Anna Example\nAnna Example}\n')
    Path("empty.ndjson").write_text("\n")
    result = crs_cds("coverage", *row["files"].split(), **NO_FILES)
    assert result.exit_code == int(row["exit"])
    assert row["says"] in result.output
    assert "Anna" not in result.output


def test_an_export_that_says_itself_that_something_failed_is_quoted_as_such(tmp_path: Path) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
    shown = page(ndjson(tmp_path, "error.ndjson", [outcome, patient(1)]))
    assert "the export says of itself that something failed: 1 times" in shown
    assert "not read by the service: OperationOutcome 1" in shown


def test_shifted_dates_are_read_as_of_their_own_last_day(tmp_path: Path) -> None:
    shifted = observation("o", 1, concept(LOINC, "8310-5"), 38.1, "Cel", effectiveDateTime="2150-03-06T08:00:00Z")
    export = ndjson(tmp_path, "a.ndjson", [shifted])
    assert "name its last day with --at" in page(export)
    result = crs_cds("coverage", str(export), "--json", "--at", "2150-12-31T00:00:00Z", **NO_FILES)
    assert read_as(json.loads(result.stdout)) == {"body-temperature": 1}


def test_times_are_first_and_last_and_patients_are_told_apart_by_id(tmp_path: Path) -> None:
    def temperature(id_: str, of: str, at: str) -> Resource:
        return observation(
            id_, 0, concept(LOINC, "8310-5"), 38.1, "Cel", effectiveDateTime=at, subject={"reference": of}
        )

    found = of(
        tmp_path,
        temperature("a", "Patient/1", "2026-03-05T23:30:00Z"), temperature("b", "https://x.example/r4/Patient/1", AT),
        temperature("c", "Patient/2/_history/3", "2026-01-01"),
    )  # fmt: skip
    (row,) = found["concepts"]
    assert (row["patients"], row["first"], row["last"]) == (2, "2026-01-01T00:00:00+01:00", "2026-03-06T08:00:00+01:00")


def test_an_anti_infective_is_read_as_one_and_any_other_drug_can_be_added_to_a_set(tmp_path: Path) -> None:
    found = of(tmp_path, given("a", 1, {"text": "Vancomycin 1 g"}), given("b", 1, concept(GERMAN, "4714", "Akrinor")))
    assert read_as(found) == {"antibacterial": 1}
    (other,) = found["otherDrugs"]
    assert other["include"] == {"system": GERMAN, "concept": [{"code": "4714", "display": "Akrinor"}]}
    assert {"vasopressor", "not-a-vasopressor", "antibacterial"} <= {*other["valueSets"]}
    assert other["needsIngredient"]


def test_the_file_that_the_page_shows_is_taken() -> None:
    documents = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    shown = documents.partition("```json\n")[2].partition("```")[0]
    assert site_concepts("the page", shown.encode())[0] == "body-temperature"


def test_results_of_cultures_that_count_as_an_infection_are_listed(tmp_path: Path) -> None:
    culture = concept(LOINC, "600-7")
    found = of(
        tmp_path,
        observation("a", 1, culture, "No growth to date"), observation("b", 1, culture, "Kein Keimnachweis gefunden"),
        observation("c", 1, culture, concept(SNOMED, "112283007", "Escherichia coli")),
    )  # fmt: skip
    assert {row["text"] for row in found["findings"]} == {"Kein Keimnachweis gefunden", "Escherichia coli"}
