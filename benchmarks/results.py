"""A run of the benchmarks → the page RESULTS.md, beside the run that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import NOT_SEEN, SEEN, WITH_LOG, Figure
from benchmarks.peers import HEALTHCHAIN, LIMIT, RESOURCES

AIMS = {SEEN: 1.5, NOT_SEEN: 4.0}
AIMED_AT = 200
MICROSECONDS_EACH = 10.0
TIMES_HEALTHCHAIN = 3.0


@dataclass(frozen=True)
class Run:
    """Everything measured on one day. `memory` is resident MiB by step."""

    date: str
    machine: str
    versions: Mapping[str, str]
    peers: Mapping[str, str]
    figures: tuple[Figure, ...]
    memory: Mapping[str, float]

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Run:
        return cls(**{**stored, "figures": tuple(Figure(**figure) for figure in stored["figures"])})

    def sizes(self) -> list[int]:
        return sorted({figure.observations for figure in self.figures})

    def figure(self, observations: int, contender: str) -> Figure | None:
        found = (f for f in self.figures if (f.observations, f.contender) == (observations, contender))
        return next(found, None)

    def each_further(self, contender: str) -> float | None:
        """Microseconds for each further Observation, between the two largest sizes."""
        sizes = self.sizes()[-2:]
        few, many = (self.figure(size, contender) for size in (sizes[0], sizes[-1]))
        if few is None or many is None or sizes[0] == sizes[-1]:
            return None
        return (many.milliseconds - few.milliseconds) * 1000 / (sizes[-1] - sizes[0])


def page(run: Run, before: Run) -> str:
    """The whole page."""
    return "\n\n".join((_head(run), _ratios(run, before), _aims(run, before), _memory(run, before))) + "\n"


def _head(run: Run) -> str:
    ours = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    peers = ", ".join(f"{name} {number}" for name, number in run.peers.items())
    return f"""# Benchmarks

Made by `make bench` on {run.date}: {run.machine}. Ours: {ours}. Peers: {peers}.

A patient-view call by complete prefetch through the WSGI application, without a socket. Trust is off. The decision log
is off, but where it says "log in memory" (SQLite). The patient is the example story 2 with so many Observations of
about 1.3 kB beside it, a third of them signs of interest, spread over 17 days; the answer is that of the story,
{", ".join(f"`{card}`" for card in ("steroid-after-2-toci", "crs-grade"))}.

Each figure is the median CPU time of a contender over that of the limit in the same run and process, the two taking
turns. The limit is a typed scan of the whole body by msgspec that does nothing else (`benchmarks/typed_scan.py`).
"Seen before" repeats one call; "not seen before" brings another patient each time, every resource with other bytes."""


def _ratios(run: Run, before: Run) -> str:
    names = (SEEN, NOT_SEEN, WITH_LOG, HEALTHCHAIN, RESOURCES)
    lines = [
        "## Times the limit, before → now",
        f"| Observations | the limit | {' | '.join(names)} |",
        "|---" * (len(names) + 2) + "|",
    ]
    for size in run.sizes():
        limit, limit_before = run.figure(size, LIMIT), before.figure(size, LIMIT)
        cells = [_change(before.figure(size, name), run.figure(size, name)) for name in names]
        if limit is not None:
            was = f"{limit_before.milliseconds:.2f} → " if limit_before is not None else ""
            lines.append(f"| {size:,} | {was}{limit.milliseconds:.2f} ms | {' | '.join(cells)} |")
    return lines[0] + "\n\n" + "\n".join(lines[1:])


def _change(before: Figure | None, now: Figure | None) -> str:
    if now is None:
        return "–"
    was = f"{before.times_the_limit:.1f} → " if before is not None and before.contender in _OURS else ""
    return f"{was}{now.times_the_limit:.1f}"


_OURS = frozenset({SEEN, NOT_SEEN, WITH_LOG})


def _aims(run: Run, before: Run) -> str:
    rows: list[tuple[str, float, float | None, float | None]] = []
    for name, aim in AIMS.items():
        says = f"{AIMED_AT} Observations, {name}: at most {aim:g} times the limit"
        rows.append((says, aim, _ratio(before.figure(AIMED_AT, name)), _ratio(run.figure(AIMED_AT, name))))
    for name in AIMS:
        says = f"each further Observation, {name}: at most {MICROSECONDS_EACH:g} µs"
        rows.append((says, MICROSECONDS_EACH, before.each_further(name), run.each_further(name)))
    for name in AIMS:
        says = f"{AIMED_AT} Observations, {name}: at most a third of HealthChain"
        rows.append((says, 1 / TIMES_HEALTHCHAIN, _of_healthchain(before, name), _of_healthchain(run, name)))
    lines = ["## Aims", "", "| aim | before | now | |", "|---|---|---|---|"]
    for says, aim, was, now in rows:
        if was is not None and now is not None:
            lines.append(f"| {says} | {was:.2f} | {now:.2f} | {'met' if now <= aim else 'not met'} |")
    limit = run.each_further(LIMIT)
    each = f"The limit itself takes {limit:.1f} µs for each further Observation." if limit is not None else ""
    return "\n".join(lines) + (f"\n\n{each} What the rest is spent on: `docs/performance.md`." if each else "")


def _ratio(figure: Figure | None) -> float | None:
    return figure.times_the_limit if figure is not None else None


def _of_healthchain(run: Run, contender: str) -> float | None:
    ours, theirs = (_ratio(run.figure(AIMED_AT, name)) for name in (contender, HEALTHCHAIN))
    return ours / theirs if ours is not None and theirs is not None else None


def _memory(run: Run, before: Run) -> str:
    lines = ["## Resident memory of one worker, MiB", "", "| | before | now |", "|---|---|---|"]
    lines += [f"| {step} | {before.memory.get(step, 0):.0f} | {now:.0f} |" for step, now in run.memory.items()]
    return "\n".join(lines)
