"""Infection: the signs of it that count, those that are only named, and the anti-infectives that a patient gets.

Only a diagnosis of now counts; cultures and PCR count for 7 days, and a blood culture of 72 h comes before all else.
"""

from __future__ import annotations

from typing import Any

import pytest

from example_patients.stories.chart import Resource
from fhir_mappings.facts.infection import Infection
from tests.support.tables import changed, facts_of, name_of, patient, rows

ATC, RXNORM = "http://www.whocc.no/atc", "http://www.nlm.nih.gov/research/umls/rxnorm"
SUBJECT = {"reference": "Patient/p"}


def said(one: Infection) -> str:
    return one.code or f"{one.finding or 'positive'}{' (stain)' if one.is_stain else ''}"


DIAGNOSES = rows("""
| chart                                        | counted | named  | because                                                    |
| coded A41.9 @-29h                            | A41.9   | –      | recorded a day ago                                         |
| coded A41.9 @-720h                           | A41.9   | –      | exactly 30 days ago                                        |
| coded A41.9 @-721h                           | –       | A41.9  | an hour more: named, not counted                           |
| coded A41.9 @-721h; give meropenem 1000 @-3h | A41.9   | –      | an older one that is treated now                           |
| coded A41.9 @-721h; give aciclovir 400 @-3h  | –       | A41.9  | what is given to prevent treats nothing                    |
| coded B18.1 @-29h                            | –       | B18.1  | hepatitis B is named, of whatever age                      |
| coded A15.0 @-29h                            | –       | A15.0  | tuberculosis too                                           |
| coded B44.1 @-29h                            | –       | B44.1  | and invasive fungal disease                                |
| coded B37.7 @-29h                            | B37.7   | –      | candidaemia is a sepsis of now                             |
| coded Z22.7 @-9000h                          | –       | Z22.7  | latent tuberculosis of a year ago                          |
| coded J45.909 @-29h                          | –       | –      | asthma is no infection                                     |
""")


@pytest.mark.parametrize("row", DIAGNOSES, ids=name_of)
def test_which_diagnosis_counts(row: dict[str, str]) -> None:
    found = facts_of(patient(row["chart"])).infection
    assert (", ".join(map(said, found.counted)) or "–") == row["counted"]
    assert (", ".join(map(said, found.named)) or "–") == row["named"]


TIMES: tuple[tuple[dict[str, Any], bool, str], ...] = (
    ({"onsetDateTime": "2026-03-01", "recordedDate": "2024-01-01"}, True, "begun of late, recorded long ago"),
    ({"onsetDateTime": "2024-01-01", "recordedDate": "2026-03-01"}, True, "begun long ago, recorded of late"),
    ({"onsetDateTime": "2024-01-01"}, False, "begun long ago"),
    ({}, True, "of no known time: it is not known to be old"),
)


@pytest.mark.parametrize(("times", "counts", "because"), TIMES, ids=[case[2] for case in TIMES])
def test_a_diagnosis_counts_by_its_beginning_or_its_recording(
    times: dict[str, Any], because: str, *, counts: bool
) -> None:
    found = patient("coded A41.9 @-29h")
    plain = {k: v for k, v in found[-1].items() if k != "recordedDate"}
    assert bool(facts_of([*found[:-1], plain | times]).infection.counted) is counts, because


CULTURES = rows("""
| chart                                                                              | first                       | because                                           |
| culture Escherichia coli @-30h                                                     | Escherichia coli            | an organism                                       |
| culture Escherichia coli @-72h                                                     | Escherichia coli            | drawn exactly 72 h ago                            |
| culture Escherichia coli @-4321m                                                   | –                           | a minute more: it counts, and no longer first     |
| culture Gram-negative rods in 2 of 2 bottles @-3h                                  | Gram-negative rods in 2 of 2 bottles (stain) | a first report                   |
| culture Escherichia coli @-30h; culture Gram-negative rods in 2 of 2 bottles @-3h  | Escherichia coli            | an organism before a stain, though it is older    |
| culture Escherichia coli @-30h; culture Klebsiella pneumoniae @-3h                 | Klebsiella pneumoniae       | of two organisms the later                        |
| culture No growth after 2 days @-3h                                                | –                           | nothing grew                                      |
| pcr Detected @-3h                                                                  | –                           | a PCR is no blood culture                         |
| culture Staphylococcus epidermidis @-3h                                            | Staphylococcus epidermidis  | whether it is a contaminant is judged at the bedside |
""")


@pytest.mark.parametrize("row", CULTURES, ids=name_of)
def test_the_blood_culture_that_comes_first(row: dict[str, str]) -> None:
    first = facts_of(patient(row["chart"])).infection.culture
    assert (said(first) if first else "–") == row["first"]


def test_a_culture_that_only_its_interpretation_calls_positive_counts() -> None:
    found = patient("culture x @-3h")
    flag = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "POS"}]}
    bare = {k: v for k, v in found[-1].items() if k != "valueCodeableConcept"} | {"interpretation": [flag]}
    first = facts_of([*found[:-1], bare]).infection.culture
    assert first is not None
    assert said(first) == "positive"


def test_what_a_terminology_adds_to_a_name_is_left_out() -> None:
    found = patient("culture Escherichia coli (organism) @-3h")
    first = facts_of(found).infection.culture
    assert first is not None
    assert first.finding == "Escherichia coli"


def test_a_first_report_counts_though_it_is_preliminary() -> None:
    found = patient("culture Gram-positive cocci in clusters @-3h")
    assert facts_of([*found[:-1], changed(found[-1], status="preliminary")]).infection.culture is not None


GIVEN = rows("""
| drug                                | route       | treats | because                                                       |
| meropenem                           | IV          | yes    | by name                                                       |
| Cefepim 2 g                         |             | yes    | in another language, no route stated                          |
| piperacillin-tazobactam 4.5 g IVPB  |             | yes    | a compound                                                    |
| RxNorm 1722933                      | IV          | yes    | meropenem for injection, by its code                          |
| ATC J01DH02                         |             | yes    | by its ATC code                                               |
| ATC J01XX99                         |             | yes    | by the class of a code that nobody listed                     |
| ATC J02AC04                         |             | no     | posaconazole prevents                                         |
| ATC J05AR99                         |             | no     | a class that holds drugs of HIV                               |
| aciclovir                           | PO          | no     | it prevents                                                   |
| aciclovir                           | IV          | yes    | into a vein it treats                                         |
| levofloxacin                        | PO          | no     | it prevents                                                   |
| levofloxacin                        |             | no     | usually given to prevent, and no route stated                 |
| levofloxacin                        | IV          | yes    | into a vein                                                   |
| co-trimoxazole                      | PO          | no     | it prevents pneumocystosis                                    |
| vancomycin                          | PO          | no     | by mouth it stays in the gut                                  |
| gentamicin                          | ophthalmic  | –      | not systemic                                                  |
| ATC A07AA09                         | PO          | –      | vancomycin of the gut: no class of systemic anti-infectives   |
| insulin                             | IV          | –      | another drug                                                  |
""")


def given(drug: str, route: str, **more: Any) -> Resource:
    system, _, code = drug.partition(" ")
    systems = {"ATC": ATC, "RxNorm": RXNORM}
    concept = {"coding": [{"system": systems[system], "code": code}]} if system in systems else {"text": drug}
    dosage = {"route": {"text": route}} if route else {}
    return {
        "resourceType": "MedicationAdministration", "id": "anti-infective", "status": "completed", "subject": SUBJECT,
        "medicationCodeableConcept": concept, "effectiveDateTime": "2026-03-06T06:00:00+08:00", "dosage": dosage, **more,
    }  # fmt: skip


@pytest.mark.parametrize("row", GIVEN, ids=name_of)
def test_which_anti_infective_treats(row: dict[str, str]) -> None:
    found = facts_of([*patient("grade 1"), given(row["drug"], row["route"])]).infection.anti_infectives
    assert ["yes" if one.treats else "no" for one in found] == ([row["treats"]] if row["treats"] != "–" else [])


SINCE = rows("""
| chart                                                                          | since        | because                                        |
| give meropenem 1000 @-3h                                                       | 06 09:00     | one dose                                       |
| give meropenem 1000 @-19h; give meropenem 1000 @-11h; give meropenem 1000 @-3h | 05 17:00     | the first of the series                        |
| give meropenem 1000 @-60h; give meropenem 1000 @-3h                            | 06 09:00     | an earlier course is none of it                |
| give meropenem 1000 @-24h                                                      | 05 12:00     | exactly 24 h ago                               |
| give meropenem 1000 @-1441m                                                    | –            | a minute more                                  |
""")


@pytest.mark.parametrize("row", SINCE, ids=name_of)
def test_since_when_an_anti_infective_is_given(row: dict[str, str]) -> None:
    facts = facts_of(patient(row["chart"]))
    found = [one.since for one in facts.infection.anti_infectives]
    assert [f"{facts.local(at):%d %H:%M}" for at in found if at] == ([row["since"]] if row["since"] != "–" else [])


ORDERED = rows("""
| authored                  | status  | counts | because                                                  |
| 2026-03-06T09:00:00+08:00 | active  | yes    | ordered three hours ago                                  |
| 2026-03-03T12:00:00+08:00 | active  | yes    | exactly 72 h ago                                         |
| 2026-03-03T11:59:00+08:00 | active  | no     | longer ago, and no dose is charted: nobody closed it     |
| 2026-03-06T09:00:00+08:00 | stopped | no     | stopped                                                  |
""")


@pytest.mark.parametrize("row", ORDERED, ids=name_of)
def test_an_order_counts_for_three_days_without_a_dose(row: dict[str, str]) -> None:
    order = {
        "resourceType": "MedicationRequest", "id": "m", "status": row["status"], "intent": "order", "subject": SUBJECT,
        "authoredOn": row["authored"], "medicationCodeableConcept": {"text": "meropenem"},
    }  # fmt: skip
    found = facts_of([*patient("grade 1"), order]).infection.anti_infectives
    assert bool(found) is (row["counts"] == "yes")
    assert not any(one.given for one in found)
