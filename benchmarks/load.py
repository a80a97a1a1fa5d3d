"""order-sign under load: gunicorn with two workers, trust and the decision log on, over real sockets.

Calls are sent at a fixed rate, whether or not those before were answered. The time to an answer counts from the moment
at which the call was due. The same machine makes the load. `python -m benchmarks.load MINUTES` is `make soak`.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import requests

from benchmarks.fhir_server import fhir_server
from benchmarks.patients import call_body, call_with_server
from benchmarks.tables import table
from benchmarks.trusted import TrustedClient
from example_patients.programs.demo import HOST, free_port, server

WORKERS = 2
SLOWEST = 0.5  # seconds, of 95 in 100 calls
OBSERVATIONS, LATENCY = 200, 50
FHIR, PREFETCH = f"FHIR server at {LATENCY} ms", "by prefetch"
FIRST_RATE, STEPS, STEP_SECONDS = 8.0, 7, 10.0
THREADS = 96
SOAK_PART = 0.6  # of the rate that was kept


@dataclass(frozen=True)
class Load:
    """A load at `rate` calls a second: the seconds to each answer, and the number of answers by status."""

    rate: float
    seconds: tuple[float, ...]
    statuses: Mapping[str, int]

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[-1]

    @property
    def kept(self) -> bool:
        return self.p95 <= SLOWEST and set(self.statuses) == {"200"}


@dataclass(frozen=True)
class Service:
    """crs-cds under gunicorn, the calls that are sent to it, and its database."""

    url: str
    bodies: Mapping[str, bytes]
    client: TrustedClient
    database: Path

    def resident(self) -> list[float]:
        """MiB of each worker; empty if the system does not say."""
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text(encoding="ascii")
                command = (status.parent / "cmdline").read_text(encoding="utf-8", errors="replace")
            except OSError:  # it ended meanwhile
                continue
            fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            of_ours = self.url.removeprefix("http://") in command
            if of_ours and fields["PPid"] != str(os.getpid()):
                found.append(round(int(fields["VmRSS"].split()[0]) / 1024, 1))
        return found

    def decisions(self) -> int:
        """The number of decisions in the log, once no late commit is left."""
        found, before = self._decisions(), -1
        while found != before:
            time.sleep(1)
            found, before = self._decisions(), found
        return found

    def _decisions(self) -> int:
        with sqlite3.connect(self.database) as connection:
            return int(connection.execute("SELECT count(*) FROM decision").fetchone()[0])


@contextmanager
def service() -> Iterator[Service]:
    """Run the service and its FHIR server; yields the service once it answers."""
    with TemporaryDirectory() as name, fhir_server() as fhir:
        folder, base = Path(name), f"{fhir}/{OBSERVATIONS}/{LATENCY}"
        client, url = TrustedClient(folder, base), f"http://{HOST}:{free_port(0)}"
        database = folder / "log.sqlite"
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("CRS_CDS_", "PROMETHEUS_"))} | {
            "CRS_CDS_ENV": "development", "CRS_CDS_PUBLIC_URL": url, "CRS_CDS_TIMEZONE": "Asia/Shanghai",
            "CRS_CDS_CLIENTS": str(client.file), "CRS_CDS_FHIR_SERVERS": base, "WEB_CONCURRENCY": str(WORKERS),
            "CRS_CDS_DATABASE_URL": f"sqlite:///{database}", "TMPDIR": name,
        }  # fmt: skip
        command = [sys.executable, "-m", "gunicorn", "--bind", url.removeprefix("http://"), "benchmarks.app:crs_cds"]
        bodies = {FHIR: call_with_server(base, "order-sign"), PREFETCH: call_body(OBSERVATIONS, "order-sign")}
        with server(command, f"{url}/health/live", environ, folder / "gunicorn.log"):
            to = Service(url, bodies, client, database)
            for what in bodies:  # a first call makes what is made once
                load(to, what, FIRST_RATE, 1)
            yield to


def load(to: Service, what: str, rate: float, seconds: float) -> Load:
    """Send calls at a rate for some time."""
    body, local = to.bodies[what], threading.local()
    taken: list[float] = []
    statuses: Counter[str] = Counter()
    lock = threading.Lock()

    def call(due: float) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        headers = {"Content-Type": "application/json", "Authorization": to.client.authorization()}
        try:
            answer = local.session.post(f"{to.url}/cds-services/crs-order-sign", data=body, headers=headers, timeout=30)
            status = str(answer.status_code)
        except requests.RequestException as error:
            status = type(error).__name__
        with lock:
            taken.append(time.monotonic() - due)
            statuses[status] += 1

    began = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(call, due)
    return Load(rate, tuple(taken), statuses)


def highest(to: Service, what: str, seconds: float = STEP_SECONDS, steps: int = STEPS) -> Load | None:
    """The highest rate that was kept: doubled until one is not, then halved between. None if none was kept."""
    best: Load | None = None
    rate, too_much = FIRST_RATE, 0.0
    for _ in range(steps):
        found = load(to, what, rate, seconds)
        if found.kept:
            best = found
        else:
            too_much = rate
        least = best.rate if best is not None else 0.0
        rate = (least + too_much) / 2 if too_much else rate * 2
    return best


@dataclass(frozen=True)
class Soak:
    """The result of a long load: each worker's memory by minute, and the number of decisions missing in the log."""

    load: Load
    resident: tuple[tuple[float, ...], ...]
    lost: int


def soak(to: Service, what: str, rate: float, minutes: float) -> Soak:
    """Hold a rate, and read memory at the start and after each minute."""
    before, answered = to.decisions(), 0
    resident, parts = [tuple(to.resident())], []
    left = minutes * 60
    while left > 0:
        part = load(to, what, rate, min(60.0, left))
        parts.append(part)
        answered += part.statuses.get("200", 0)
        resident.append(tuple(to.resident()))
        left -= 60
    statuses = sum((Counter(part.statuses) for part in parts), Counter[str]())
    whole = Load(rate, tuple(second for part in parts for second in part.seconds), statuses)
    return Soak(whole, tuple(resident), answered - (to.decisions() - before))


def under_load(found: Mapping[str, Load | None]) -> str:
    """The part of the page."""
    rows = [
        f"| {what} | {kept.rate:.0f} | {median(kept.seconds) * 1000:.0f} ms | {kept.p95 * 1000:.0f} ms |"
        if kept is not None
        else f"| {what} | none was kept | – | – |"
        for what, kept in found.items()
    ]
    return f"{_WHAT}\n\n{table('| order-sign | calls a second | median | p95 |', *rows)}"


_WHAT = f"""## Under load

gunicorn with {WORKERS} workers and the settings of the project; trust on (a fresh ES256 token with each call), the
decision log on (SQLite in a file, every commit on disk). Patients of {OBSERVATIONS} Observations, an order of
ondansetron. The highest rate tried that kept the 95th percentile under {SLOWEST * 1000:.0f} ms for
{STEP_SECONDS:.0f} s with every answer a 200. The load comes from the same machine and takes its part of it."""


def said_of(found: Soak) -> str:
    """The result of a soak, for people."""
    begin, end = found.resident[0], found.resident[-1]
    return (
        f"{len(found.load.seconds)} calls at {found.load.rate:.0f} a second: {dict(found.load.statuses)}, "
        f"p95 {found.load.p95 * 1000:.0f} ms, decisions lost: {found.lost}, "
        f"MiB of the workers: {', '.join(map(str, begin))} at the start, {', '.join(map(str, end))} at the end"
    )


def main(minutes: str) -> None:
    """Load half of the time by FHIR server, half by prefetch. Exits with 1 if anything was lost or refused."""
    failed = False
    with service() as to:
        for what in to.bodies:
            kept = highest(to, what)
            rate = kept.rate * SOAK_PART if kept is not None else 1.0
            found = soak(to, what, rate, float(minutes) / len(to.bodies))
            failed = failed or found.lost != 0 or set(found.load.statuses) != {"200"}
            print(f"{what}: {said_of(found)}", flush=True)
    sys.exit(int(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
