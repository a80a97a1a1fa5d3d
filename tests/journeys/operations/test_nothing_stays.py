"""What a call read is let go when the call ends, also where it failed: an error that is kept, or that a frame of its own
traceback holds, would keep every body that was read until the garbage collector looks at everything."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from cds_server.hooks import call as call_module
from cds_server.operations.call_time import CallTime
from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, chart_of, moment_of, scene_of
from tests.support.fhir_wire import Answer
from tests.support.tables import rows

ROOT = Path(__file__).parents[3]


@contextmanager
def left_behind() -> Iterator[list[str]]:
    """The errors, and the objects and functions of ours, that only the garbage collector would let go."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        for thing in gc.garbage:
            ours = type(thing).__module__.partition(".")[0] in ("cds_server", "fhir_mappings", "cards")
            if ours or isinstance(thing, BaseException):
                found.append(type(thing).__name__)
            elif isinstance(thing, FrameType) and str(ROOT / "cds_server") in thing.f_code.co_filename:
                found.append(thing.f_code.co_name)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def answer_of(fault: str) -> Answer:
    if fault == "breaks off":
        raise requests.ConnectionError("broke off")
    answers: dict[str, Answer] = {
        "500": (500, {}, "{}"), "403": (403, {}, "{}"), "no JSON": (200, {}, "<html>"),
        "too large": (200, {}, '{"resourceType": "Bundle", "x": "' + "x" * 2_000_000 + '"}'),
        "another type": (200, {}, '{"resourceType": "Patient"}'),
    }  # fmt: skip
    return answers[fault]


FAULTS = rows("""
| fault        | of          | status | because                                   |
| 500          | everything  | 412    | the server fails                          |
| 403          | everything  | 412    | the server does not allow it              |
| no JSON      | everything  | 412    | a proxy answers                           |
| too large    | everything  | 412    | more than a call may read                 |
| another type | everything  | 412    | no answer to what was asked               |
| breaks off   | everything  | 412    | the connection breaks off                 |
| too large    | Condition   | 200    | a card says what was not read             |
| 500          | Condition   | 200    | a card says what was not read             |
""")


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: f"{row['fault']} of {row['of']}")
def test_of_a_read_that_failed(row: dict[str, str]) -> None:
    _, scene = scene_of("3")
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_MAX_RECORD_MIB": "1"})
    body = body_for(scene.patient_id, "patient-view", None)

    def fault(url: str) -> Answer | None:
        return answer_of(row["fault"]) if row["of"] in ("everything", urlsplit(url).path.rsplit("/", 1)[-1]) else None

    with wire(chart_of("3")):
        assert desk.post(body).status_code == 200, "what is done once is done"
    with wire(chart_of("3"), fault), left_behind() as found:
        assert desk.post(body).status_code == int(row["status"])
    assert found == []


def test_of_a_call_that_succeeds() -> None:
    _, scene = scene_of("3")
    desk, body = Desk(now=moment_of(scene)), body_for(scene.patient_id, "patient-view", None)
    with wire(chart_of("3")):
        for _ in range(2):
            with left_behind() as found:
                assert desk.post(body).status_code == 200
    assert found == []


def test_of_a_call_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("a mistake of ours")

    _, scene = scene_of("3")
    desk, body = Desk(now=moment_of(scene)), body_for(scene.patient_id, "patient-view", None)
    with wire(chart_of("3")):
        assert desk.post(body).status_code == 200, "what is done once is done"
        monkeypatch.setattr(call_module, "advice_on", broken)
        with left_behind() as found:
            assert desk.post(body).status_code == 500
    assert found == []


def test_of_a_call_whose_time_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    _, scene = scene_of("3")
    desk, body = Desk(now=moment_of(scene)), body_for(scene.patient_id, "patient-view", None)
    with wire(chart_of("3")):
        assert desk.post(body).status_code == 200, "what is done once is done"
        monkeypatch.setattr(CallTime, "may_work", lambda _: False)
        with left_behind() as found:
            assert desk.post(body).status_code == 503
    assert found == []
