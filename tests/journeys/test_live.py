"""`crs-cds seed` and `selftest` with a real FHIR server (Sekmet) and crs-cds under gunicorn, over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from example_patients.commands import seed
from example_patients.demo import sekmet
from tests.journeys.desk import SCENES

pytest.importorskip("sekmet", reason="Sekmet is not installed: `make test` installs it")
pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]
CALLS = len(SCENES) * 3 * 2
ELSEWHERE = {"resourceType": "Patient", "id": "crs-cds-not-an-example", "birthDate": "1980-01-01"}


def run(command: Any, *args: str) -> Result:
    return CliRunner().invoke(command, args, env={"CRS_CDS_TIMEZONE": None})


@pytest.fixture(scope="module")
def fhir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sekmet(tmp_path_factory.mktemp("fhir")) as base:
        yield base


def test_seeding_twice_changes_nothing_and_removing_takes_away_no_other_resource(fhir: str) -> None:
    def version(reference: str) -> tuple[int, str]:
        found = requests.get(f"{fhir}/{reference}", timeout=30)
        return found.status_code, found.json().get("meta", {}).get("versionId", "")

    assert requests.put(f"{fhir}/Patient/{ELSEWHERE['id']}", json=ELSEWHERE, timeout=30).ok
    run(seed, fhir, "--remove")
    assert run(seed, fhir).stdout.startswith("792 of 792 resources written: 22 patients whose calls are at ")
    before = version("Patient/crs-cds-example-3")
    assert run(seed, fhir).stdout.startswith("Unchanged: 22 patients whose calls are at ")
    assert version("Patient/crs-cds-example-3") == before
    assert run(seed, fhir, "--remove").stdout == "792 resources removed.\n"
    assert version("Patient/crs-cds-example-3") == (410, "")
    assert version(f"Patient/{ELSEWHERE['id']}")[0] == 200
    assert run(seed, fhir, "--remove").stdout == "Nothing to remove.\n"
