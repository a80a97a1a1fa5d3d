"""GET /cds-services beside an empty Flask route: CPU time, without a socket, trust off."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from benchmarks.our_service import OurService, got
from benchmarks.side_by_side import medians
from benchmarks.tables import table

REQUESTS, ROUNDS = 200, 15
TIMES_AN_EMPTY_ROUTE = 1.2
DISCOVERY, EMPTY = "discovery", "empty route"


def discovery_figures(requests: int = REQUESTS, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of one request, by contender."""
    empty, service = Flask("empty"), OurService()
    empty.add_url_rule("/cds-services", view_func=lambda: "")

    def asked(app: Flask) -> Callable[[], Callable[[], object]]:
        return lambda: lambda: [got(app, "/cds-services") for _ in range(requests)]

    taken = medians({EMPTY: asked(empty), DISCOVERY: asked(service.app)}, rounds)
    return {name: spent / requests for name, spent in taken.items()}


def of_discovery(found: dict[str, float]) -> str:
    """The part of the page."""
    rows = [f"| {name} | {spent * 1000:.0f} µs |" for name, spent in found.items()]
    return f"## Discovery\n\n{table('| GET /cds-services | CPU |', *rows)}"
