"""The counts of the process, for Prometheus. The only parts of a request in a label are names that this service gave.

Under gunicorn each worker counts into files of `PROMETHEUS_MULTIPROC_DIR`, and the page adds them up.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from cds_server.problems import ProblemId
from fhir_mappings.facts.course import CourseDoubt

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0)


class Metrics:
    """The counts of one app, so that two apps in one process do not count together."""

    def __init__(self, version: str, rules_hash: str, services: Sequence[str] = ()) -> None:
        self._own = CollectorRegistry()
        self.calls = self._counter("calls", "Answers by address and status", "address", "status")
        self.seconds = Histogram(
            "crs_cds_call_seconds", "Time to an answer", ["address"], buckets=_SECONDS, registry=self._own
        )
        self.cards = self._counter("cards", "Cards worked out", "service", "card", "indicator", "shown")
        self.silences = self._counter("silences", "Answers without a card", "service", "reason")
        self.refusals = self._counter("refusals", "Calls refused", "problem", "reason")
        self.not_assessed = self._counter(
            "not_assessed", "Calls of which nobody knows whether cells were given", "reason"
        )
        self.fhir_requests = self._counter("fhir_requests", "Searches and reads asked of FHIR servers", "type")
        self.patient_forms = self._counter("patient_forms", "FHIR servers whose form of `patient` was found", "form")
        self.fhir_errors = self._counter("fhir_errors", "Searches and reads that failed", "type", "kind")
        self.busy = self._counter("busy", "Calls that found no place, by client and share", "client", "share")
        self.feedback = self._counter("feedback", "Entries of feedback", "outcome")
        self.audit_losses = self._counter("audit_losses", "AuditEvents that were not kept")
        self.span_losses = self._counter("span_losses", "Spans that no collector has")
        self.log_losses = self._counter("log_losses", "What the decision log should have and has not", "what")
        self.log_late = self._counter("log_late", "Waits for the decision log that ended before it answered", "what")
        self.log_degraded = Gauge(
            "crs_cds_log_degraded", "1 while the decision log does not answer", registry=self._own,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.circuit_open = Gauge(
            "crs_cds_circuit_open", "1 while a FHIR server is not asked, because it did not answer", ["base"],
            registry=self._own, multiprocess_mode="livemax",
        )  # fmt: skip
        self.spooled = Gauge(
            "crs_cds_spooled_decisions", "Decisions that wait for the decision log", registry=self._own,
            multiprocess_mode="livemostrecent",
        )  # fmt: skip
        self.spool_unreadable = Gauge(
            "crs_cds_spool_unreadable", "1 while something in the spool cannot come in", registry=self._own,
            multiprocess_mode="livemax",
        )  # fmt: skip
        self.rules_unsigned = Gauge(
            "crs_cds_rules_unsigned", "1 while no card is shown because nobody signed the rules", registry=self._own,
            multiprocess_mode="livemax",
        )  # fmt: skip
        in_force = Gauge(
            "crs_cds_in_force", "Version, and hash of the rules", ["version", "rules"],
            registry=self._own, multiprocess_mode="livemax",
        )  # fmt: skip
        in_force.labels(version, rules_hash).set(1)
        self._begin_at_zero(services)

    def _begin_at_zero(self, services: Sequence[str]) -> None:
        """Show the series that alerts watch from the start, because a rate is visible only of a series that was once
        0."""
        for what in ("decision", "token", "dismissals", "file"):
            self.log_losses.labels(what)
        for reason in CourseDoubt:
            self.not_assessed.labels(reason.value)
        for service in services:
            for status in ("200", "500"):
                self.calls.labels(f"call {service}", status)
            self.silences.labels(service, ProblemId.UNREADABLE_RECORD.value)
        for busy in ("", "launches"):
            self.refusals.labels(ProblemId.BUSY.value, busy)
        for outcome in ("stored", "unmatched", "refused", "malformed"):
            self.feedback.labels(outcome)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"crs_cds_{name}", says, labels, registry=self._own)

    def count_answer(self, service: str, cards: Sequence[tuple[str, str, bool]], silence: str | None) -> None:
        """Count an answer: its cards as (card, indicator, shown), or the reason why there was none."""
        for card, indicator, shown in cards:
            self.cards.labels(service, card, indicator, "yes" if shown else "no").inc()
        if silence is not None:
            self.silences.labels(service, silence).inc()

    def page(self) -> bytes:
        """The page that Prometheus reads: of this process, or of all workers together."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._own)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
