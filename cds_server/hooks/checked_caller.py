"""The caller of an address: its token is checked, and each token may be used once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from flask import request

from cds_server.operations.call_time import CallTime
from cds_server.problems import Problem, ProblemId
from cds_server.running import Running
from cds_server.trust.client_trust import NOBODY_CHECKED, Caller, ClientTrust, UntrustedError


def checked_caller(here: Running, service: str | None, call_time: CallTime) -> Caller:
    """The caller of this address. Raises Problem `untrusted`."""
    if here.trust is None:
        return NOBODY_CHECKED
    try:
        return _checked(here, here.trust, service, call_time)
    except UntrustedError as error:
        # keys that could not be fetched are a 401 too, and no 503: the caller is not known, whatever the reason
        raise Problem(ProblemId.UNTRUSTED, [("Authorization", error.says)], error.reason) from error


def _checked(here: Running, trust: ClientTrust, service: str | None, call_time: CallTime) -> Caller:
    url = f"{here.settings.public_url}{request.path}"
    caller = trust.caller(request.headers.get("Authorization"), url, service, call_time.deadline)
    token = hashlib.sha256(f"{caller.issuer}\x1f{caller.jti}".encode()).hexdigest()
    with call_time.waiting_for_the_log() as seconds:
        first = here.tokens.is_first_use(token, datetime.fromtimestamp(caller.expires, UTC), seconds)
    if not first:
        raise UntrustedError("replay", "the token was used before")
    return caller
