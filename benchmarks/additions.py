"""The cost that trust and the decision log add to a call: the same call without them, with the log, with both. Beside
it the requests of a call by search, sent by `requests` alone: no call by search can cost less than a call by prefetch
and they together."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import requests
from requests.adapters import HTTPAdapter

from benchmarks.fhir_server import counts, fhir_server
from benchmarks.load import FHIR, LATENCY, OBSERVATIONS, PREFETCH
from benchmarks.our_service import OurService
from benchmarks.patients import call_body, call_with_server
from benchmarks.tables import aim_row, table
from benchmarks.trusted import TrustedClient
from benchmarks.with_fhir import search_alone

CALLS = 25
WITHOUT, LOG, BOTH = "without", "with the log", "with the log and trust"
ALONE = "its requests alone, side by side, by `requests`"
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

        def contenders(body: bytes) -> dict[str, Callable[[], object]]:
            trusted = partial(_trusted, services[BOTH], body, client)
            return {**{name: partial(services[name].answer, body) for name in (WITHOUT, LOG)}, BOTH: trusted}

        by_search = contenders(call_with_server(base))
        by_search[WITHOUT]()
        counts(root)
        by_search[WITHOUT]()
        with _alone(root, counts(root).addresses) as alone:
            found = _taken({**by_search, ALONE: alone}, calls)
        return {FHIR: found, PREFETCH: _taken(contenders(call_body(OBSERVATIONS)), calls)}


def _trusted(service: OurService, body: bytes, client: TrustedClient) -> bytes:
    return service.answer(body, Authorization=client.authorization())


@contextmanager
def _alone(root: str, addresses: Iterable[str]) -> Iterator[Callable[[], object]]:
    """All requests of a call at once, on connections that stay open."""
    every = [f"{root}{address}" for address in addresses if "_getpages=" not in address]
    with requests.Session() as session, ThreadPoolExecutor(len(every)) as threads:
        session.trust_env = False
        session.mount("http://", HTTPAdapter(pool_maxsize=len(every)))
        yield lambda: list(threads.map(partial(search_alone, session), every))


def _taken(contenders: Mapping[str, Callable[[], object]], calls: int) -> dict[str, Cost]:
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(calls + 1):
        for name, work in contenders.items():
            began = (time.perf_counter(), time.process_time())
            work()
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
    least = (sent[WITHOUT].cpu + read[ALONE].cpu) / sent[WITHOUT].cpu
    floor = f"A call by prefetch and those requests alone would be {least:.2f} times a call by prefetch."
    aims = table("| aim | found | |", times, aim)
    return "\n\n".join((_WHAT, table("| a call | | wall | CPU |", *rows), floor, aims))


_WHAT = f"""## What trust and the decision log add

A patient-view call of {OBSERVATIONS} Observations through the WSGI application, median of {CALLS}. The log is SQLite
in a file, every commit on disk; trust is a fresh ES256 token with each call, whose id is kept in the same database."""
