"""The cost that trust and the decision log add to a call: the same call without them, with the log, with both."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.fhir_server import fhir_server
from benchmarks.load import FHIR, LATENCY, OBSERVATIONS, PREFETCH
from benchmarks.our_service import OurService
from benchmarks.patients import call_body, call_with_server
from benchmarks.tables import aim_row, table
from benchmarks.trusted import TrustedClient

CALLS = 25
WITHOUT, LOG, BOTH = "without", "with the log", "with the log and trust"
PART_OF_A_CALL = 0.1
TIMES_PREFETCH = 2.5


@dataclass(frozen=True)
class Cost:
    """Medians of one call: wall time and CPU time of the process, all its threads, in milliseconds."""

    wall: float
    cpu: float


def additions(calls: int = CALLS) -> dict[str, dict[str, Cost]]:
    """Costs by way of reading, then by what is switched on. The contenders take turns."""
    with TemporaryDirectory() as name, fhir_server() as root:
        base = f"{root}/{OBSERVATIONS}/{LATENCY}"
        client = TrustedClient(Path(name), base)
        file = {"CRS_CDS_FHIR_SERVERS": base, "CRS_CDS_DATABASE_URL": f"sqlite:///{Path(name) / 'log.sqlite'}"}
        services = {
            WITHOUT: OurService(CRS_CDS_FHIR_SERVERS=base),
            LOG: OurService(log=True, **file),
            BOTH: OurService(log=True, CRS_CDS_CLIENTS=str(client.file), **file),
        }
        bodies = {FHIR: call_with_server(base), PREFETCH: call_body(OBSERVATIONS)}
        return {what: _taken(services, body, client, calls) for what, body in bodies.items()}


def _taken(services: Mapping[str, OurService], body: bytes, client: TrustedClient, calls: int) -> dict[str, Cost]:
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(calls + 1):
        for name, service in services.items():
            header = {"Authorization": client.authorization()} if name == BOTH else {}
            began = (time.perf_counter(), time.process_time())
            service.answer(body, **header)
            if number:
                taken[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return {name: Cost(*(median(part) * 1000 for part in zip(*spent, strict=True))) for name, spent in taken.items()}


def of_additions(found: Mapping[str, Mapping[str, Cost]]) -> str:
    """The part of the page."""
    rows = [
        f"| {what} | {name} | {cost.wall:.1f} ms | {cost.cpu:.1f} ms |"
        for what, costs in found.items()
        for name, cost in costs.items()
    ]
    read, sent = found[FHIR], found[PREFETCH]
    times = aim_row(
        f"CPU of a call by search: at most {TIMES_PREFETCH:g} times that by prefetch", TIMES_PREFETCH,
        read[WITHOUT].cpu / sent[WITHOUT].cpu,
    )  # fmt: skip
    aim = aim_row(f"the log, of a call with {LATENCY} ms FHIR latency: at most {PART_OF_A_CALL:g}", PART_OF_A_CALL,
                  (read[LOG].wall - read[WITHOUT].wall) / read[LOG].wall)  # fmt: skip
    return "\n\n".join((_WHAT, table("| a call | | wall | CPU |", *rows), table("| aim | found | |", times, aim)))


_WHAT = f"""## What trust and the decision log add

A patient-view call of {OBSERVATIONS} Observations through the WSGI application, median of {CALLS}. The log is SQLite
in a file, every commit on disk; trust is a fresh ES256 token with each call, whose id is kept in the same database."""
