"""The one way out: what an answer of HTTP becomes, and which error tells why there is none."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import responses

from cds_server.outgoing.bounded_http import (
    Answer,
    FetchError,
    LateError,
    TooLargeError,
    UnreachableError,
    fetch,
    fresh_session,
    pooled_session,
)

URL = "https://fhir.example/r4/Patient/p"
MOST = 10


def fetched(seconds: float = 5.0) -> Answer:
    with pooled_session(1) as session:
        return fetch(session, "GET", URL, seconds=seconds, most_bytes=MOST, headers={"Accept": "application/json"})


ANSWERS = [
    ({"body": b"0123456789"}, Answer(200, {}, b"0123456789"), "a body of just the most that is taken"),
    ({"body": b"0123456789", "status": 404}, Answer(404, {}), "the body of a refusal is not read"),
    ({"status": 302, "headers": {"Location": "/x"}}, Answer(302, {}), "a redirect is an answer, and not followed"),
    ({"body": b"", "status": 200}, Answer(200, {}), "an empty body"),
]


@pytest.mark.parametrize(("answer", "wanted", "because"), ANSWERS, ids=[row[2] for row in ANSWERS])
def test_what_an_answer_becomes(answer: dict[str, Any], wanted: Answer, because: str) -> None:
    with responses.RequestsMock() as wire:
        wire.get(URL, **answer)
        found = fetched()
    assert (found.status, found.body) == (wanted.status, wanted.body), because


ERRORS = [
    ({"body": b"01234567890"}, 5.0, TooLargeError, "one byte more than is taken"),
    ({"body": requests.ConnectTimeout()}, 5.0, LateError, "no connection in time"),
    ({"body": requests.ReadTimeout()}, 5.0, LateError, "no answer in time"),
    ({"body": requests.ConnectionError()}, 5.0, UnreachableError, "no connection"),
    ({"body": requests.exceptions.InvalidHeader()}, 5.0, UnreachableError, "something else than HTTP"),
    ({"body": b""}, 0.0, LateError, "no time is left to ask"),
]


@pytest.mark.parametrize(("answer", "seconds", "error", "because"), ERRORS, ids=[row[3] for row in ERRORS])
def test_why_there_is_no_answer(answer: dict[str, Any], seconds: float, error: type[FetchError], because: str) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=seconds > 0) as wire:
        wire.get(URL, **answer)
        with pytest.raises(FetchError) as caught:
            fetched(seconds)
    assert type(caught.value) is error, because


def test_a_fresh_session_leaves_the_network_as_the_other_does() -> None:
    with pooled_session() as shared:
        shared.verify, shared.cert, shared.proxies = "ca.pem", "client.pem", {"https": "http://proxy.example:3128"}
        with fresh_session(shared) as fresh:
            assert (fresh.verify, fresh.cert, fresh.proxies) == (shared.verify, shared.cert, shared.proxies)
