"""A FHIR server that can be written to: `FhirWire` with transactions of PUT and DELETE."""

from __future__ import annotations

import json

import responses
from requests import PreparedRequest

from example_patients.programs.seed import reference_of
from tests.support.fhir_wire import BASE, Answer, FhirWire, outcome


class FhirShelf(FhirWire):
    """Refuses to delete what others refer to."""

    def on(self, mock: responses.RequestsMock) -> FhirShelf:
        super().on(mock)
        mock.add_callback(responses.POST, BASE, callback=self._transaction)
        return self

    def _transaction(self, request: PreparedRequest) -> Answer:
        self.headers.append(dict(request.headers))
        bundle = json.loads(request.body or "")
        for entry in bundle["entry"]:
            reference = entry["request"]["url"]
            self.resources = [r for r in self.resources if reference_of(r) != reference]
            if entry["request"]["method"] == "PUT":
                self.resources.append(json.loads(json.dumps(entry["resource"])))
            elif not reference.startswith("Observation/") and f'"{reference}"' in json.dumps(self.resources):
                return outcome(409, f"{reference} is referred to")
        return 200, {}, json.dumps({"resourceType": "Bundle", "type": "transaction-response"})
