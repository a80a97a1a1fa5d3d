"""Resident memory of one worker: `python -m benchmarks.memory LARGEST CALLS DATABASE` prints MiB by step, as JSON.

The largest call is read from its file, as a server reads it from a socket, so that the call alone holds the body.
"""

from __future__ import annotations

import gc
import json
import sys
from itertools import islice
from pathlib import Path

from benchmarks.our_service import OurService
from benchmarks.patients import call_body, copies


def resident() -> float:
    """MiB of this process now; 0 if the system does not say."""
    gc.collect()
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return round(next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0), 1)


def main(largest: str, calls: str, database: str) -> None:
    service, path = OurService(CRS_CDS_DATABASE_URL=database), Path(largest)
    others = copies(call_body(200))
    found = {"after start": resident()}
    for part in ("first", "second", "third"):
        for body in islice(others, int(calls)):
            service.answer(body)
        found[f"after the {part} {calls} patients of 200 Observations"] = resident()
    for part in ("one call", "three calls"):
        for _ in range(1 if part == "one call" else 2):
            with path.open("rb") as stream:
                service.answer_stream(stream, path.stat().st_size)
        found[f"after {part} of the largest patient"] = resident()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
