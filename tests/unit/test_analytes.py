"""Every row of the table of analytes has its value set, its kind of data, and the prefetch key that asks for it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_server.data_keys import DATA_KEYS
from fhir_mappings.codes.observed_sets import KIND_OF_SET
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.facts.analytes import ANALYTES, Analyte
from fhir_mappings.reading.resources import kinds_of


@pytest.mark.parametrize("field", ["id", "name", "value_set"])
def test_no_two_analytes_have_one(field: str) -> None:
    found: list[Any] = [getattr(analyte, field) for analyte in ANALYTES]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("analyte", ANALYTES, ids=lambda analyte: analyte.name)
def test_an_analyte_is_asked_for_and_recognised(analyte: Analyte) -> None:
    assert packaged_terminology().codes(analyte.value_set)
    assert KIND_OF_SET[analyte.value_set] is analyte.kind
    assert [key.key for key in DATA_KEYS if analyte.value_set in key.value_sets] == [
        key.key for key in DATA_KEYS if key.kind is analyte.kind
    ]
    assert analyte.kind in kinds_of("Observation")
