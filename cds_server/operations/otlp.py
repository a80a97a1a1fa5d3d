"""The way of spans to a collector: a bounded queue, and one thread that empties it over OTLP (HTTP).

No call waits for it and none fails because of it. What does not fit into the queue, and what the collector does not
take, is counted as lost. This module needs the extra `otel`.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as ApiSpan

from cds_server.operations.log_lines import where_it_failed
from cds_server.operations.metrics import Metrics
from cds_server.operations.spans import Fact, Trace

log = logging.getLogger("cds_server")
MOST_WAITING, BATCH = 2048, 512
EVERY_MILLISECONDS = 2000.0
SEND_SECONDS = 5.0
LAST_SECONDS = 2.0  # after the end of the worker no batch is begun


def otlp_exporter(
    base: str, session: requests.Session, ca_bundle: Path | None, client_cert: Path | None
) -> OTLPSpanExporter:
    """The exporter to a collector. It takes `OTEL_EXPORTER_OTLP_HEADERS` from the environment."""
    # the service says itself, once, that spans are lost
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    return OTLPSpanExporter(
        f"{base}/v1/traces",
        certificate_file=str(ca_bundle) if ca_bundle is not None else None,
        client_certificate_file=str(client_cert) if client_cert is not None else None,
        timeout=SEND_SECONDS,
        session=session,
    )


class OtlpSpans:
    """The spans of one worker."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics, version: str) -> None:
        self._queue = _BoundedQueue(exporter, metrics)
        resource = Resource.create({SERVICE_NAME: "crs-cds", SERVICE_VERSION: version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(self._queue)
        self._tracer = self._provider.get_tracer("cds_server", version)
        atexit.register(self.end)

    def begin(self, name: str, caller: Trace | None) -> OtlpSpan:
        """Begin the span of a call, in the trace of the caller if there is one."""
        context = None
        if caller is not None:
            flags = TraceFlags(TraceFlags.SAMPLED if caller.sampled else TraceFlags.DEFAULT)
            theirs = SpanContext(caller.trace, caller.span, is_remote=True, trace_flags=flags)
            context = set_span_in_context(NonRecordingSpan(theirs))
        return OtlpSpan(self._tracer, self._tracer.start_span(name, context, SpanKind.SERVER))

    def flush(self) -> None:
        """Send all that ended until now."""
        self._provider.force_flush()

    def end(self) -> None:
        """Send what waits, if that is quickly done."""
        atexit.unregister(self.end)
        self._provider.shutdown()


class OtlpSpan:
    """A span that the collector is told of, unless its caller wants none."""

    def __init__(self, tracer: Tracer, span: ApiSpan) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def trace(self) -> Trace:
        context = self._span.get_span_context()
        return Trace(context.trace_id, context.span_id, context.trace_flags.sampled)

    def child(self, name: str, *, asks: bool = True) -> OtlpSpan:
        context, kind = set_span_in_context(self._span), SpanKind.CLIENT if asks else SpanKind.INTERNAL
        return OtlpSpan(self._tracer, self._tracer.start_span(name, context, kind))

    def end(self, facts: Mapping[str, Fact], *, failed: bool = False) -> None:
        """End the span, with what is told of it."""
        self._span.set_attributes(facts)
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class _Sender(SpanExporter):
    """The exporter, with what it could not send counted, and said when it begins."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        self.ends_at = math.inf
        self._exporter = exporter
        self._metrics = metrics
        self._fails = False
        self._lock = threading.Lock()
        self._waiting = 0

    def has_room(self) -> bool:
        """Tell whether one more may wait, and count it if so."""
        with self._lock:
            has_room = self._waiting < MOST_WAITING
            self._waiting += has_room
        return has_room

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            late = time.monotonic() > self.ends_at
            result = SpanExportResult.FAILURE if late else self._exporter.export(spans)
        except Exception as error:  # whatever it is, no call learns of it
            log.error("spans could not be sent", extra={"failed": where_it_failed(error)})
            result = SpanExportResult.FAILURE
        with self._lock:
            self._waiting -= len(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed:
            self._metrics.span_losses.inc(len(spans))
            if not self._fails:
                log.error("spans are lost: the collector does not take them")
        self._fails = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _BoundedQueue(BatchSpanProcessor):
    """The queue of the SDK. That drops its oldest spans when it is full and counts none of them, so it never is."""

    def __init__(self, exporter: SpanExporter, metrics: Metrics) -> None:
        self._metrics = metrics
        self._sender = _Sender(exporter, metrics)
        super().__init__(self._sender, MOST_WAITING, EVERY_MILLISECONDS, BATCH)

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span without waiting."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._sender.has_room():
            super().on_end(span)
        else:
            self._metrics.span_losses.inc()

    def shutdown(self) -> None:
        self._sender.ends_at = time.monotonic() + LAST_SECONDS
        super().shutdown()  # type: ignore[no-untyped-call]
