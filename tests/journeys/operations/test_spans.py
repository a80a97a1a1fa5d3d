"""The spans of calls: what the collector is told, what it is never told, and that no call depends on it."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from cds_server.app import create_app
from cds_server.limits import SettingsError
from cds_server.operations.otlp import MOST_WAITING, OtlpSpans
from cds_server.running import Running
from example_patients.stories.stories import SCENES, hook_body
from tests.support.by_search import body_for, failing, wire
from tests.support.desk import KEYS_OF_TYPE, Desk, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.gunicorn_service import gunicorn
from tests.support.tables import rows

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Traced:
    """A desk whose service tells an exporter of its spans."""

    def __init__(self, scene_id: str, exporter: SpanExporter | None = None, **environ: str) -> None:
        _, self.scene = scene_of(scene_id)
        self.desk = Desk(now=moment_of(self.scene), environ=environ)
        self.memory = InMemorySpanExporter()
        extensions = self.desk.client.application.extensions
        here: Running = extensions["crs-cds"]
        self.metrics = here.metrics
        self.spans = OtlpSpans(exporter or self.memory, here.metrics, "1.0.0")
        extensions["crs-cds"] = replace(here, spans=self.spans)

    def call(self, headers: dict[str, str] | None = None, **more: Any) -> Any:
        body = body_for(self.scene.patient_id, "patient-view", None, **more)
        return self.desk.client.post("/cds-services/crs-patient-view", json=body, headers=headers or {})

    def kept(self) -> tuple[ReadableSpan, ...]:
        self.spans.flush()
        return self.memory.get_finished_spans()

    def losses(self) -> float:
        self.spans.flush()
        return self.metrics.span_losses._value.get()


PHASES = ["read record", "facts", "advice", "log"]


def parts(spans: tuple[ReadableSpan, ...]) -> tuple[ReadableSpan, list[ReadableSpan]]:
    """The span of the one call, and those of its searches and reads."""
    (call,) = [span for span in spans if span.name.startswith("call ")]
    return call, [span for span in spans if span is not call and span.name not in PHASES]


def phases(spans: tuple[ReadableSpan, ...]) -> dict[str, ReadableSpan]:
    """The spans of the phases of the one call, in the order in which they began."""
    return {span.name: span for span in sorted(spans, key=lambda s: s.start_time or 0) if span.name in PHASES}


def test_a_call_is_one_span_with_a_child_for_each_search() -> None:
    traced = Traced("3")
    with wire(chart_of("3")) as server:
        answer = traced.call()
    call, children = parts(traced.kept())
    assert call.name == "call crs-patient-view"
    assert dict(call.attributes or {}) == {
        "crs_cds.address": "call crs-patient-view",
        "http.response.status_code": 200,
        "crs_cds.cards": len(answer.get_json()["cards"]),
    }
    assert call.parent is None
    asked = sorted(re.split(r"[/?]", path)[1] for path in server.asked)
    assert sorted(child.name.split()[1] for child in children) == asked
    reading = phases(traced.kept())["read record"]
    assert {child.parent.span_id for child in children if child.parent} == {reading.context.span_id}
    assert {dict(child.attributes or {})["crs_cds.outcome"] for child in children} == {"whole"}
    assert all(child.start_time and child.end_time and child.start_time <= child.end_time for child in children)


def test_the_phases_of_a_call_follow_each_other_within_it() -> None:
    traced = Traced("3")
    with wire(chart_of("3")):
        traced.call()
    call, _ = parts(traced.kept())
    found = phases(traced.kept())
    assert list(found) == PHASES
    assert {phase.parent.span_id for phase in found.values() if phase.parent} == {call.context.span_id}
    assert {phase.kind for phase in found.values()} == {SpanKind.INTERNAL}
    times = [at for phase in found.values() for at in (phase.start_time or 0, phase.end_time or 0)]
    assert times == sorted(times), "one after the other"
    assert all(dict(phase.attributes or {}) == {} for phase in found.values()), "nothing of the patient"


def test_the_phase_in_which_a_call_ended_is_marked_and_the_refusal_is_logged() -> None:
    traced = Traced("3")
    of_another = [{**r, "subject": {"reference": "Patient/another"}} for r in chart_of("3")]
    assert traced.call(prefetch=whole_prefetch(of_another)).status_code == 400
    found = {name: phase.status.status_code is StatusCode.ERROR for name, phase in phases(traced.kept()).items()}
    assert found == {"read record": True, "log": False}


def test_a_search_that_fails_is_named_by_the_kind_of_its_failure() -> None:
    traced = Traced("3")
    with wire(chart_of("3"), failing("Condition")):
        traced.call()
    _, children = parts(traced.kept())
    failed = {(c.name, (c.attributes or {})["crs_cds.outcome"]) for c in children} - {
        (c.name, "whole") for c in children
    }
    assert failed == {("search Condition", "403")}


def test_a_refusal_is_told_by_its_name() -> None:
    traced = Traced("3")
    with wire([], lambda _: (403, {}, "{}")):
        assert traced.call().status_code == 412
    call, _ = parts(traced.kept())
    told = dict(call.attributes or {})
    assert (told["http.response.status_code"], told["crs_cds.problem"]) == (412, "unreadable-record")


TRACES = rows("""
| traceparent   | sampled | kept | because                                        |
| of the caller | 01      | yes  | the caller keeps its trace                     |
| of the caller | 00      | no   | the caller does not keep it, so neither do we  |
| none          |         | yes  | a trace of our own                             |
""")


@pytest.mark.parametrize("row", TRACES, ids=lambda row: row["because"])
def test_the_trace_comes_from_the_caller_and_goes_on_to_the_fhir_server(row: dict[str, str]) -> None:
    traced = Traced("3")
    theirs = {"traceparent": f"00-{TRACE}-{PARENT}-{row['sampled']}"} if row["sampled"] else {}
    with wire(chart_of("3")) as server:
        assert traced.call(theirs).status_code == 200
    sent = {tuple(headers["traceparent"].split("-")) for headers in server.headers}
    spans = traced.kept()
    assert bool(spans) == (row["kept"] == "yes")
    if theirs:
        assert {(version, trace, flags) for version, trace, _, flags in sent} == {("00", TRACE, row["sampled"])}
    if not spans:
        return
    call, children = parts(spans)
    assert {span for _, _, span, _ in sent} == {f"{child.context.span_id:016x}" for child in children}
    if theirs:
        assert call.parent is not None
        assert (f"{call.context.trace_id:032x}", f"{call.parent.span_id:016x}") == (TRACE, PARENT)


def test_health_and_metrics_are_no_spans() -> None:
    traced = Traced("3")
    for address in ("/health/live", "/health/ready", "/metrics"):
        traced.desk.client.get(address)
    assert traced.kept() == ()


RESOURCE_TYPES = {"Patient", "Observation", "Medication", *KEYS_OF_TYPE}
WORDS = re.compile(r"[a-z0-9._\- ]{1,60}", re.IGNORECASE)
ATTRIBUTES = {
    "crs_cds.address", "http.response.status_code", "crs_cds.problem", "crs_cds.reason", "crs_cds.silence",
    "crs_cds.cards", "crs_cds.outcome", "crs_cds.pages", "crs_cds.resources",
}  # fmt: skip


def texts_of(value: Any) -> Iterator[str]:
    """Every string of a document."""
    if isinstance(value, dict):
        for part in value.values():
            yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)
    elif isinstance(value, str):
        yield value


def told_by(span: ReadableSpan) -> set[str]:
    """All that a span tells but its ids and times."""
    assert not span.events
    assert not span.links
    assert span.status.description is None
    assert set(span.attributes or {}) <= ATTRIBUTES
    return {span.name, *(str(value) for value in (span.attributes or {}).values())}


@pytest.mark.parametrize("scene_id", [scene.id for _, scene in SCENES])
@pytest.mark.parametrize("fault", [None, "Observation"], ids=["read whole", "a search fails"])
def test_no_span_holds_anything_of_the_chart(scene_id: str, fault: str | None) -> None:
    traced, chart = Traced(scene_id), chart_of(scene_id)
    body = hook_body(traced.scene, traced.desk.now, fhirServer="https://fhir.example.org/r4")
    with wire(chart, failing(fault) if fault else lambda _: None):
        traced.desk.post(body)
    ours = {"order", *RESOURCE_TYPES}  # the intent of a draft, and a part of the names of hooks
    whole = {*texts_of(chart), *texts_of(body)} - {body["hook"], *ours}
    told = {text for span in traced.kept() for text in told_by(span)}
    assert told
    assert [text for text in told if not WORDS.fullmatch(text)] == []
    assert [(text, part) for text in told for part in whole if len(part) > 3 and part in text] == []


def test_no_span_holds_a_header_or_a_text_of_an_error() -> None:
    traced = Traced("3")
    marked = dict.fromkeys(("X-Request-Id", "baggage", "tracestate", "User-Agent", "Authorization"), "PLANTED")
    refused = '{"resourceType": "OperationOutcome", "issue": [{"diagnostics": "PLANTED"}]}'
    with wire([], lambda _: (500, {"X-Error": "PLANTED"}, refused)) as server:
        traced.call(marked | {"traceparent": f"00-{TRACE}-{PARENT}-01"})
        traced.desk.client.get("/PLANTED?PLANTED")
        traced.desk.client.post("/cds-services/PLANTED", data="PLANTED", headers=marked)
    told = " ".join(text for span in traced.kept() for text in told_by(span))
    assert "call unknown" in told
    assert "PLANTED" not in told
    assert not any({"tracestate", "baggage"} & {name.lower() for name in headers} for headers in server.headers)


class Held(SpanExporter):
    """A collector that does not answer before it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
        self.go.wait(30)
        return SpanExportResult.SUCCESS


def test_a_full_queue_loses_the_newest_and_counts_them() -> None:
    held = Held()
    traced = Traced("3", held)
    for _ in range(MOST_WAITING + 7):
        traced.spans.begin("call", None).end({})
    began = time.monotonic()
    with wire(chart_of("3")):
        assert traced.call().status_code == 200
    assert time.monotonic() - began < 5.0
    held.go.set()
    assert traced.losses() > 7
    before = traced.losses()
    traced.spans.begin("call", None).end({})
    assert traced.losses() == before, "there is room again"


class Failing(SpanExporter):
    def __init__(self, *, raises: bool) -> None:
        self.raises = raises

    def export(self, spans: Any) -> SpanExportResult:  # noqa: ARG002
        if self.raises:
            raise ValueError
        return SpanExportResult.FAILURE


@pytest.mark.parametrize("raises", [False, True])
def test_what_the_collector_does_not_take_is_counted_and_said_once(
    raises: bool, caplog: pytest.LogCaptureFixture
) -> None:
    traced = Traced("3", Failing(raises=raises))
    for number in (1, 2):
        traced.spans.begin("call", None).end({})
        assert traced.losses() == number
    assert [r.message for r in caplog.records].count("spans are lost: the collector does not take them") == 1


def test_without_the_extra_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cds_server.operations.otlp", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    environ = {"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": "sqlite://"}
    create_app(environ)
    with pytest.raises(SettingsError, match=r"CRS_CDS_OTLP needs the extra otel"):
        create_app(environ | {"CRS_CDS_OTLP": "http://127.0.0.1:4318"})


@contextmanager
def collector(seconds: float = 0.0) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on loopback that keeps what it is sent; one that takes its time answers after `seconds`."""
    taken: list[tuple[str, bytes]] = []
    end = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            end.wait(seconds)
            taken.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        end.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_spans_go_to_a_collector_over_otlp_also_those_of_the_last_moment(tmp_path: Path) -> None:
    with collector() as (url, taken):
        with gunicorn(tmp_path, CRS_CDS_OTLP=url) as service:
            body = hook_body(scene_of("3")[1], moment_of(scene_of("3")[1]), prefetch={})
            for _ in range(3):
                requests.post(f"{service.url}/cds-services/crs-patient-view", json=body, timeout=30)
        assert {path for path, _ in taken} == {"/v1/traces"}
    sent = [ExportTraceServiceRequest.FromString(body) for _, body in taken]
    resources = [part for request in sent for part in request.resource_spans]
    names = [span.name for part in resources for scope in part.scope_spans for span in scope.spans]
    assert names.count("call crs-patient-view") == 3
    kept = {a.key: a.value.string_value for part in resources for a in part.resource.attributes}
    assert kept["service.name"] == "crs-cds"
    assert not any(word in kept for word in ("host.name", "process.command_args"))


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is not there"])
def test_a_collector_that_does_not_answer_delays_no_call_and_no_end(tmp_path: Path, hangs: bool) -> None:
    with collector(60.0 if hangs else 0.0) as (url, _):
        with gunicorn(tmp_path, CRS_CDS_OTLP=url if hangs else "http://127.0.0.1:9") as service:
            for _ in range(20):
                began = time.monotonic()
                requests.get(f"{service.url}/cds-services", timeout=30)
                assert time.monotonic() - began < 2.0
            time.sleep(2.5)  # the queue is being emptied now
            began = time.monotonic()
        assert time.monotonic() - began < 12.0
