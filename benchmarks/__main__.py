"""`make bench`: measure everything and write benchmarks/RESULTS.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.additions import additions, of_additions
from benchmarks.administrations import of_administrations, with_administrations
from benchmarks.discovery import discovery_figures, of_discovery
from benchmarks.exported import costs, of_export
from benchmarks.figures import ROUNDS, Figure, memory_figures, our_figures, peer_figures
from benchmarks.load import highest, service, under_load
from benchmarks.results import Run, by_prefetch
from benchmarks.start_up import installed, of_start, starts
from benchmarks.with_fhir import readings, ward, with_a_fhir_server

OURS = ("Flask", "gunicorn", "msgspec", "fhir.resources", "pydantic", "SQLAlchemy")


def machine() -> str:
    """The CPU model and the number of cores, without the machine's name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{model or platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def head(peers: Mapping[str, str], before: tuple[float, float, float]) -> str:
    """The head of the page: the machine and the versions. `before` are the load averages before the run."""
    ours = {"Python": platform.python_version(), **{name: version(name) for name in OURS}}
    named = [", ".join(f"{name} {number}" for name, number in versions.items()) for versions in (ours, peers)]
    made = f"Made by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine()}."
    busy = f"Load averages of 1, 5 and 15 minutes before the run: {', '.join(f'{part:.1f}' for part in before)}."
    others = "Where others use the machine, ratios of CPU time hold; wall times, rates and percentiles do not."
    return f"# Benchmarks\n\n{made} Ours: {named[0]}. Peers: {named[1]}.\n\n{busy} {others}"


def rates() -> str:
    with service() as to:
        return under_load({what: highest(to, what) for what in to.bodies})


def main() -> None:
    before = os.getloadavg()
    figures: list[Figure] = []
    peers: dict[str, str] = {}
    for observations, rounds in ROUNDS.items():
        figures += our_figures(observations, rounds)
        found, peers = peer_figures(observations, max(3, rounds // 4))
        figures += found
    run = Run(tuple(figures), memory_figures(200, max(ROUNDS)))
    parts = (
        head(peers, before), by_prefetch(run), of_administrations(with_administrations()),
        with_a_fhir_server(readings(), ward()), of_additions(additions()), rates(), of_discovery(discovery_figures()),
        of_start(installed(), starts()), of_export(costs()),
    )  # fmt: skip
    page = "\n\n".join(parts) + "\n"
    (Path(__file__).parent / "RESULTS.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
