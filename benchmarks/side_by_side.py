"""Contenders that take turns, and the median CPU time of each.

It needs nothing but the standard library, because it runs in the environment of the peers too.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median


def cpu_milliseconds(work: Callable[[], object]) -> float:
    """CPU time of the process, all its threads, for one run. Garbage of earlier runs is collected before it."""
    gc.collect()
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def medians(contenders: Mapping[str, Callable[[], Callable[[], object]]], rounds: int) -> dict[str, float]:
    """Milliseconds of CPU time by contender.

    Each contender is called for its next piece of work, which alone is timed. The contender that begins changes from
    round to round. One round before the others does not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds + 1):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            spent = cpu_milliseconds(contenders[name]())
            if number:
                taken[name].append(spent)
    return {name: median(spent) for name, spent in taken.items()}
