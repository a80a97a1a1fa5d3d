"""The image: what it is made of is listed once, and it serves when its steps are run in a bare folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from example_patients.programs.demo import HOST, free_port, server
from tests.support.image import ROOT, Image, assembled, build_context, dockerignore_rules, instructions, is_in_context
from tests.support.tables import rows

WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = WHEEL["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
PROJECT = {"pyproject.toml", WHEEL["project"]["readme"], "LICENSE", "NOTICE"}
COPIED = {
    word for name, text in instructions() if name == "COPY" and "--from" not in text for word in text.split()[:-1]
}


def test_the_build_context_is_what_the_wheel_is_made_of_and_what_the_dockerfile_copies() -> None:
    listed = {rule.removeprefix("!") for rule in dockerignore_rules() if rule.startswith("!")}
    assert listed == {*PACKAGES, *PROJECT, *COPIED} - {"."}


def test_every_package_of_the_project_is_in_the_wheel() -> None:
    not_shipped = {"tests", "benchmarks"}
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - not_shipped
    assert {name for name in PACKAGES if not name.endswith(".py")} == packages
    assert set(WHEEL["tool"]["mypy"]["packages"]) >= packages
    assert set(WHEEL["tool"]["mutmut"]["source_paths"]) == packages


PATHS = rows("""
| path                                     | sent | because                           |
| cds_server/app.py                        | yes  | a module                          |
| order_desk/static/desk.js                | yes  | a file beside modules             |
| gunicorn.conf.py                         | yes  | a setting of the server           |
| requirements/run.txt                     | yes  | the libraries                     |
| requirements/test.txt                    | no   | the libraries of the tests        |
| tests/conftest.py                        | no   | a test                            |
| cds_server/__pycache__/app.cpython-311.pyc | no | made by Python                    |
| .git/config                              | no   | the history                       |
| crs-cds.sqlite                           | no   | someone's decision log            |
| keys/client.pem                          | no   | someone's key                     |
""")


@pytest.mark.parametrize("row", PATHS, ids=lambda row: row["path"])
def test_what_is_sent_to_the_engine(row: dict[str, str]) -> None:
    assert is_in_context(row["path"], dockerignore_rules()) is (row["sent"] == "yes"), row["because"]


def test_no_file_of_a_package_is_left_out() -> None:
    tracked = subprocess.run(  # noqa: S603
        ["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True  # noqa: S607
    ).stdout.split()  # fmt: skip
    assert sorted(set(tracked) - set(build_context())) == []


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    here = Path(tempfile.mkdtemp(prefix="crs-cds-image-"))
    here.chmod(0o755)  # the user of the image may enter
    try:
        yield assembled(here)
    finally:
        shutil.rmtree(here, ignore_errors=True)


@pytest.fixture(scope="module")
def service(image: Image) -> Iterator[tuple[str, dict[str, str]]]:
    """The image's own command, as the image's user where that may be, at a free port."""
    port = free_port(0)
    environ = image.variables(CRS_CDS_ENV="development", CRS_CDS_PUBLIC_URL=f"http://{HOST}:{port}")
    command = [image.there(word).replace("0.0.0.0:8000", f"{HOST}:{port}") for word in image.command]
    command[0] = str(image.path("/opt/crs-cds/bin") / command[0])
    if image.user is not None:
        command = ["setpriv", f"--reuid={image.user}", f"--regid={image.user}", "--clear-groups", *command]
    url = f"http://{HOST}:{port}"
    command = ["env", "--chdir", str(image.path(image.work)), *command]
    with server(command, f"{url}/health/live", environ, image.folder / "log"):
        yield url, environ


def test_the_image_holds_no_tool_to_build_with(image: Image) -> None:
    programs = {file.name for file in image.path("/opt/crs-cds/bin").iterdir()}
    assert {"gunicorn", "crs-cds"} <= programs
    assert not [name for name in programs if name.startswith("pip")]


@pytest.mark.live
def test_the_image_is_healthy_by_its_own_check(image: Image, service: tuple[str, dict[str, str]]) -> None:
    url, environ = service
    words = [word.replace("127.0.0.1:8000", url.removeprefix("http://")) for word in image.health]
    words[0] = str(image.path("/opt/crs-cds/bin") / words[0])
    subprocess.run(words, env=environ, check=True, timeout=20)  # noqa: S603
    assert requests.get(f"{url}/health/ready", timeout=20).json()["status"] == "ready"
    log = image.path("/var/lib/crs-cds/decisions.sqlite")
    assert log.stat().st_uid == (image.user if image.user is not None else os.getuid())


@pytest.mark.live
def test_the_image_answers_a_call(service: tuple[str, dict[str, str]]) -> None:
    body = {
        "hook": "patient-view", "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10",
        "context": {"patientId": "p", "userId": "Practitioner/1"},
        "prefetch": {"recentAdministrations": None, "cellTherapyProcedures": None},
    }  # fmt: skip
    url, _ = service
    answer = requests.post(f"{url}/cds-services/crs-patient-view", json=body, timeout=20)
    assert (answer.status_code, answer.json()["cards"]) == (200, [])
    assert requests.get(f"{url}/demo", timeout=20).status_code == 200, "the order desk is in the wheel"
