"""`crs-cds check-config --patient`: the form in which each FHIR server matches a patient, type by type."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import responses
from click.testing import CliRunner, Result

from cds_server.command_line.program import commands
from tests.support.desk import bundle, chart_of, scene_of
from tests.support.fhir_wire import BASE, Answer, FhirWire, Resource
from tests.support.tables import rows

_, SCENE = scene_of("3")
CAPABILITY: Answer = (200, {}, json.dumps({"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}))
EMPTY: Answer = (200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset"}))


def checked(fault: Callable[[str], Answer | None], setting: str, patient: str = SCENE.patient_id) -> Result:
    environ = {"CRS_CDS_ENV": "development", "CRS_CDS_FHIR_SERVERS": BASE, "CRS_CDS_DATABASE_URL": "sqlite://",
               "CRS_CDS_PATIENT_SEARCH": setting}  # fmt: skip
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        server = FhirWire(chart_of("3")).on(mock)
        server.fault = lambda url: CAPABILITY if url.endswith("/metadata") else fault(url)
        return CliRunner().invoke(commands, ["check-config", "--patient", patient], env=environ)


def is_reference(url: str) -> bool:
    return "patient=Patient%2F" in url


def answered(chart: list[Resource], url: str) -> Answer:
    """What a server that does not know `patient` answers: the first resource of the type, whosever it is."""
    wanted = urlsplit(url).path.rpartition("/")[2]
    return 200, {}, json.dumps(bundle([r for r in chart if r["resourceType"] == wanted][:1]))


# what the server finds nothing of, by the form of the patient; or what it answers with in place of the patient's
SERVERS = rows("""
| id          | reference                | setting   | exit | says                                                                       |
| –           | –                        | auto      | 0    | patient=ID finds MedicationAdministration, Observation                     |
| every type  | –                        | auto      | 0    | patient=Patient/ID finds MedicationAdministration, Observation             |
| every type  | –                        | reference | 0    | patient=Patient/ID finds MedicationAdministration, Observation             |
| every type  | –                        | id        | 1    | CRS_CDS_PATIENT_SEARCH=id finds no MedicationAdministration, Observation   |
| Observation | MedicationAdministration | auto      | 1    | patient=ID finds no Observation; patient=Patient/ID finds no MedicationAdministration: a server that wants both |
| every type  | every type               | auto      | 1    | nothing of the patient was found in either form                            |
| everybody's | everybody's              | auto      | 1    | nothing of the patient was found in either form                            |
| everybody's | –                        | auto      | 0    | patient=Patient/ID finds MedicationAdministration, Observation             |
""")


@pytest.mark.parametrize("row", SERVERS, ids=lambda row: f"{row['id']} {row['reference']} {row['setting']}")
def test_the_form_that_finds_everything_is_named_and_the_types_that_are_empty(row: dict[str, str]) -> None:
    def fault(url: str) -> Answer | None:
        of = row["reference" if is_reference(url) else "id"]
        if of == "everybody's":
            return answered(chart_of("5"), url)
        return EMPTY if of == "every type" or f"/{of}?" in url else None

    said = checked(fault, row["setting"])
    assert (said.exit_code, row["says"] in said.output) == (int(row["exit"]), True), said.output
