"""The value sets are valid FHIR, every code has a source, and LOINC codes pass their check digit."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from fhir.resources.R4B.valueset import ValueSet

from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.site_concepts import loinc_check_digit
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.facts.treatment import DrugClass

SETS = {
    file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
    for file in (files("fhir_mappings.codes") / "value_sets").iterdir()
    if file.name.endswith(".json")
}
LOINC_CODES = [
    concept["code"]
    for value_set in SETS.values()
    for include in value_set["compose"]["include"]
    for concept in include["concept"]
    if include["system"] == "http://loinc.org" and not concept["code"].startswith("LA")  # an answer has no such digit
]


@pytest.mark.parametrize("set_id", sorted(SETS))
def test_a_value_set_is_valid_fhir_and_named_by_its_file(set_id: str) -> None:
    ValueSet.model_validate(SETS[set_id])
    assert SETS[set_id]["id"] == set_id


@pytest.mark.parametrize("set_id", sorted(SETS))
def test_every_code_has_display_and_source(set_id: str) -> None:
    for include in SETS[set_id]["compose"]["include"]:
        codes: list[str] = [c["code"] for c in include["concept"]]
        assert len(codes) == len(set(codes))
        for concept in include["concept"]:
            sources: list[Any] = [e for e in concept["extension"] if e["url"] == "urn:crs-cds:code-source"]
            assert concept["display"]
            assert sources[0]["valueString"]


@pytest.mark.parametrize("code", sorted(set(LOINC_CODES)))
def test_loinc_check_digit(code: str) -> None:
    assert loinc_check_digit(code)


def test_the_check_digit_catches_the_plausible_code_that_does_not_exist() -> None:
    assert not loinc_check_digit("3150-6")


@pytest.mark.parametrize("code", ["4655-7", "44322-6", "49732-1", "49919-4", "76010-8"])
def test_codes_that_must_stay_out(code: str) -> None:
    assert code not in LOINC_CODES


def test_epic_s_name_of_rxnorm_is_rxnorm() -> None:
    found = packaged_terminology().drug_coded([("urn:oid:2.16.840.1.113883.6.88", "612865")])
    assert found is not None
    assert found.drug_class is DrugClass.TOCILIZUMAB


def test_a_rxnorm_product_that_is_not_listed_is_no_drug_of_ours() -> None:
    terms = packaged_terminology()
    assert terms.drug_coded([("http://www.nlm.nih.gov/research/umls/rxnorm", "999999")]) is None
    assert LOCAL not in {system for system, _ in terms.codes(*terms.value_sets)}
