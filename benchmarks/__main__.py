"""`make bench`: measure everything and write benchmarks/RESULTS.md. `--before` keeps the figures as those to beat."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import ROUNDS, Figure, memory_figures, our_figures, peer_figures
from benchmarks.results import Run, page

HERE = Path(__file__).parent
BEFORE = HERE / "before.json"
OURS = ("Flask", "msgspec", "fhir.resources", "pydantic")


def machine() -> str:
    """CPU model and number of cores, no name of the machine."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{model or platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def main(*arguments: str) -> None:
    figures: list[Figure] = []
    versions = {"Python": platform.python_version(), **{name: version(name) for name in OURS}}
    peers: dict[str, str] = {}
    for observations, rounds in ROUNDS.items():
        figures += our_figures(observations, rounds)
        found, peers = peer_figures(observations, max(3, rounds // 4))
        figures += found
    run = Run(
        f"{datetime.now(UTC):%Y-%m-%d}", machine(), versions, peers, tuple(figures), memory_figures(200, max(ROUNDS))
    )
    if "--before" in arguments:
        BEFORE.write_text(json.dumps(asdict(run), indent=1) + "\n", encoding="utf-8")
    before = Run.of(json.loads(BEFORE.read_text(encoding="utf-8"))) if BEFORE.exists() else run
    (HERE / "RESULTS.md").write_text(page(run, before), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
