"""One request to a server. The caller shows a token, follows no redirect, and learns at which step a request failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests
from requests.auth import AuthBase

FHIR_JSON = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
SECONDS = 60.0
MAX_TOLD = 300  # characters of a server's reason for a refusal
TokenFor = Callable[[str], str | None]
"""The bearer token to show at an address, if any."""

_WHY: tuple[tuple[type[requests.RequestException], str], ...] = (
    (requests.exceptions.SSLError, "its certificate could not be verified"),
    (requests.exceptions.ProxyError, "the proxy could not be used"),
    (requests.Timeout, f"no answer within {SECONDS:g} s"),
    (requests.ConnectionError, "no connection"),
    (requests.RequestException, "what came is not HTTP that can be read"),
)


class NoAnswerError(Exception):
    """The step at which a server gave no usable answer, and the reason. Holds no token."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(f"{step}: {why}")


class RefusedError(NoAnswerError):
    """A server answered, and did not take the request."""


class _Bearer(AuthBase):
    def __init__(self, token_for: TokenFor) -> None:
        self._token_for = token_for

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._token_for(str(request.url))
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


def session_with(token_for: TokenFor) -> requests.Session:
    """A session that shows a token with each request and no other credentials (such as those of a netrc file)."""
    session = requests.Session()
    session.auth = _Bearer(token_for)
    return session


def sent(step: str, session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
    """The answer to one request, whatever its status; redirects are not followed. Raises NoAnswerError."""
    try:
        return session.request(method, url, timeout=SECONDS, allow_redirects=False, **more)
    except requests.RequestException as error:
        why = next(says for kind, says in _WHY if isinstance(error, kind))
        raise NoAnswerError(step, f"{url.partition('?')[0]}: {why}") from error


def json_of(step: str, response: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer with status 200. Raises NoAnswerError."""
    if response.status_code != 200:
        raise RefusedError(step, f"the server answers {refusal(response)}")
    found = _json_object(response)
    if found is None:
        raise NoAnswerError(step, "the server's answer is not the JSON that it should be")
    return found


def refusal(response: requests.Response) -> str:
    """The status of an answer and the text of its OperationOutcome, as one line."""
    issues = (_json_object(response) or {}).get("issue")
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    details = first.get("details")
    texts = (first.get("diagnostics"), details.get("text") if isinstance(details, dict) else None)
    said = next((text for text in texts if isinstance(text, str)), "")
    plain = "".join(sign if sign.isprintable() else " " for sign in said[:MAX_TOLD])
    return f"{response.status_code} ({plain})" if plain else str(response.status_code)


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
