"""Calls that read everything from a FHIR server: wall time beside the searches themselves, at several latencies."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from urllib.parse import unquote

import requests

from benchmarks.fhir_server import CHARTS, PAGE, PAGES, counts, fhir_server
from benchmarks.our_service import CARDS, OurService, cards_of
from benchmarks.patients import call_with_server
from benchmarks.tables import aim_row, table

LATENCIES = (5, 50, 250)  # milliseconds
CALLS = 7
# chart and latency → at most so many times its searches alone, or its searches with slices in turn
TIMES_ITS_SEARCHES = {("200", 5): 1.8, ("200", 50): 1.3, ("200", 250): 1.3, ("200-given", 50): 1.3}
TIMES_IN_TURN = {("50000", 50): 0.4}
# the round of a search, told by its address: each round needs the results of the one before
_LATER_ROUNDS = ((3, re.compile(r"/Medication\?")), (2, re.compile(r"(?:date|effective-time)=lt")))
_TIMES = re.compile(r"&(?:date|effective-time)=[^&]*")
LONG = 2000  # characters of an address: as the service, so the searches alone send longer ones by POST
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WARD, WARD_LATENCY, WARD_BUDGET, WARD_CALLS = "5000-at-50", 20, "5", 20


@dataclass(frozen=True)
class Reading:
    """Calls for one chart at one latency. Seconds are medians.

    `searches` adds up the slowest search of each round, asked alone, because a round waits for the one before.
    `in_turn` does the same with the slices of one search after each other, as if it were not cut. Requests and bytes
    are of one call; connections are those that the calls after the first opened.
    """

    chart: str
    latency: int
    seconds: float
    searches: float
    in_turn: float
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
    slowest = sum(max(max(slices) for slices in searches) for searches in rounds)
    in_turn = sum(max(sum(slices) for slices in searches) for searches in rounds)
    return Reading(chart, latency, seconds, slowest, in_turn, len(rounds), len(asked.addresses) // calls,
                   asked.bytes // calls, asked.connections)  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _by_round(root: str, addresses: Iterable[str]) -> list[list[list[float]]]:
    """The seconds of each search with all its pages, by round, those of its slices together."""
    rounds: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{root}/counts", timeout=60)  # opens the connection
        for address in addresses:
            if "_getpages=" not in address:
                plain = unquote(address)
                number = next((number for number, form in _LATER_ROUNDS if form.search(plain)), 1)
                rounds[number][_TIMES.sub("", address)].append(search_alone(session, f"{root}{address}"))
    return [list(rounds[number].values()) for number in sorted(rounds)]


def search_alone(session: requests.Session, address: str) -> float:
    """The seconds of a search asked alone, page after page."""
    spent, url = 0.0, address
    while url:
        began = time.perf_counter()
        path, _, query = url.partition("?")
        if len(url) > LONG:
            answer = session.post(f"{path}/_search", data=query, headers=FORM, timeout=60).content
        else:
            answer = session.get(url, timeout=60).content
        spent += time.perf_counter() - began
        links = json.loads(answer).get("link", ())
        url = next((link["url"] for link in links if link["relation"] == "next"), "")
    return spent


@dataclass(frozen=True)
class Ward:
    """Calls for 5,000 Observations and 1,000 administrations on a server of small pages, inside the default budget:
    how many were answered whole, of how many, and the most requests of one."""

    whole: int
    calls: int
    requests: int
    slowest: float


def ward(calls: int = WARD_CALLS, chart: str = WARD) -> Ward:
    """Ask for the ward so many times, each time as the first call of a worker."""
    with fhir_server() as root:
        base = f"{root}/{chart}/{WARD_LATENCY}"
        whole, most, slowest = 0, 0, 0.0
        for _ in range(calls):
            service = OurService(
                CRS_CDS_FHIR_SERVERS=base, CRS_CDS_BUDGET_SECONDS=WARD_BUDGET, CRS_CDS_LOG_MILLISECONDS="250"
            )
            counts(root)
            began = time.perf_counter()
            said = service.answer(call_with_server(base))
            slowest = max(slowest, time.perf_counter() - began)
            whole += b"Could not be read" not in said and cards_of(said) == CARDS
            most = max(most, len(counts(root).addresses))
        return Ward(whole, calls, most, slowest)


def with_a_fhir_server(found: list[Reading], small_pages: Ward) -> str:
    """The part of the page."""
    heads = (
        "| Observations | latency | a call | its searches alone | ratio | slices in turn | ratio | rounds | requests | "
        "KiB | new connections |"
    )
    rows = [
        f"| {_name(r.chart)} | {r.latency} ms | {r.seconds * 1000:.0f} ms | {r.searches * 1000:.0f} ms | "
        f"{r.seconds / r.searches:.2f} | {r.in_turn * 1000:.0f} ms | {r.seconds / r.in_turn:.2f} | {r.rounds} | "
        f"{r.requests} | {r.bytes / 1024:.0f} | {r.connections} |"
        for r in found
    ]
    aims = [
        *(_aim(r, "its searches alone", TIMES_ITS_SEARCHES, r.searches) for r in found),
        *(_aim(r, "its searches with their slices in turn", TIMES_IN_TURN, r.in_turn) for r in found),
    ]
    dense = (
        f"A ward: {_name(WARD)}, {PAGES[WARD]} results to a page, at {WARD_LATENCY} ms, the first call of a worker, in "
        f"{WARD_BUDGET} s: {small_pages.whole} of {small_pages.calls} calls whole, the slowest in "
        f"{small_pages.slowest * 1000:.0f} ms, at most {small_pages.requests} requests."
    )
    return "\n\n".join((_WHAT, table(heads, *rows), table("| aim | found | |", *aims), dense))


def _aim(found: Reading, of: str, aims: Mapping[tuple[str, int], float], seconds: float) -> str:
    aim = aims.get((found.chart, found.latency))
    if aim is None:
        return ""
    says = f"{_name(found.chart)} Observations at {found.latency} ms: at most {aim} times {of}"
    return aim_row(says, aim, found.seconds / seconds)


def _name(chart: str) -> str:
    observations, _, administrations = CHARTS[chart]
    years = " in five years" if chart.endswith("years") else ""
    given = f", {administrations:,} administrations" if administrations else ""
    return f"{observations:,}{years}{given}"


_WHAT = f"""## With a FHIR server

A patient-view call without prefetch; the server waits so long before each answer and sends {PAGE:,} results to a page.
Wall time, median of {CALLS}. "Its searches alone": over the rounds that depend on each other, the sum of each round's
slowest search, asked alone with all its pages. "Slices in turn": the same, with the slices of time into which the
service cuts a search one after the other. Requests and bytes are those of one call, new connections those of all
{CALLS}. A third of the Observations are signs of interest; those of the stay must all be read."""
