"""The last step of the grade in ELM: `python -m benchmarks.elm_grade` beside what the whole grade takes here.

The last step is the maximum of F, H and O, from one temperature, one pressure, the number of vasopressors and the
oxygen that were chosen already. It is written by hand (`elm/last_step_of_the_grade.json`) and run by cql-execution,
the reference engine, which npm fetches into a folder that goes again. Ours is `crs_grade`, which also chooses, in calls
of 200 Observations. Both in µs; no aim hangs on it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.our_service import OurService
from benchmarks.patients import call_body
from fhir_mappings import patient_facts
from fhir_mappings.rules.crs_grade import crs_grade

ENGINE = "cql-execution@3.3.2"
ELM = Path(__file__).parent / "elm"
PATIENTS, ROUNDS, CALLS = 200, 200, 100


def chosen(patients: int) -> Iterator[dict[str, Any]]:
    """Values of so many patients, a different grade each time."""
    draw = Random(1)  # noqa: S311
    for _ in range(patients):
        yield {
            "Temperature": draw.choice((36.8, 37.9, 38.0, 39.4)),
            "SystolicPressure": draw.choice((84, 89, 90, 124)),
            "Vasopressors": draw.choice((0, 0, 0, 1, 2)),
            "PositivePressure": draw.random() < 0.1,
            "OxygenFlow": draw.choice((0.0, 0.0, 2.0, 6.0, 15.0)),
        }


def by_definition(values: dict[str, Any]) -> int:
    """The grade of chosen values, written anew: what the ELM must say too."""
    pressure = 2 if values["SystolicPressure"] < 90 else 0
    pressure = max(pressure, {0: 0, 1: 3}.get(values["Vasopressors"], 4))
    flow = values["OxygenFlow"]
    oxygen = 4 if values["PositivePressure"] else 3 if flow > 6 else 2 if flow > 0 else 0
    return max(1, pressure, oxygen) if values["Temperature"] >= 38 else 0


def in_elm(patients: list[dict[str, Any]]) -> float:
    """µs for a patient by cql-execution. Raises ValueError for a grade that is another than by its definition."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SystemExit("needs node and npm")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "patients.json"
        file.write_text(json.dumps(patients), encoding="utf-8")
        for one in ELM.iterdir():
            shutil.copy(one, folder)
        subprocess.run([npm, "install", "--silent", "--no-save", "--prefix", folder, ENGINE], check=True)  # noqa: S603
        command = [node, str(Path(folder) / "grades.cjs"), str(file), str(ROUNDS)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
    if found["grades"] != [by_definition(values) for values in patients]:
        raise ValueError("the ELM gives another grade than its definition")
    return float(found["microseconds"])


def in_calls() -> float:
    """The median µs of `crs_grade` for the grade of now, in calls of 200 Observations."""
    spent: list[float] = []

    def timed(*of: Any) -> Any:
        began = time.process_time()
        grade = crs_grade(*of)
        spent.append(time.process_time() - began)
        return grade

    service, body = OurService(), call_body(200)
    with patch.object(patient_facts, "crs_grade", timed):
        for _ in range(CALLS):
            service.answer(body)
    return median(spent) * 1e6


if __name__ == "__main__":
    print(f"the last step in ELM: {in_elm(list(chosen(PATIENTS))):.0f} µs; the whole grade here: {in_calls():.0f} µs")
