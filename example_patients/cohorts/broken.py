"""An export with everything that goes wrong with exports, made of eight patients of the paper's cohort."""

from __future__ import annotations

import json

from example_patients.cohorts.export import Cohort, ndjson
from example_patients.cohorts.paper import paper_cohort
from example_patients.stories.chart import Resource

PATIENTS = 8
PROTOCOL = """\
title = "A broken export (a constructed cohort)"
note = "Constructed data: no patient of this cohort exists. Files are cut off, doubled or missing on purpose."
constructed = true
"""


def broken_cohort() -> Cohort:
    """Eight patients: an Observation file twice, one with a bad line, a cut-off file, no Medication, an error, a
    deletion."""
    whole = paper_cohort().resources
    patients = [r for r in whole if r["resourceType"] == "Patient"][:PATIENTS]
    ids = {patient["id"] for patient in patients}
    of_type = {
        name: [r for r in whole if r["resourceType"] == name and r["subject"]["reference"].partition("/")[2] in ids]
        for name in ("Observation", "MedicationAdministration")
    }
    observations = ndjson(of_type["Observation"])
    given = ndjson(of_type["MedicationAdministration"])
    return Cohort(
        tuple(patients),
        PROTOCOL,
        more={
            "Observation.000.ndjson": observations,
            "Observation.000 (1).ndjson": observations,
            "Observation.001.ndjson": '{"resourceType": "Observation", "id": "not-ended\n',
            "MedicationAdministration.ndjson": given[: -len(given.splitlines()[-1]) // 2],
            "error.ndjson": json.dumps(_error()) + "\n",
            "deleted.ndjson": json.dumps(_deleted(of_type["Observation"][0])) + "\n",
        },
    )


def _error() -> Resource:
    issue = {"severity": "error", "code": "processing", "diagnostics": "Condition could not be exported"}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _deleted(resource: Resource) -> Resource:
    request = {"method": "DELETE", "url": f"Observation/{resource['id']}"}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": request}]}
