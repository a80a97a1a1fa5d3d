"""The wheel by itself: installed into an environment of its own, it serves from a folder that is no checkout."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from example_patients.programs.demo import HOST, free_port, server
from tests.support.tables import rows

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.live


@dataclass(frozen=True)
class Installed:
    """The environment's programs, and an empty folder to run them in."""

    bin: Path
    folder: Path

    def environ(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CRS_CDS_", "PROMETHEUS_", "PYTHON"))}
        database = f"sqlite:///{self.folder / 'log.sqlite'}"
        ours = {"CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_DATABASE_URL": database}
        return kept | ours | {"PYTHONSAFEPATH": "1", "TMPDIR": str(self.folder)} | more

    def run(self, *command: str) -> str:
        done = subprocess.run(  # noqa: S603
            [str(self.bin / command[0]), *command[1:]], cwd=self.folder, env=self.environ(), capture_output=True,
            text=True, timeout=120, check=True,
        )  # fmt: skip
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this checkout beside the libraries that it needs, and nothing else of ours on any path."""
    built, home, folder = (tmp_path_factory.mktemp(name) for name in ("built", "environment", "folder"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)  # noqa: S603
    venv.create(home, with_pip=False)
    (wheel,) = built.glob("*.whl")
    python = home / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True, timeout=120)  # noqa: S603
    # a folder named in a .pth is searched, its own .pth files are not: the editable install of the checkout stays out
    packages = next((home / "lib").glob("python*/site-packages"))
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return Installed(home / "bin", folder)


def test_nothing_of_the_checkout_is_on_the_path(installed: Installed) -> None:
    names = "cards, cds_server, crs_cds, example_patients, fhir_mappings, order_desk, wsgi"
    told = installed.run("python", "-c", f"import {names.removesuffix(', wsgi')}, sys; print(cds_server.__file__)")
    assert told.startswith(str(installed.bin.parent))
    assert str(ROOT) not in installed.run("python", "-c", "import sys; print(sys.path[:-1])")


COMMANDS = rows("""
| command                                      | prints                  |
| crs-cds --help                               | explain                 |
| crs-cds decision-table                       | ## Rows                 |
| crs-cds check-config --prefetch              | recentAdministrations   |
""")


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row["command"])
def test_the_program_runs(row: dict[str, str], installed: Installed) -> None:
    assert row["prints"] in installed.run(*row["command"].split())


@pytest.fixture(scope="module")
def service(installed: Installed) -> Iterator[str]:
    url = f"http://{HOST}:{free_port(0)}"
    shutil.copy(ROOT / "gunicorn.conf.py", installed.folder)
    # the libraries are those of the tests, and so are their programs: gunicorn is run as a module
    command = [str(installed.bin / "python"), "-m", "gunicorn", "--chdir", str(installed.folder)]
    command += ["--config", str(installed.folder / "gunicorn.conf.py")]
    command += ["--bind", url.removeprefix("http://"), "wsgi:app"]
    with server(command, f"{url}/health/live", installed.environ(CRS_CDS_PUBLIC_URL=url), installed.folder / "log"):
        yield url


PAGES = rows("""
| address                          | holds                        |
| /cds-services                    | crs-order-sign               |
| /                                | crs-patient-view             |
| /decision-table                  | decision                     |
| /openapi.json                    | crs-order-sign               |
| /demo                            | order desk                   |
| /static/crs-cds.css              | {                            |
| /static/markdown-it-15.0.3.min.js | markdown                    |
| /static/course/course.js         | import                       |
| /static/course/echarts-6.1.0.min.js | Apache                    |
| /demo/static/desk.js             | import                       |
| /health/ready                    | ready                        |
""")


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row["address"])
def test_the_service_and_its_pages_are_served(row: dict[str, str], service: str) -> None:
    answer = requests.get(f"{service}{row['address']}", timeout=20)
    assert answer.status_code == 200
    assert row["holds"] in answer.text


def test_a_call_is_answered(service: str) -> None:
    body = {
        "hook": "patient-view", "hookInstance": "8c2e5c4e-4f7e-4a53-9df1-2f3c6a5a1b10",
        "context": {"patientId": "p", "userId": "Practitioner/1"},
        "prefetch": {"recentAdministrations": None, "cellTherapyProcedures": None},
    }  # fmt: skip
    answer = requests.post(f"{service}/cds-services/crs-patient-view", json=body, timeout=20)
    assert (answer.status_code, answer.json()["cards"]) == (200, [])
