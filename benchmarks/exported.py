"""The inventory of an export, `crs-cds coverage`: CPU beside a typed scan of the same lines, and the peak of memory.

`python -m benchmarks.exported` measures both sizes and prints the part of the page; with a file it prints what reading
that file cost, as JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.tables import aim_row, table
from cds_server.exports.export import Export
from cds_server.inventory.in_force import InForce
from cds_server.inventory.inventory import inventory
from cds_server.inventory_report.as_json import as_json
from cds_server.inventory_report.report import report
from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.reading import fhir_structs as fs

FEW, MANY = 100_000, 1_000_000
CODES, PATIENTS = 10_000, 1_000
SECONDS, TIMES_MEMORY = 60.0, 1.2
MIB = 1024 * 1024
ROOT = Path(__file__).parents[1]
OPENS = datetime(2026, 1, 1, tzinfo=UTC)
LOINC = "http://loinc.org"
# code, display, unit, value of what is of interest: every third Observation
OURS = (
    ("8310-5", "Body temperature", "Cel", 37.2), ("8480-6", "Systolic blood pressure", "mm[Hg]", 118),
    ("59408-5", "Oxygen saturation", "%", 97), ("26881-3", "Interleukin 6", "pg/mL", 12.5),
    ("1988-5", "C reactive protein", "mg/L", 14),
)  # fmt: skip
_PADDING = {
    "meta": {"versionId": "1", "lastUpdated": "2026-01-02T08:00:00Z", "source": "#LaboratoryGateway"},
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                              "code": "laboratory", "display": "Laboratory"}], "text": "Laboratory"}],
    "performer": [{"reference": "Practitioner/e7h4pT4mJ2c8QfRrYwQ3", "display": "Registered Nurse"}],
    "device": {"reference": "Device/eGq0vY1p8Tn4sK5dZ2bA", "display": "Bedside monitor, bed 12"},
}  # fmt: skip


def lines(number: int) -> Iterator[str]:
    """Observations of about 1 kB with `CODES` distinct codes, of `PATIENTS` patients."""
    for index in range(number):
        turn = index // 3
        local = (f"LAB{index % CODES}", f"Local laboratory test number {index % CODES}", "mmol/L", 4.1)
        code, display, unit, value = OURS[turn % len(OURS)] if index % 3 == 0 else local
        system = LOINC if index % 3 == 0 else "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
        who = f"Patient/ePatient{index % PATIENTS:08d}"
        yield json.dumps({
            "resourceType": "Observation", "id": f"eObservation{index:010d}", **_PADDING, "status": "final",
            "identifier": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.6.1", "value": f"observation-{index}"}],
            "code": {"coding": [{"system": system, "code": code, "display": display}], "text": display},
            "subject": {"reference": who, "display": "Example, Anna"},
            "encounter": {"reference": f"Encounter/{who}-stay", "display": "Hospital Encounter"},
            "effectiveDateTime": (OPENS + timedelta(seconds=index)).isoformat(), "issued": "2026-01-02T08:00:00Z",
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        }, separators=(",", ":"))  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """CPU seconds and peak MiB of one inventory in a process of its own, and CPU seconds of the typed scan."""

    seconds: float
    mebibytes: float
    scan: float
    size: float


def cost(number: int) -> Cost:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "Observation.ndjson"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines(number))
        command = [sys.executable, "-m", "benchmarks.exported", str(path)]
        told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)  # noqa: S603
        return Cost(told["seconds"], told["mebibytes"], _scan_seconds(path), path.stat().st_size / MIB)


def _scan_seconds(path: Path) -> float:
    decoder = msgspec.json.Decoder(fs.Observation)
    begun = time.process_time()
    with path.open("rb") as file:
        for line in file:
            decoder.decode(line)
    return time.process_time() - begun


def main(path: str) -> None:
    """Read an export as the command does, its report included."""
    in_force = InForce(packaged_terminology(), Thresholds(), UTC, datetime(2026, 12, 31, tzinfo=UTC))
    shown = as_json(report(inventory(Export([Path(path)]), in_force), shared=False))
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "seconds": used.ru_utime + used.ru_stime,
        "mebibytes": used.ru_maxrss / 1024,
        "resources": sum(shown["resources"].values()),
        "codes": len(shown["otherCodes"]),
    }
    print(json.dumps(found))


def of_export(costs: Mapping[int, Cost]) -> str:
    """The part of the page."""
    rows = [
        f"| {number:,} | {c.size:,.0f} MiB | {c.seconds:.1f} s | {c.seconds / c.scan:.1f} | {c.mebibytes:.0f} MiB |"
        for number, c in costs.items()
    ]
    few, many = costs[min(costs)], costs[max(costs)]
    aims = (
        aim_row(f"{max(costs):,} Observations: at most {SECONDS:g} s of CPU", SECONDS, many.seconds),
        aim_row(
            f"peak memory: at most {TIMES_MEMORY:g} times that of {min(costs):,}",
            TIMES_MEMORY,
            many.mebibytes / few.mebibytes,
        ),
    )
    return "\n\n".join((
        _WHAT,
        table("| Observations | size | CPU | over a typed scan | peak memory |", *rows),
        table("| aim | found | |", *aims),
    ))  # fmt: skip


_WHAT = f"""## An export

`crs-cds coverage` on one NDJSON file: Observations of about 1 kB, {CODES:,} distinct codes, {PATIENTS:,} patients,
every third Observation of interest. The file is read twice, as the command does, and the report is made; CPU and peak
memory are those of a whole process, its start included. The typed scan decodes each line once, by msgspec, and does
nothing else."""


def costs(sizes: Iterable[int] = (FEW, MANY)) -> dict[int, Cost]:
    return {number: cost(number) for number in sizes}


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1])
    else:
        print(of_export(costs()))
