"""The figures: contenders by size of patient, ours in this process, peers in an environment of their own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.our_service import CARDS, OurService, cards_of
from benchmarks.patients import call_body, copies
from benchmarks.peers import HEALTHCHAIN, LIMIT, RESOURCES
from benchmarks.side_by_side import medians
from benchmarks.start_up import SITE_PYTHON
from benchmarks.typed_scan import typed_scan

ROOT = Path(__file__).parents[1]
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
SEEN, NOT_SEEN, WITH_LOG = "resources seen before", "not seen before", "seen before, log in memory"
ROUNDS = {200: 41, 2_000: 21, 10_000: 9, 50_000: 5}
SLOWEST_PEER_UP_TO = 2_000  # Observations: with more, fhir.resources takes minutes and shows nothing new


@dataclass(frozen=True)
class Figure:
    """One contender at one size: its median CPU time, and that of the limit in the same run, in milliseconds."""

    observations: int
    contender: str
    milliseconds: float
    limit: float

    @property
    def times_the_limit(self) -> float:
        return self.milliseconds / self.limit


def our_figures(
    observations: int, rounds: int, administrations: int = 0, cards: tuple[str, ...] = CARDS
) -> list[Figure]:
    """Our service beside the limit. Raises RuntimeError if its cards are not `cards`."""
    body = call_body(observations, administrations=administrations)
    silent, logging = OurService(), OurService(log=True)
    others = copies(body)
    for service in (silent, logging):
        found = cards_of(service.answer(body))
        if found != cards:
            raise RuntimeError(f"{observations} Observations: {found}")

    def of_another_patient() -> Callable[[], object]:
        other = next(others)
        return lambda: silent.answer(other)

    taken = medians(
        {
            LIMIT: lambda: lambda: typed_scan(body),
            SEEN: lambda: lambda: silent.answer(body),
            NOT_SEEN: of_another_patient,
            WITH_LOG: lambda: lambda: logging.answer(body),
        },
        rounds,
    )
    return [Figure(observations, name, spent, taken[LIMIT]) for name, spent in taken.items()]


def peer_figures(observations: int, rounds: int, python: Path = PEERS_PYTHON) -> tuple[list[Figure], dict[str, str]]:
    """The peers beside the limit, and their versions."""
    names = (HEALTHCHAIN, RESOURCES) if observations <= SLOWEST_PEER_UP_TO else (HEALTHCHAIN,)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(call_body(observations))
        file.flush()
        said = _output(python, "benchmarks.peers", file.name, str(rounds), *names)
    taken = said["medians"]
    return [Figure(observations, name, taken[name], taken[LIMIT]) for name in names], said["versions"]


def memory_figures(calls: int, observations: int, python: Path = SITE_PYTHON) -> dict[str, float]:
    """Resident MiB of a worker of its own with the packages of a site, step by step (`benchmarks.memory`)."""
    with tempfile.TemporaryDirectory() as folder:
        largest, database = Path(folder) / "largest.json", f"sqlite:///{Path(folder) / 'log.sqlite'}"
        largest.write_bytes(call_body(observations))
        OurService(log=True, CRS_CDS_DATABASE_URL=database).answer(call_body(200))  # this makes the tables
        found: dict[str, float] = _output(python, "benchmarks.memory", str(largest), str(calls), database)
    return found


def _output(python: Path, module: str, *arguments: str) -> Any:
    ended = subprocess.run([python, "-m", module, *arguments], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    return json.loads(ended.stdout)
