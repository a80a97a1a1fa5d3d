"""The room that the large calls of a worker share: who waits for it, who never does, and that nobody waits for good."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cds_server.operations.large_calls import HeldBytes, LargeCalls
from cds_server.running import Running
from example_patients.stories.stories import hook_body
from tests.support.by_search import body_for, wire
from tests.support.desk import DAY_0, Desk, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.fhir_wire import BASE
from tests.support.tables import rows

SOON, LONG = 0.05, 20.0


def room(most: int, given_back: Callable[[], None] = lambda: None) -> LargeCalls:
    return LargeCalls(most, free=10, give_back=given_back)


def within(seconds: float) -> float:
    return time.monotonic() + seconds


# what the first call holds, then the second, and what the second may take more; 10 of each are free, 100 are shared
TAKEN = rows("""
| first | second | more | may | because                                                       |
| 110   | 0      | 10   | yes | an ordinary call needs nothing of what is shared              |
| 110   | 0      | 11   | no  | nothing is left                                               |
| 60    | 50     | 10   | yes | there is room for both                                        |
| 60    | 50     | 60   | no  | there is not                                                  |
| 9     | 0      | 900  | yes | the first holds nothing that is shared, so this one comes first |
""")


@pytest.mark.parametrize("row", TAKEN, ids=lambda row: row["because"])
def test_a_large_call_waits_while_others_leave_no_room(row: dict[str, str]) -> None:
    calls = room(100)
    first, second = calls.begin(), calls.begin()
    assert first.take(int(row["first"]), within(SOON))
    assert second.take(int(row["second"]), within(SOON))
    assert second.take(int(row["more"]), within(SOON)) == (row["may"] == "yes")


def test_the_first_call_never_waits() -> None:
    calls = room(100)
    first, second = calls.begin(), calls.begin()
    assert first.take(60, within(SOON))
    assert second.take(60, within(SOON))
    assert first.take(10_000, within(SOON)), "its own limits bound it"


def test_a_call_that_waits_goes_on_when_the_one_before_it_ends() -> None:
    given_back: list[str] = []
    calls = room(100, lambda: given_back.append("before the next has its room"))
    first, second = calls.begin(), calls.begin()
    assert first.take(200, within(SOON))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(second.take, 200, within(LONG))
        time.sleep(SOON)
        assert not waiting.done()
        first.end()
        assert waiting.result(LONG)
    assert given_back == ["before the next has its room"]
    second.end()
    assert calls.begin().take(200, within(SOON))


def test_who_gave_up_waiting_keeps_no_place() -> None:
    calls = room(100)
    first, second, third = calls.begin(), calls.begin(), calls.begin()
    assert first.take(200, within(SOON))
    assert not second.take(200, within(SOON))
    second.end()
    first.end()
    assert third.take(200, within(SOON))


def test_a_search_that_comes_after_the_end_of_its_call_holds_nothing() -> None:
    calls = room(100)
    ended = calls.begin()
    ended.end()
    assert not ended.take(50, within(SOON))
    assert calls.begin().take(200, within(SOON))


def test_a_search_that_waits_for_room_ends_with_its_call() -> None:
    calls = room(100)
    first, second = calls.begin(), calls.begin()
    assert first.take(200, within(SOON))
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(second.take, 200, within(LONG))
        time.sleep(SOON)
        second.end()
        assert not waiting.result(LONG / 2)


def test_an_ordinary_call_gives_nothing_back() -> None:
    given_back: list[str] = []
    ordinary = room(100, lambda: given_back.append("")).begin()
    assert ordinary.take(10, within(SOON))
    ordinary.end()
    assert not given_back


def full(desk: Desk) -> HeldBytes:
    """A call that holds all the room of a service."""
    here: Running = desk.client.application.extensions["crs-cds"]
    other = here.large_calls.begin()
    assert other.take(10**9, within(SOON))
    return other


def prefetched(padding: int) -> dict[str, Any]:
    _, scene = scene_of("3")
    body = hook_body(scene, DAY_0, prefetch=whole_prefetch(chart_of("3")))
    return {**body, "hook": "patient-view", "extension": {"padding": "x" * padding}}


def test_a_large_body_is_refused_if_it_finds_no_room_in_time() -> None:
    desk = Desk(environ={"CRS_CDS_BUDGET_SECONDS": "1", "CRS_CDS_LOG_MILLISECONDS": "100"})
    other = full(desk)
    refused = desk.post(prefetched(6_000_000))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert desk.post(prefetched(0)).status_code == 200, "an ordinary one does not notice"
    assert 'crs_cds_busy_total{client="",share="large calls"} 1.0' in desk.client.get("/metrics").text
    other.end()
    assert desk.post(prefetched(6_000_000)).status_code == 200
    assert full(desk), "the calls before hold nothing any more"


def test_a_large_answer_that_finds_no_room_counts_as_not_read_in_time() -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_BUDGET_SECONDS": "2", "CRS_CDS_FHIR_SERVERS": BASE})
    body = body_for(scene.patient_id, "patient-view", None)
    with wire([*chart_of("3"), padded(6_000_000)]):
        other = full(desk)
        assert "not read in time" in desk.post(body).get_data(as_text=True)
        other.end()
        assert "not read in time" not in desk.post(body).get_data(as_text=True)


def padded(size: int) -> dict[str, Any]:
    """A temperature with much in it that nobody reads."""
    found = next(r for r in chart_of("3") if r["resourceType"] == "Observation")
    return {**found, "id": "padded", "extension": [{"url": "x" * size}]}
