"""The size of an installation and the time a worker takes to start.

`python -m benchmarks.start_up DATABASE` prints the seconds and MiB of one start as JSON, and the cost of its first call
beside the next one, which is of another patient.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import partial
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.tables import aim_row, table

if TYPE_CHECKING:
    from packaging.requirements import Requirement

STARTS = 5
CREATED_WITHIN = 0.5  # seconds after the imports
FIRST_OF_NEXT = 2.0
FIRST_CALL = "first call over the next"
OURS = ("cds_server", "fhir_mappings", "cards", "example_patients")
ROOT = Path(__file__).parents[1]
SITE_PYTHON = ROOT / ".venv-site" / "bin" / "python"
MIB = 1024 * 1024


def installed() -> dict[str, float]:
    """MiB of each distribution that the service needs at run time, ours among them, as installed here with its
    compiled modules."""
    found = {"crs-cds": _size(file for name in OURS for file in (ROOT / name).rglob("*") if file.is_file())}
    wanted = _needed(distribution("crs-cds"), {""})
    while wanted:
        requirement = wanted.pop()
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError:  # of another system or Python
            continue
        if package.name not in found:
            found[package.name] = _size(Path(str(file.locate())) for file in package.files or ())
            wanted += _needed(package, requirement.extras or {""})
    return found


def _needed(package: Distribution, extras: Iterable[str]) -> list[Requirement]:
    from packaging.requirements import Requirement  # noqa: PLC0415 - a site has no such package

    found = [Requirement(line) for line in package.requires or ()]
    return [r for r in found if r.marker is None or any(r.marker.evaluate({"extra": extra}) for extra in extras)]


def _size(files: Iterable[Path]) -> float:
    return sum(file.stat().st_size for file in files if file.exists()) / MIB


def starts(number: int = STARTS, python: Path = SITE_PYTHON) -> dict[str, float]:
    """Medians over `number` starts, each in a process of its own with the packages of a site, and with a database that
    already exists."""
    with TemporaryDirectory() as folder:
        command = [str(python), "-m", "benchmarks.start_up", f"sqlite:///{Path(folder) / 'log.sqlite'}"]
        told = [
            json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)  # noqa: S603
            for _ in range(number + 1)  # the first one makes the tables
        ]
    return {name: median(one[name] for one in told[1:]) for name in told[0]}


def main(database: str) -> None:
    began = time.perf_counter()
    from cds_server.app import create_app  # noqa: PLC0415
    from cds_server.operations.warm_start import warm_start  # noqa: PLC0415
    from cds_server.running import RUNNING_KEY  # noqa: PLC0415

    imported = time.perf_counter()
    site = {"CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_DATABASE_URL": database}
    app = create_app(os.environ | site)
    created = time.perf_counter()
    warm_start(app.extensions[RUNNING_KEY].sources.rules.terms)
    warm = time.perf_counter()
    from benchmarks.memory import resident  # noqa: PLC0415
    from benchmarks.our_service import OurService  # noqa: PLC0415
    from benchmarks.patients import call_body, copies  # noqa: PLC0415
    from benchmarks.side_by_side import cpu_milliseconds  # noqa: PLC0415

    mebibytes, service = resident(), OurService(CRS_CDS_DATABASE_URL=database)
    first, second = (cpu_milliseconds(partial(service.answer, body)) for body in islice(copies(call_body(200)), 2))
    found = {
        "imports, seconds": imported - began,
        "create_app, seconds": created - imported,
        "warm start, seconds": warm - created,
        "resident, MiB": mebibytes,
        FIRST_CALL: first / second,
    }
    print(json.dumps(found))


def of_start(packages: dict[str, float], found: dict[str, float]) -> str:
    """The part of the page."""
    largest = sorted(packages, key=lambda name: packages[name], reverse=True)[:8]
    weigh = f"Installed: {sum(packages.values()):.0f} MiB in {len(packages)} distributions, the largest of them "
    rows = [f"| {name} | {number:.2f} |" for name, number in found.items()]
    created = f"`create_app`: at most {CREATED_WITHIN} s after the imports"
    first = f"the first call: at most {FIRST_OF_NEXT:g} times the next, of another patient"
    aims = (
        aim_row(created, CREATED_WITHIN, found["create_app, seconds"]),
        aim_row(first, FIRST_OF_NEXT, found[FIRST_CALL]),
    )
    return "\n\n".join(
        (
            "## Size and start",
            weigh + ", ".join(f"{name} {packages[name]:.1f}" for name in largest) + ".",
            table(f"| one start, median of {STARTS} | |", *rows),
            table("| aim | found | |", *aims),
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
