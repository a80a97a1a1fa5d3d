"""The part of RESULTS.md on the figures by prefetch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.figures import NOT_SEEN, SEEN, WITH_LOG, Figure
from benchmarks.peers import HEALTHCHAIN, LIMIT, RESOURCES
from benchmarks.tables import aim_row, table

CONTENDERS = (SEEN, NOT_SEEN)
AIMED_AT = 200
TIMES_THE_LIMIT = 10.0
TIMES_EACH_FURTHER = 5.0
MEBIBYTES = 115.0


@dataclass(frozen=True)
class Run:
    """The measurements by prefetch. `memory` is resident MiB by step."""

    figures: tuple[Figure, ...]
    memory: Mapping[str, float]

    def sizes(self) -> list[int]:
        return sorted({figure.observations for figure in self.figures})

    def figure(self, observations: int, contender: str) -> Figure | None:
        found = (f for f in self.figures if (f.observations, f.contender) == (observations, contender))
        return next(found, None)

    def each_further(self, contender: str) -> float | None:
        """Microseconds for each further Observation, between the smallest and the largest size."""
        sizes = self.sizes()
        few, many = (self.figure(size, contender) for size in (sizes[0], sizes[-1]))
        if few is None or many is None or few is many:
            return None
        return (many.milliseconds - few.milliseconds) * 1000 / (sizes[-1] - sizes[0])


def by_prefetch(run: Run) -> str:
    """The part of the page."""
    return "\n\n".join((_WHAT, _ratios(run), _aims(run), _memory(run)))


_WHAT = """## By prefetch

A patient-view call by complete prefetch through the WSGI application, without a socket. Trust is off. The decision log
is off, but where it says "log in memory" (SQLite). The patient is the example story 2 with so many Observations of
about 1.3 kB beside it, a third of them signs of interest, spread over 17 days; the answer is that of the story,
`steroid-after-2-toci`, `crs-grade`.

Each figure is the median CPU time of a contender over that of the limit in the same run and process, the two taking
turns. The limit is a typed scan of the whole body by msgspec that does nothing else (`benchmarks/typed_scan.py`).
"Seen before" repeats one call; "not seen before" brings another patient each time, every resource with other bytes."""


def _ratios(run: Run) -> str:
    names = (SEEN, NOT_SEEN, WITH_LOG, HEALTHCHAIN, RESOURCES)
    rows = [f"| Observations | the limit | {' | '.join(names)} |"]
    for size in run.sizes():
        limit = run.figure(size, LIMIT)
        cells = [f"{f.times_the_limit:.1f}" if (f := run.figure(size, name)) else "–" for name in names]
        if limit is not None:
            rows.append(f"| {size:,} | {limit.milliseconds:.2f} ms | {' | '.join(cells)} |")
    return table(*rows)


def _aims(run: Run) -> str:
    rows = ["| aim | found | |"]
    limit = run.each_further(LIMIT)
    for name in CONTENDERS:
        says = f"{AIMED_AT} Observations, {name}: at most {TIMES_THE_LIMIT:g} times the limit"
        rows.append(aim_row(says, TIMES_THE_LIMIT, _ratio(run.figure(AIMED_AT, name))))
    for name in CONTENDERS:
        says = f"each further Observation, {name}: at most {TIMES_EACH_FURTHER:g} times the limit's"
        each = run.each_further(name)
        rows.append(aim_row(says, TIMES_EACH_FURTHER, each / limit if each and limit else None))
    rows.append(aim_row(f"memory at the end: at most {MEBIBYTES:g} MiB", MEBIBYTES, [*run.memory.values()][-1]))
    told = f"The limit itself takes {limit:.1f} µs for each further Observation. " if limit is not None else ""
    return f"{table(*rows)}\n\n{told}What the rest is spent on: `docs/performance.md`."


def _ratio(figure: Figure | None) -> float | None:
    return figure.times_the_limit if figure is not None else None


def _memory(run: Run) -> str:
    return table("| one worker | resident MiB |", *(f"| {step} | {now:.0f} |" for step, now in run.memory.items()))
