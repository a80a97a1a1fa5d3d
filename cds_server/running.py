"""The running service, as the routes see it: settings, sources, trust, the store, and the clock that says "now"."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests
from flask import current_app, g

from cards.orders.orders import OrderCodings
from cds_server.audit.audit_trail import AuditTrail
from cds_server.operations.call_time import CallTime
from cds_server.operations.large_calls import HeldBytes, LargeCalls
from cds_server.operations.log_lines import log_line
from cds_server.operations.metrics import Metrics
from cds_server.operations.spans import Spans
from cds_server.outgoing.endpoints import Endpoints
from cds_server.outgoing.kept_answers import KeptAnswers
from cds_server.problems import Problem
from cds_server.record.patient_record import Sources
from cds_server.settings.table import Settings
from cds_server.shares import Places
from cds_server.sign_off.sign_off import SignOff
from cds_server.storage.decision_log import DecisionLog
from cds_server.storage.pseudonyms import Pseudonyms
from cds_server.storage.smart_sessions import SmartSessions
from cds_server.storage.store import Store
from cds_server.storage.used_tokens import UsedTokens
from cds_server.trust.client_trust import ClientTrust
from cds_server.trust.smart_registration import SmartServer

RUNNING_KEY = "crs-cds"  # under which an app holds its Running


@dataclass(frozen=True)
class Smart:
    """The app that EHRs launch: their FHIR servers by base, its sessions, what their authorization servers said lately,
    the places of each step, and how many of them each address has taken."""

    servers: Mapping[str, SmartServer]
    sessions: SmartSessions
    outside: requests.Session
    endpoints: KeptAnswers[Endpoints]
    places: Mapping[str, threading.BoundedSemaphore]
    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Running:
    """One service. `trust` is None if clients are off, which only development allows; `sign_off` says whether a person
    signed the rules in force; `places` are those of calls, `large_calls` the room that large ones share; `smart` is
    None if the SMART app is not set up."""

    settings: Settings
    sources: Sources
    sign_off: SignOff
    clock: Callable[[], datetime]
    trust: ClientTrust | None
    store: Store
    decisions: DecisionLog
    tokens: UsedTokens
    pseudonyms: Pseudonyms
    places: Places
    large_calls: LargeCalls
    metrics: Metrics
    audit: AuditTrail
    spans: Spans
    orders: OrderCodings
    smart: Smart | None = None

    def in_shadow(self, service: str) -> bool:
        """Tell whether everything is worked out and logged, and nothing is shown: by a setting, or because nobody
        signed the rules in force."""
        return self.sign_off.shadow_only or self.settings.in_shadow(service)

    def held_bytes(self) -> HeldBytes:
        """The bytes that the present call holds, of those that all calls of the worker share."""
        if "held_bytes" not in g:
            g.held_bytes = self.large_calls.begin()
        held: HeldBytes = g.held_bytes
        return held

    def call_time(self, log_seconds: float | None = None) -> CallTime:
        """The time of a call that begins now. It may wait for the log as long as the settings say, or for
        `log_seconds`."""
        settings = self.settings
        return CallTime(
            time.monotonic(), settings.budget_seconds, settings.log_seconds if log_seconds is None else log_seconds
        )


def running() -> Running:
    """The service that answers the present call."""
    found = current_app.extensions[RUNNING_KEY]
    if not isinstance(found, Running):
        raise TypeError("the app was not made by create_app")
    return found


def let_go(_error: BaseException | None = None) -> None:
    """Hold no bytes for the present call any more: its view has returned."""
    held = g.pop("held_bytes", None)
    if held is not None:
        held.end()


def note_problem(problem: Problem) -> None:
    """Count a problem that a caller is told of, and put its name into the log line of the call."""
    running().metrics.refusals.labels(problem.id.value, problem.reason).inc()
    log_line().update(problem=problem.id.value, **({"reason": problem.reason} if problem.reason else {}))
