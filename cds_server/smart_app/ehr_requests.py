"""The requests that a launch makes of an EHR: its configuration and its token, each one answer of JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum

import requests

from cds_server.outgoing.bounded_http import FetchError, LateError, TooLargeError, fetch
from cds_server.smart_app.oauth_errors import error_in

MAX_BYTES = 256 * 1024


class LaunchStep(StrEnum):
    """The step at which a launch failed: a label of the metrics."""

    DISCOVERY = "discovery"
    TOKEN = "token"  # noqa: S105 - where a code becomes one
    PATIENT = "patient"


class LaunchError(Exception):
    """The reason why a launch failed, in words that hold nothing of what came in."""

    def __init__(self, step: LaunchStep, why: str) -> None:
        super().__init__(why)
        self.step = step
        self.why = why


_ASKED = {
    LaunchStep.DISCOVERY: "the FHIR server's SMART configuration",
    LaunchStep.TOKEN: "the authorization server",
}


def ask_ehr(
    step: LaunchStep,
    session: requests.Session,
    method: str,
    url: str,
    until: float,
    form: Mapping[str, str] | None = None,
) -> bytes:
    """The body of an answer with status 200, before a moment of `time.monotonic`. Raises LaunchError."""
    who = _ASKED[step]
    try:
        answer = fetch(
            session, method, url, seconds=until - time.monotonic(), most_bytes=MAX_BYTES,
            headers={"Accept": "application/json"}, form=form,
        )  # fmt: skip
    except LateError as error:
        raise LaunchError(step, f"{who} did not answer in time") from error
    except TooLargeError as error:
        raise LaunchError(step, f"the answer of {who} is too large") from error
    except FetchError as error:
        raise LaunchError(step, f"{who} could not be reached") from error
    if answer.status != 200:
        named = error_in(answer.body) if step is LaunchStep.TOKEN else None
        raise LaunchError(step, f"{who} answered {answer.status}" + (f", {named}" if named else ""))
    return answer.body
