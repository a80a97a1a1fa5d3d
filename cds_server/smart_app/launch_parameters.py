"""The parameters in the address of a launch, or of its answer, each checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping

from flask import request

from cds_server.limits import UnusableError
from cds_server.outgoing.base_url import normalised_base
from cds_server.problems import Problem, ProblemId
from cds_server.smart_app.launched_decision import MOST_CONTEXT
from cds_server.smart_app.oauth_errors import error_words
from cds_server.storage.smart_sessions import PendingLaunch
from cds_server.trust.smart_registration import SmartServer


def decision_named(context: str | None) -> str | None:
    """The name of a decision, if it is short enough to be one."""
    return context if context and len(context) <= MOST_CONTEXT else None


def named_server(servers: Mapping[str, SmartServer]) -> tuple[str, SmartServer]:
    """The FHIR server of a launch as it was named, and our registration there. Raises Problem."""
    iss = request.args.get("iss", "").strip()
    if not iss:
        if len(servers) != 1 or request.args.get("launch"):
            raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("iss", "is missing")])
        return next(iter(servers.items()))
    if not (iss.isascii() and iss.isprintable()):  # a line break in it would be lost on the way
        raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("iss", "must be a URL")])
    try:
        base = normalised_base(iss)
    except UnusableError as error:
        raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("iss", str(error))]) from error
    if base not in servers:
        raise Problem(ProblemId.LAUNCH_ELSEWHERE)
    return iss, servers[base]


def code_from(pending: PendingLaunch) -> str:
    """The code that the EHR that was asked gave. Raises Problem."""
    if "error" in request.args:
        said = request.args["error"]
        words = error_words(said)
        why = words or "it did not say why, or not by a name of OAuth"
        raise Problem(ProblemId.LAUNCH_DENIED, [("", why)], said if words else "")
    if not _is_of_whom_was_asked(pending):
        raise Problem(ProblemId.LAUNCH_DENIED, [("", "another authorization server answered than was asked")], "issuer")
    code = request.args.get("code")
    if not code:
        raise Problem(ProblemId.LAUNCH_INCOMPLETE, [("code", "is missing")])
    return code


def _is_of_whom_was_asked(pending: PendingLaunch) -> bool:
    """RFC 9207: one EHR must not have us send it the code of another."""
    given = request.args.get("iss")
    if given is None:
        return not pending.must_name_it
    return pending.issuer in (None, given)
