"""The story of one call, from a well-formed request to the answer that leaves."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cards.deciding.dismissed import Dismissed
from cards.deciding.visible import Silence
from cds_server.hooks.answer import answer_json
from cds_server.hooks.client_profile import for_client
from cds_server.hooks.course_link import course_link
from cds_server.hooks.hook_call import HookCall, begun_call
from cds_server.hooks.hook_request import HookRequest
from cds_server.hooks.log_entry import CallOutcome, decision_of
from cds_server.hooks.services import Service
from cds_server.operations.call_time import CallTime
from cds_server.operations.log_lines import call_span, ids_for_others, log_line, where_it_failed
from cds_server.operations.spans import phase
from cds_server.patient_advice import (
    Occasion,
    advice_on,
    facts_of,
    mapping_context,
    read_record,
    refuse_unreadable,
    unread_data,
)
from cds_server.problems import Problem, ProblemId
from cds_server.record.record_request import RecordRequest
from cds_server.running import Running
from cds_server.storage.dismissals import dismissals
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.client_trust import Caller

log = logging.getLogger("cds_server")


def answer_call(
    here: Running, service: Service, sent: HookRequest, caller: Caller, call_time: CallTime
) -> dict[str, Any]:
    """The answer to a well-formed call of a checked caller. Raises Problem.

    1. Say whose record is wanted, and how much of it this client may have read.
    2. Look up the cards that this user dismissed lately.
    3. Read the record: prefetch first, the FHIR server for the rest.
    4. Work out the facts from valid FHIR only.
    5. Choose the cards for the hook and its drafts.
    6. Refuse (412) if the service can say nothing because the record could not be read.
    7. Write the answer: cards, reasoning, and the link to the course.
    8. Log the decision before it leaves. A call that failed at an earlier step is logged too.
    9. In shadow, show nothing.
    10. Give the answer the form that this client takes.
    """
    call, sources = begun_call(here, service, sent, caller, call_time), here.sources
    wanted = _wanted_record(call)
    occasion = Occasion(service.showing, sent.drafts, sent.selections)
    context = mapping_context(sent.patient_id, sent.fhir_server, sources.rules, sources.zone, call.as_of)
    try:
        dismissed = _dismissed_of_late(call)
        with phase(wanted.span, "read record") as span:
            record = read_record(replace(wanted, span=span), sources, call.as_of, call_time)
        with phase(wanted.span, "facts"):
            facts = facts_of(record, context, call_time.is_left)
        with phase(wanted.span, "advice"):
            advice = advice_on(occasion, facts, record, context, sources.rules, dismissed)
        refuse_unreadable(advice, facts)
        link = course_link(here, wanted, call.decision_id)
        answer = answer_json(advice, facts, sources.rules, here.settings.public_url, link)
    except Exception as error:
        if _is_shown(call, error):
            raise
        return _nothing_shown()
    _log(call, CallOutcome(advice.silence, unread_data(facts), advice, answer))
    if call.shadow or advice.silence is Silence.SHADOWED:
        return _nothing_shown()
    # this comes after logging: the log and the rules know our own names only
    return for_client(answer, caller.profile, here.orders)


def _wanted_record(call: HookCall) -> RecordRequest:
    """The record that a call is about. A client that names a FHIR server that is not its own is counted."""
    sent, client = call.sent, call.caller.client
    may_call = client is None or sent.fhir_server in (None, *client.fhir_servers)
    if not may_call:
        call.here.metrics.refusals.labels("forbidden-server", "").inc()
    return RecordRequest(
        sent.patient_id,
        sent.fhir_server,
        token=sent.access_token,
        scope=sent.scope,
        may_call=may_call,
        may_use_our_token=client is not None and client.backend,
        drafts=sent.drafts,
        prefetch=sent.prefetch,
        ids=ids_for_others(),
        held=call.here.held_bytes(),
        span=call_span(),
    )


def _dismissed_of_late(call: HookCall) -> tuple[Dismissed, ...]:
    """The cards that this user overrode for this patient. If the log cannot be read, no card is held back."""
    here = call.here
    since = call.as_of - timedelta(hours=here.settings.override_hours)
    try:
        with call.time.waiting_for_the_log() as seconds:
            return here.store.run(lambda session: dismissals(session, call.people, since), seconds)
    except StoreUnavailableError:
        here.metrics.log_losses.labels("dismissals").inc()
        return ()


# It tells the caller to raise, and does not raise the error itself: a frame in the traceback of an error that it holds
# would keep the whole record in memory until the garbage collector looks at everything.
def _is_shown(call: HookCall, error: Exception) -> bool:
    """Log a call that was refused or failed, and tell whether its client is told so. In shadow it is told only what is
    wrong with the request."""
    if isinstance(error, Problem):
        if error.id is ProblemId.UNREADABLE_RECORD:
            call.here.metrics.not_assessed.labels(error.reason).inc()
        _log(call, CallOutcome(error.id.value, [says for _, says in error.details]))
        # in shadow a 412 is an empty answer to the client, and is logged as the 412 that it would have been
        return not (call.shadow and error.kind.status in (412, 503))
    _log(call, CallOutcome(ProblemId.INTERNAL.value))
    if call.shadow:
        log.error("a call failed", extra={"failed": where_it_failed(error)})
    return not call.shadow


def _log(call: HookCall, outcome: CallOutcome) -> None:
    """Put a call into the decision log, the metrics and its log line."""
    here = call.here
    try:
        decision = decision_of(call, outcome)
    except Exception as error:  # what cannot be put down costs no one a card
        here.decisions.lose(error)
        return
    here.metrics.count_answer(
        call.service.id, [(c.card, c.indicator, c.shown) for c in decision.cards], outcome.silence
    )
    log_line().update(hookInstance=call.sent.hook_instance, rules=decision.row.rules, silence=outcome.silence)
    log_line().update(cards=len(decision.cards))
    if call.encounter is not None:
        log_line().update(encounter=call.encounter)
    with phase(call_span(), "log"), call.time.waiting_for_the_log() as seconds:
        here.decisions.record(decision, seconds)


def _nothing_shown() -> dict[str, Any]:
    return {"cards": []}
