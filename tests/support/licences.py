"""The page `docs/licences.md`: the licences of everything that runs with the service, as each package declares it.

`make docs` writes it, from the pinned packages of `requirements/run.txt`, those of the extras, and the notices of the shipped scripts.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "licences.md"
# what a package may declare, and what that asks of whoever hands the service on
ALLOWED = {
    "0BSD": "", "3-Clause BSD License": "", "Apache-2.0": "", "Apache Software License": "", "BSD": "", "BSD License": "", "BSD-2-Clause": "",
    "BSD-3-Clause": "", "CC0-1.0": "", "ISC": "", "MIT": "", "MIT License": "", "MIT-0": "", "PSF-2.0": "", "Zlib": "",
    "Mozilla Public License 2.0 (MPL 2.0)": "a changed file of it must be handed on as source",
    "LGPL-3.0-only": "used as it is published, as a library of its own that can be exchanged",
}  # fmt: skip
EXTRAS = ("otel", "evaluate", "cluster")  # what a site may install beside the service
SCRIPTS = {
    "Apache ECharts": ("cds_server/course_page/static", "echarts-*.min.js", "Apache-2.0"),
    "markdown-it": ("cds_server/static", "markdown-it-*.min.js", "MIT"),
}


def pinned(requirements: str = "run") -> dict[str, str]:
    """The packages of the service, or of the service with an extra, and their versions; what is for another machine
    only is left out."""
    lines = (ROOT / "requirements" / f"{requirements}.txt").read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9._-]+)==(\S+) \\", line) for line in lines if ";" not in line)
    return {match[1]: match[2] for match in found if match}


def declared(requirements: str = "run") -> dict[str, tuple[str, str]]:
    """The version and licence that each of them declares where the tests run."""
    command = [sys.executable, "-m", "piplicenses", "--python", sys.executable, "--format", "json", "--from", "mixed"]
    done = subprocess.run([*command, "--packages", *pinned(requirements)], capture_output=True, text=True, check=True)  # noqa: S603
    return {plain(row["Name"]): (row["Version"], row["License"]) for row in json.loads(done.stdout)}


def parts(licence: str) -> list[str]:
    """The single licences of an expression: all of them bind, so that `OR` needs no choice."""
    return re.split(r" (?:AND|OR) |; ", licence)


def page() -> str:
    """The page as Markdown."""
    of_service = declared()
    extras = "".join(
        f"\n## Packages that the extra `{extra}` adds\n\n{_table(beyond(extra, of_service))}" for extra in EXTRAS
    )
    scripts = "".join(
        f"| {name} | {version_of(*place)} | {licence} | |\n" for name, (*place, licence) in sorted(SCRIPTS.items())
    )
    return f"""# Licences

crs-cds is Apache-2.0 (`LICENSE`); the code systems in its value sets have terms of their own (`NOTICE`). This page is
made by `make docs`, from what each package declares. `make sbom` lists the same packages for a machine, with hashes.

## Packages that the service runs with

{_table(of_service)}{extras}
## Scripts that pages load

| script | version | licence | |
|---|---|---|---|
{scripts}"""


def beyond(extra: str, of_service: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The packages that an extra adds to those of the service."""
    return {name: found for name, found in declared(extra).items() if name not in of_service}


def _table(packages: dict[str, tuple[str, str]]) -> str:
    rows = "".join(
        f"| {name} | {version} | {licence} | {'; '.join(filter(None, map(ALLOWED.get, parts(licence))))} |\n"
        for name, (version, licence) in sorted(packages.items())
    )
    return f"| package | version | licence | what it asks for beside its notice |\n|---|---|---|---|\n{rows}"


def plain(name: str) -> str:
    """A name as the lock files write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version_of(folder: str, pattern: str) -> str:
    (file,) = (ROOT / folder).glob(pattern)
    return re.search(r"\d+\.\d+\.\d+", file.name)[0]  # type: ignore[index]


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
