"""`crs-cds seed` and `selftest` with a real FHIR server (Sekmet) and crs-cds under gunicorn, over sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.programs.commands import seed, selftest
from example_patients.programs.demo import crs_cds, sekmet
from tests.support.desk import SCENES
from tests.support.gunicorn_service import gunicorn
from tests.support.tokens import ISSUER, KEY, KEYS

pytest.importorskip("sekmet", reason="Sekmet is not installed: `make test` installs it")
pytestmark = pytest.mark.live
CALLS = len(SCENES) * len(SERVICE_OF_HOOK) * 2
ELSEWHERE = {"resourceType": "Patient", "id": "crs-cds-not-an-example", "birthDate": "1980-01-01"}


def run(command: Any, *args: str) -> Result:
    return CliRunner().invoke(command, args, env={"CRS_CDS_TIMEZONE": None})


@pytest.fixture(scope="module")
def fhir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sekmet(tmp_path_factory.mktemp("fhir"), 0) as base:
        yield base


@pytest.fixture(scope="module")
def service(fhir: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with crs_cds(tmp_path_factory.mktemp("service"), fhir, "UTC", 0) as url:
        yield url


def differences(said: Result) -> list[dict[str, Any]]:
    return [row for row in json.loads(said.stdout)["rows"] if not row["ok"]]


def test_every_patient_gets_the_wanted_cards_on_every_hook(fhir: str, service: str) -> None:
    assert run(seed, fhir).exit_code == 0
    said = run(selftest, service, "--fhir", fhir, "--json")
    assert differences(said) == []
    rows = json.loads(said.stdout)["rows"]
    asked = {(row["patient"], row["hook"], row["how"]) for row in rows if row["how"] in ("prefetch", "search")}
    assert len(asked) == CALLS
    assert [(row["hook"], row["how"]) for row in (rows[0], *rows[CALLS + 1 :])] == [
        ("discovery", "GET"), ("feedback", "accepted"), ("feedback", "overridden"),
    ]  # fmt: skip
    assert said.exit_code == 0


def test_a_service_that_wants_a_jwt_counts_days_in_hawaii_and_has_no_ice_score(fhir: str, tmp_path: Path) -> None:
    zone = "Pacific/Honolulu"
    (tmp_path / "value_sets").mkdir()
    (tmp_path / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    (tmp_path / "clients.toml").write_text(
        f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = ["{fhir}"]\n', encoding="utf-8"
    )
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(private)
    settings = {
        "CRS_CDS_CLIENTS": str(tmp_path / "clients.toml"), "CRS_CDS_FHIR_SERVERS": fhir, "CRS_CDS_TIMEZONE": zone,
        "CRS_CDS_VALUE_SETS": str(tmp_path / "value_sets"),
    }  # fmt: skip
    assert run(seed, fhir, "--timezone", zone).exit_code == 0
    with gunicorn(tmp_path, **settings) as strict:
        said = run(selftest, strict.url, "--fhir", fhir)
        assert (said.exit_code, said.stdout) == (2, "")
        assert said.stderr == "Error: discovery: the server answers 401 (Authorization: a Bearer token is needed)\n"
        key = ("--key", str(tmp_path / "key.pem"), "--issuer", ISSUER, "--kid", "k1")
        said = run(selftest, strict.url, "--fhir", fhir, "--json", *key)
    assert differences(said) == []
    assert [remark.partition(":")[0] for remark in json.loads(said.stdout)["remarks"]] == [
        "The site has no code of the example hospital's ICE score"
    ]


def test_a_difference_is_shown_with_what_may_explain_it_and_seeding_again_mends_it(fhir: str, service: str) -> None:
    assert run(seed, fhir, "--timezone", "Pacific/Honolulu").exit_code == 0
    assert requests.delete(f"{fhir}/Observation/crs-cds-example-3-0", timeout=30).ok, "the IL-6 baseline"
    said = run(selftest, service, "--fhir", fhir)
    assert said.exit_code == 1
    lines = said.stdout.splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines if "|" in line]
    assert cells[0] == ["patient", "hook", "how", "wanted", "got", "ok"]
    assert [row for row in cells if row[-1] == "NO"] == [
        ["crs-cds-example-3", hook, how, "toci-recommended, crs-grade", "toci-guideline, data-quality, crs-grade", "NO"]
        for hook in ("patient-view", "encounter-start")
        for how in ("prefetch", "search")
    ]  # fmt: skip
    assert f"{CALLS - 1} of {CALLS + 3} as wanted." in lines
    assert (
        "The service shows an infusion at 20:00 that was seeded for 10:00: it counts days in another zone"
        in said.stdout
    )
    assert "With numbers, codes or card modes of the site's own, other cards may be right" in said.stdout
    assert run(seed, fhir, "--timezone", "Pacific/Honolulu").stdout.startswith("1 of 792 resources written")


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
    here = [sys.executable, "-m", "example_patients.programs.selftest_here", fhir]
    said = subprocess.run(here, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert said.returncode == 2
    assert said.stderr == "Error: looking for the examples: they are not on the FHIR server: run crs-cds seed first\n"
