"""Calls that read everything from a FHIR server: wall time beside the searches themselves, at several latencies."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from urllib.parse import unquote

import requests

from benchmarks.fhir_server import CHARTS, PAGE, counts, fhir_server
from benchmarks.our_service import CARDS, OurService, cards_of
from benchmarks.patients import call_with_server
from benchmarks.tables import aim_row, table

LATENCIES = (5, 50, 250)  # milliseconds
CALLS = 7
TIMES_THE_SEARCHES = 1.3
AIMED_AT = "200"
# the round of a search, told by its address: each round needs the results of the one before
_LATER_ROUNDS = ((3, re.compile(r"/Medication\?")), (2, re.compile(r"(?:date|effective-time)=lt")))


@dataclass(frozen=True)
class Reading:
    """Calls for one chart at one latency. Seconds are medians.

    `searches` adds up the slowest search of each round, asked alone, because a round waits for the one before.
    Requests and bytes are of one call; connections are those that the calls after the first opened.
    """

    chart: str
    latency: int
    seconds: float
    searches: float
    rounds: int
    requests: int
    bytes: int
    connections: int


def readings(charts: Iterable[str] = CHARTS, latencies: Iterable[int] = LATENCIES, calls: int = CALLS) -> list[Reading]:
    """Time the calls for each chart at each latency. Raises RuntimeError if the cards are not those of the story."""
    with fhir_server() as root:
        bases = [(chart, latency, f"{root}/{chart}/{latency}") for chart in charts for latency in latencies]
        service = OurService(CRS_CDS_FHIR_SERVERS=",".join(base for *_, base in bases))
        return [_reading(service, root, base, chart, latency, calls) for chart, latency, base in bases]


def _reading(service: OurService, root: str, base: str, chart: str, latency: int, calls: int) -> Reading:
    body = call_with_server(base)
    found = cards_of(service.answer(body))
    if found != CARDS:
        raise RuntimeError(f"{chart} at {latency} ms: {found}")
    counts(root)
    seconds = median(_seconds(lambda: service.answer(body)) for _ in range(calls))
    asked = counts(root)
    addresses = tuple(dict.fromkeys(asked.addresses))
    rounds = _by_round(root, addresses)
    return Reading(chart, latency, seconds, sum(map(max, rounds)), len(rounds), len(asked.addresses) // calls,
                   asked.bytes // calls, asked.connections)  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _by_round(root: str, addresses: Iterable[str]) -> list[list[float]]:
    """The seconds of each search with all its pages, by round."""
    rounds: dict[int, list[float]] = defaultdict(list)
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{root}/counts", timeout=60)  # opens the connection
        for address in addresses:
            if "_getpages=" not in address:
                plain = unquote(address)
                number = next((number for number, form in _LATER_ROUNDS if form.search(plain)), 1)
                rounds[number].append(_search(session, f"{root}{address}"))
    return [rounds[number] for number in sorted(rounds)]


def _search(session: requests.Session, address: str) -> float:
    """The seconds of a search asked alone, page after page."""
    spent, url = 0.0, address
    while url:
        began = time.perf_counter()
        answer = session.get(url, timeout=60).content
        spent += time.perf_counter() - began
        links = json.loads(answer).get("link", ())
        url = next((link["url"] for link in links if link["relation"] == "next"), "")
    return spent


def with_a_fhir_server(found: list[Reading]) -> str:
    """The part of the page."""
    heads = (
        "| Observations | latency | a call | its searches alone | ratio | rounds | requests | KiB | new connections |"
    )
    rows = [
        f"| {_name(r.chart)} | {r.latency} ms | {r.seconds * 1000:.0f} ms | {r.searches * 1000:.0f} ms | "
        f"{r.seconds / r.searches:.2f} | {r.rounds} | {r.requests} | {r.bytes / 1024:.0f} | {r.connections} |"
        for r in found
    ]
    aims = [
        aim_row(f"{AIMED_AT} Observations at {r.latency} ms: at most {TIMES_THE_SEARCHES} times its searches alone",
                TIMES_THE_SEARCHES, r.seconds / r.searches)
        for r in found if r.chart == AIMED_AT
    ]  # fmt: skip
    return "\n\n".join((_WHAT, table(heads, *rows), table("| aim | found | |", *aims)))


def _name(chart: str) -> str:
    observations, _, administrations = CHARTS[chart]
    years = " in five years" if chart.endswith("years") else ""
    given = f", {administrations:,} administrations" if administrations else ""
    return f"{observations:,}{years}{given}"


_WHAT = f"""## With a FHIR server

A patient-view call without prefetch; the server waits so long before each answer and sends {PAGE:,} results to a page.
Wall time, median of {CALLS}. "Its searches alone": over the rounds that depend on each other, the sum of each round's
slowest search, asked alone with all its pages. Requests and bytes are those of one call, new connections those of all
{CALLS}. A third of the Observations are signs of interest; those of the stay must all be read."""
