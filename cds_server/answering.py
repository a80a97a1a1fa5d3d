"""One call from the checked caller to the logged answer."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from cards.decision_table import CardId, Indicator
from cards.held_back import Dismissed
from cds_server.advise import advise, answer
from cds_server.catalogue import Service
from cds_server.client_trust import NOBODY_CHECKED, Caller, UntrustedError
from cds_server.database import CardRow, DecisionRow, FeedbackRow
from cds_server.decision_log import LogUnavailableError
from cds_server.hook_request import HookRequest
from cds_server.log_entry import Answered, People, decision_of, people_of
from cds_server.problems import Problem
from cds_server.running import Running
from cds_server.settings import Mode

_CARDS = frozenset(card.value for card in CardId)
_INDICATORS = frozenset(indicator.value for indicator in Indicator)


def checked_caller(here: Running, service: str | None, deadline: float) -> Caller:
    """Who calls this address, each token once. Raises Problem `untrusted`."""
    if here.trust is None:
        return NOBODY_CHECKED
    try:
        url = f"{here.settings.public_url}{request.path}"
        caller = here.trust.caller(request.headers.get("Authorization"), url, service, deadline)
        issuer = caller.client.issuer if caller.client else ""
        token = hashlib.sha256(f"{issuer}\x1f{caller.jti}".encode()).hexdigest()
        seconds = min(here.log.seconds, max(0.0, deadline - time.monotonic()))
        if not here.log.is_first_use(token, datetime.fromtimestamp(caller.expires, UTC), seconds):
            raise UntrustedError("replay", "the token was used before")
    except UntrustedError as error:
        raise Problem("untrusted", [("Authorization", error.says)]) from error
    return caller


def answered(
    here: Running, service: Service, hook_request: HookRequest, caller: Caller, started: float
) -> dict[str, Any]:
    """The answer to a call that is well formed, logged before it leaves. Raises Problem."""
    if caller.client is not None and hook_request.fhir_server not in (None, *caller.client.fhir_servers):
        hook_request = replace(hook_request, may_call=False)
    deadline = started + here.settings.budget_seconds
    people = people_of(hook_request, caller, here.pseudonyms)
    as_of, rules = here.clock(), here.sources.rules
    shadow = here.settings.mode is Mode.SHADOW
    dismissed = _dismissed(here, people, as_of, deadline)

    def log_it(found: Any, body: dict[str, Any], silence: str | None) -> None:
        passed = int((time.monotonic() - started) * 1000)
        entry = Answered(service.id, as_of, rules.hash, passed, shadow, silence, found, body)
        here.log.record(decision_of(hook_request, caller, people, entry))

    try:
        advised = advise(hook_request, here.sources, as_of, deadline, dismissed)
    except Problem as problem:
        log_it(None, {}, problem.name)
        if shadow and problem.kind.status == 412:
            return {"cards": []}
        raise
    body = answer(advised.facts, advised.found, rules, here.settings.public_url)
    log_it(advised.found, body, advised.found.silence)
    return {"cards": []} if shadow else body


def _dismissed(here: Running, people: People, as_of: datetime, deadline: float) -> tuple[Dismissed, ...]:
    """What this user overrode for this patient of late; a log that cannot be read holds nothing back."""
    since = as_of - timedelta(hours=here.settings.override_hours)

    def find(session: Session) -> list[Dismissed]:
        query = (
            select(CardRow.card, CardRow.indicator, DecisionRow.state, FeedbackRow)
            .join(DecisionRow, CardRow.decision_id == DecisionRow.id)
            .join(FeedbackRow, FeedbackRow.card_uuid == CardRow.uuid)
            .where(
                DecisionRow.patient == people.patient,
                DecisionRow.user == people.user,
                FeedbackRow.matched,
                FeedbackRow.issuer == DecisionRow.issuer,
                FeedbackRow.tenant == DecisionRow.tenant,
                FeedbackRow.received_at >= since,
            )
            .order_by(FeedbackRow.received_at)
        )
        last = {
            said.card_uuid: (card, indicator, state, said) for card, indicator, state, said in session.execute(query)
        }
        return [
            Dismissed(CardId(card), Indicator(indicator), state, at)
            for card, indicator, state, said in last.values()
            # a card of another version of this program is none of ours to hold
            if card in _CARDS
            and indicator in _INDICATORS
            and said.outcome == "overridden"
            # feedback may come in batches: what counts is when it was said
            and (at := min(said.outcome_at or said.received_at, said.received_at)) >= since
        ]

    try:
        return tuple(here.log.run(find, min(here.log.seconds, max(0.0, deadline - time.monotonic()))))
    except LogUnavailableError:
        return ()
