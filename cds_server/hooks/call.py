"""One call from the checked caller to the logged answer."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from cards.choose import Advice
from cards.deciding.dismissed import Dismissed
from cds_server.hooks.advise import Occasion, advise, answer, unread
from cds_server.hooks.client_profile import for_client
from cds_server.hooks.course_link import course_link
from cds_server.hooks.hook_request import HookRequest
from cds_server.hooks.log_entry import Answered, decision_of, people_of
from cds_server.hooks.services import Service
from cds_server.operations.call_time import CallTime
from cds_server.operations.log_lines import log_line, request_id, where_it_failed
from cds_server.problems import Problem
from cds_server.record.record_request import RecordRequest
from cds_server.running import Running
from cds_server.storage.dismissals import dismissals
from cds_server.storage.pseudonyms import People
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.client_trust import NOBODY_CHECKED, Caller, UntrustedError
from cds_server.trust.clients import Profile

log = logging.getLogger("cds_server")


def checked_caller(here: Running, service: str | None, call_time: CallTime) -> Caller:
    """Who calls this address, each token once. Raises Problem `untrusted`."""
    if here.trust is None:
        return NOBODY_CHECKED
    try:
        url = f"{here.settings.public_url}{request.path}"
        caller = here.trust.caller(request.headers.get("Authorization"), url, service, call_time.deadline)
        issuer = caller.client.issuer if caller.client else ""
        token = hashlib.sha256(f"{issuer}\x1f{caller.jti}".encode()).hexdigest()
        with call_time.waiting_for_the_log() as seconds:
            first = here.tokens.is_first_use(token, datetime.fromtimestamp(caller.expires, UTC), seconds)
        if not first:
            raise UntrustedError("replay", "the token was used before")
    except UntrustedError as error:
        raise Problem("untrusted", [("Authorization", error.says)], error.reason) from error
    return caller


def answered(
    here: Running, service: Service, hook_request: HookRequest, caller: Caller, call_time: CallTime
) -> dict[str, Any]:
    """The answer to a call that is well formed, logged before it leaves. Raises Problem."""
    wanted = _record_request(here, hook_request, caller)
    occasion = Occasion(hook_request.hook, hook_request.drafts, hook_request.selections)
    as_of, rules = here.clock(), here.sources.rules
    shadow = here.settings.in_shadow(service.id)
    people, decision_id = people_of(hook_request, caller, here.pseudonyms), str(uuid.uuid4())

    def log_it(found: Advice | None, body: dict[str, Any], silence: str | None, missing: Sequence[str]) -> None:
        took = call_time.milliseconds()
        entry = Answered(decision_id, service.id, as_of, rules.hash, took, shadow, silence, found, body, missing)
        try:
            decision = decision_of(hook_request, caller, people, entry)
        except Exception as error:  # what cannot be put down costs no one a card
            here.store.lose(error)
            return
        here.metrics.answered(service.id, [(c.card, c.indicator, c.shown) for c in decision.cards], silence)
        log_line().update(hookInstance=hook_request.hook_instance, rules=decision.row.rules, silence=silence)
        with call_time.waiting_for_the_log() as seconds:
            here.store.record(decision, seconds)

    try:
        dismissed = _dismissed(here, people, as_of, call_time)
        advised = advise(wanted, occasion, here.sources, as_of, call_time, dismissed)
        facts, found = advised.facts, advised.found
        course = course_link(here, wanted, decision_id)
        body = answer(facts, found, rules, here.settings.public_url, course)
    except Problem as problem:
        log_it(None, {}, problem.name, [says for _, says in problem.details])
        if shadow and problem.kind.status in (412, 503):  # a malformed call is refused
            return {"cards": []}
        raise
    except Exception as error:  # a failure of ours is in the log too, and in shadow it is not shown
        log_it(None, {}, "internal", ())
        if not shadow:
            raise
        log.error("a call failed", extra={"failed": where_it_failed(error)})
        return {"cards": []}
    log_it(found, body, found.silence, [says for _, says in unread(facts)])
    if shadow or found.silence == "shadowed":
        return {"cards": []}
    profile = caller.client.profile if caller.client is not None else Profile.STANDARD
    return for_client(body, profile, here.orders)


def _record_request(here: Running, sent: HookRequest, caller: Caller) -> RecordRequest:
    """The record that the call is about, read only as far as its client may have it read."""
    allowed = caller.client is None or sent.fhir_server in (None, *caller.client.fhir_servers)
    if not allowed:
        here.metrics.refusals.labels("forbidden-server", "").inc()
    return RecordRequest(
        sent.patient_id,
        sent.fhir_server,
        token=sent.access_token,
        scope=sent.scope,
        may_call=allowed,
        may_use_our_token=caller.client is not None and caller.client.backend,
        drafts=sent.drafts,
        prefetch=sent.prefetch,
        request_id=request_id(),
    )


def _dismissed(here: Running, people: People, as_of: datetime, call_time: CallTime) -> tuple[Dismissed, ...]:
    """What this user overrode for this patient of late; a log that cannot be read holds nothing back."""
    since = as_of - timedelta(hours=here.settings.override_hours)
    try:
        with call_time.waiting_for_the_log() as seconds:
            return here.store.run(lambda session: dismissals(session, people, since), seconds)
    except StoreUnavailableError:
        here.metrics.log_losses.labels("dismissals").inc()
        return ()
