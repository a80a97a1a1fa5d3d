"""The grades of CRS that somebody charted, under a site's code or a text, whatever form the value has."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from cds_server.data_keys import prefetch_templates
from cds_server.evaluation.graded import charted_crs
from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.site_value_sets import site_terminology
from fhir_mappings.codes.terminology import RETROSPECTIVE_SETS, packaged_terminology
from fhir_mappings.facts.site_thresholds import SiteRuleError
from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.observations import Observed
from fhir_mappings.reading import fhir_structs as fs
from tests.support.evaluations import flowsheet
from tests.support.tables import name_of, rows

AT = datetime(2026, 3, 6, 8, tzinfo=UTC)


def observed(*, number: str | None = None, text: str | None = None, concept: str | None = None) -> Observed:
    quantity = fs.Quantity(Decimal(number)) if number is not None else None
    named = fs.CodeableConcept(text=concept) if concept is not None else None
    return Observed("Observation/1", Moment(AT, AT), "final", (), frozenset(), quantity, text, named, absent=False)


VALUES = rows("""
| charted                      | grade | because                               |
| 2                            | 2     | a number in a text                    |
| Grade 3                      | 3     | a word before it                      |
| CRS grade 2                  | 2     | the syndrome too                      |
| ASTCT CRS grade: 1           | 1     | the scale too                         |
| G4                           | 4     | as oncologists write it               |
| Grade II                     | 2     | in Roman numerals                     |
| Grade 2 (fever, hypotension) | 2     | what made it stands behind            |
| Grade 1: fever               | 1     | behind a colon                        |
| No CRS                       | 0     | none is grade 0                       |
| Grade 2-3                    |       | two grades are none                   |
| 2/3                          |       | nor so                                |
| 2, 3                         |       | nor with a comma                      |
| Grade 2 - Grade 3            |       | nor in words                          |
| Grade II–III                 |       | nor in Roman numerals                 |
| ≥3                           |       | a limit is no grade                   |
| Grade 1: 38.9 °C             | 1     | a number behind it that is no grade   |
| Grade 12                     |       | no grade of this scale                |
| improving                    |       | no grade at all                       |
""")


@pytest.mark.parametrize("row", VALUES, ids=name_of)
def test_the_grade_that_a_charted_text_states(row: dict[str, str]) -> None:
    wanted = int(row["grade"]) if row["grade"] else None
    assert charted_crs(observed(text=row["charted"])) == wanted
    assert charted_crs(observed(concept=row["charted"])) == wanted


@pytest.mark.parametrize(("number", "grade"), [("0", 0), ("5", 5), ("6", None), ("1.5", None), ("-1", None)])
def test_the_grade_that_a_charted_number_states(number: str, grade: int | None) -> None:
    assert charted_crs(observed(number=number)) == grade


@pytest.mark.parametrize("comparator", ["<", ">="])
def test_a_number_with_a_comparator_states_no_single_grade(comparator: str) -> None:
    quantity = fs.Quantity(Decimal(3), comparator=comparator)
    assert charted_crs(msgspec.structs.replace(observed(number="3"), quantity=quantity)) is None


def test_no_rule_and_no_prefetch_template_knows_what_an_evaluation_alone_reads() -> None:
    packaged = packaged_terminology()
    site = site_terminology({"crs-grade.json": flowsheet("crs-grade", "CRSG")})
    assert prefetch_templates(site) == prefetch_templates(packaged)
    concepts = [c for set_id in RETROSPECTIVE_SETS for c in site.value_sets[set_id] if c.system != LOCAL]
    assert concepts
    assert site.sets_of((c.system, c.code) for c in concepts) == frozenset()


def test_one_code_for_grades_of_crs_and_of_icans_stops_the_start() -> None:
    with pytest.raises(SiteRuleError, match="CRSG is in both icans-grade and crs-grade"):
        site_terminology({name: flowsheet(name, "CRSG") for name in ("crs-grade", "icans-grade")})
