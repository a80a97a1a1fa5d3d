"""The work on a chart grows as the chart does: four times as much takes at most eight times as long, whatever its
shape. CPU seconds, the least of five; what is quadratic takes sixteen times as long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import pytest

from cds_server.outgoing.fhir_bundle import search_page
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.reading.resource_pool import ResourcePool

LARGER, AT_MOST = 4, 8.0
SIZE, TIMES = 1500, 5


def observation(number: int, **more: object) -> bytes:
    found = {"resourceType": "Observation", "id": "one", "subject": {"reference": "Patient/p"}, "valueInteger": number}
    return json.dumps({**found, **more}).encode()


# a chart of n entries, each odd in its own way
SHAPES: dict[str, Callable[[int], bytes]] = {
    "ordinary": lambda n: observation(n, id=f"o{n}"),
    "one id, each another value": observation,
    "one id, all the same": lambda _: observation(0),
    "without an id": lambda n: observation(n, id=None),
    "one id, none can be read": lambda n: observation(n, code=n),
    "none can be read": lambda n: observation(n, id=f"o{n}", code=n),
}


def least(work: Callable[[], object]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def pooled(chart: Sequence[bytes]) -> ResourcePool:
    pool = ResourcePool()
    for raw in chart:
        pool.add(raw, "entry", kinds=frozenset({Kind.VITALS}))
    return pool


@pytest.mark.parametrize("shape", SHAPES)
def test_the_pool_grows_as_the_chart_does(shape: str) -> None:
    chart = [SHAPES[shape](n) for n in range(LARGER * SIZE)]
    assert least(lambda: pooled(chart)) <= AT_MOST * least(lambda: pooled(chart[:SIZE]))


def test_a_page_grows_as_its_entries_do() -> None:
    entry = b'{"resource": ' + observation(1) + b"}"

    def page(size: int) -> bytes:
        return b'{"resourceType": "Bundle", "type": "searchset", "entry": [' + b",".join([entry] * size) + b"]}"

    small, large = page(SIZE), page(LARGER * SIZE)
    assert least(lambda: search_page("Observation", large)) <= AT_MOST * least(
        lambda: search_page("Observation", small)
    )
