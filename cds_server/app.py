"""The making of the application: the settings, the means that the routes need, and the routes."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from flask import Flask
from flask_cors import CORS

from cds_server.audit.audit_trail import AuditFile, AuditServer, AuditTrail, Receiver
from cds_server.course_page.routes import course_page, demo_course
from cds_server.every_answer import finish_every_answer
from cds_server.evidence_page import evidence
from cds_server.hooks.client_profile import order_codings
from cds_server.hooks.log_entry import PACKAGE_VERSION
from cds_server.hooks.routes import cds
from cds_server.hooks.services import SERVICES
from cds_server.limits import SettingsError
from cds_server.operations.large_calls import LargeCalls
from cds_server.operations.metrics import Metrics
from cds_server.operations.spans import Spans, UnkeptSpans
from cds_server.outgoing.backend_tokens import BackendTokens
from cds_server.outgoing.bounded_http import Network, pooled_session, unread_session
from cds_server.outgoing.circuit import Circuit
from cds_server.outgoing.kept_answers import KeptAnswers
from cds_server.outgoing.search_methods import SearchMethods
from cds_server.pages import pages
from cds_server.record.medication_memory import MedicationMemory
from cds_server.record.patient_forms import PatientForms
from cds_server.record.patient_record import Sources
from cds_server.root_page import root
from cds_server.running import RUNNING_KEY, Running, Smart
from cds_server.settings.reading import settings_from
from cds_server.settings.table import Environment, LogSettings, Settings
from cds_server.shares import Places
from cds_server.sign_off.sign_off import SignOff, sign_off
from cds_server.site_rules import SiteRules, site_rules
from cds_server.smart_app.routes import smart as smart_app
from cds_server.storage.database import engine_for
from cds_server.storage.decision_log import DecisionLog
from cds_server.storage.pseudonyms import Pseudonyms
from cds_server.storage.smart_sessions import SmartSessions
from cds_server.storage.spool import Spool
from cds_server.storage.store import Store
from cds_server.storage.used_tokens import UsedTokens
from cds_server.toml_file import printable
from cds_server.trust.client_trust import ClientTrust
from cds_server.trust.clients import Trusted, trusted_from
from cds_server.trust.jwk_set import check_key_files
from cds_server.trust.key_sets import KeySets
from cds_server.trust.smart_registration import smart_servers

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("cds_server")
SEARCHES_AT_ONCE = 48  # under way to one server
# gunicorn has threads for these beside those of calls, so that pages cost no one a card
SMART_PLACES = {"launch": 4, "callback": 4, "course": 4}
ENDPOINTS_SECONDS, ENDPOINTS_FAILED_SECONDS = 300.0, 5.0


def create_app(
    environ: Mapping[str, str] | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The WSGI application. Raises SettingsError if a setting cannot be used."""
    settings = settings_from(os.environ if environ is None else environ)
    check_services(settings)
    # urllib3 logs the whole address, with the patient's id, when a server's headers are malformed
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    app = Flask("cds_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    app.extensions[RUNNING_KEY] = _running(settings, clock)
    app.wsgi_app = _below(urlsplit(settings.public_url).path, app.wsgi_app)  # type: ignore[assignment,method-assign]
    _register_routes(app, settings)
    finish_every_answer(app)
    _let_browsers_call(app, settings)
    return app


def check_services(settings: Settings) -> None:
    """Raise SettingsError if the settings name a service that does not exist."""
    unknown = min(settings.shadow_services - set(SERVICES), default=None)
    if unknown is not None:
        raise SettingsError(
            f"CRS_CDS_SHADOW_SERVICES: {printable(unknown)} is not a service; the services are {', '.join(SERVICES)}."
        )


def _sign_off(settings: Settings, rules: SiteRules, metrics: Metrics) -> SignOff:
    """The sign-off of the rules in force, counted, and logged if it keeps the cards away."""
    found = sign_off(settings.signed_file, rules, in_production=settings.in_production)
    metrics.rules_unsigned.set(found.shadow_only)
    if found.shadow_only:
        log.error("shadow only: the rules in force are not signed", extra={"rules": rules.hash, "why": found.state})
    return found


def _running(settings: Settings, clock: Callable[[], datetime]) -> Running:
    """The service that the settings describe."""
    rules = site_rules(settings.thresholds_file, settings.value_sets_folder, settings.protocol_file)
    metrics = Metrics(PACKAGE_VERSION, rules.hash, tuple(SERVICES))
    trusted, outside = trusted_clients(settings), pooled_session(4, _network(settings))
    store = Store(engine_for(settings.database_url), metrics)
    tokens = BackendTokens(trusted.backends if trusted is not None else {}, outside)
    return Running(
        settings=settings,
        sources=_sources(settings, rules, metrics, tokens),
        sign_off=_sign_off(settings, rules, metrics),
        clock=clock,
        trust=ClientTrust(trusted.clients, KeySets(outside)) if trusted is not None else None,
        store=store,
        decisions=DecisionLog(store, metrics, spool_of(settings)),
        tokens=UsedTokens(store, metrics),
        pseudonyms=Pseudonyms(settings.pseudonym_key),
        places=Places(
            settings.max_calls,
            metrics,
            clients=len(trusted.clients) if trusted is not None else 1,
            servers=len(settings.fhir_servers),
        ),
        large_calls=LargeCalls(),
        metrics=metrics,
        audit=AuditTrail(_audit_receiver(settings, tokens), metrics),
        spans=_spans(settings, metrics),
        orders=order_codings(settings.orders_file, rules.terms),
        smart=_smart(settings, trusted, store, outside),
    )


def _sources(settings: Settings, rules: SiteRules, metrics: Metrics, backend: BackendTokens) -> Sources:
    """The means of reading records, with separate threads for each FHIR server that may be called."""
    return Sources(
        session=pooled_session(SEARCHES_AT_ONCE, _network(settings)),
        executors={
            base: ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="fhir") for base in settings.fhir_servers
        },
        medications=MedicationMemory(settings.medication_seconds),
        forms=PatientForms(settings.patient_search, metrics),
        rules=rules,
        zone=settings.zone,
        lookup=settings.course_lookup,
        limits=settings.limits,
        metrics=metrics,
        backend=backend,
        circuits={base: Circuit() for base in settings.fhir_servers},
        methods=SearchMethods(),
    )


def _audit_receiver(settings: Settings, tokens: BackendTokens) -> Receiver | None:
    """The place where AuditEvents are kept, the server before the file; None if neither is named."""
    if settings.audit_fhir is not None:
        return AuditServer(settings.audit_fhir, unread_session(_network(settings)), tokens)
    return AuditFile(settings.audit_file) if settings.audit_file is not None else None


def _spans(settings: Settings, metrics: Metrics) -> Spans:
    """The way of spans to the collector, or none. Raises SettingsError if the extra for it is not installed."""
    if settings.otlp is None:
        return UnkeptSpans()
    try:
        otlp = importlib.import_module("cds_server.operations.otlp")
    except ModuleNotFoundError as error:
        raise SettingsError(
            "CRS_CDS_OTLP needs the extra otel (pip install 'crs-cds[otel]'); install it, or leave the setting out."
        ) from error
    network = _network(settings)
    exporter = otlp.otlp_exporter(settings.otlp, unread_session(network), network.ca_bundle, network.client_cert)
    spans: Spans = otlp.OtlpSpans(exporter, metrics, PACKAGE_VERSION)
    return spans


def trusted_clients(settings: Settings) -> Trusted | None:
    """The clients that are known; None if clients are off. Raises SettingsError."""
    if settings.clients_file is None:
        return None
    trusted = trusted_from(settings.clients_file, SERVICES, allow_http=settings.allow_http)
    check_key_files(trusted.clients)
    return trusted


def spool_of(settings: LogSettings) -> Spool | None:
    """The spool of the decision log; None without a key or a folder for it."""
    folder = settings.spool_path
    if not settings.spool_keys or folder is None:
        return None
    return Spool(folder, settings.spool_keys, int(settings.spool_mib * 1024 * 1024))


def _smart(settings: Settings, trusted: Trusted | None, store: Store, outside: requests.Session) -> Smart | None:
    if settings.smart_file is None:
        return None
    servers = smart_servers(settings, trusted.clients if trusted is not None else None)
    sessions = SmartSessions(store, settings.session_keys)
    places = {step: threading.BoundedSemaphore(number) for step, number in SMART_PLACES.items()}
    return Smart(servers, sessions, outside, KeptAnswers(ENDPOINTS_SECONDS, ENDPOINTS_FAILED_SECONDS), places)


def _network(settings: Settings) -> Network:
    return Network(settings.ca_bundle, settings.https_proxy, settings.client_cert)


def _register_routes(app: Flask, settings: Settings) -> None:
    app.register_blueprint(cds)
    app.register_blueprint(pages)
    app.register_blueprint(course_page)
    app.register_blueprint(root)
    app.register_blueprint(evidence)
    if settings.environment is Environment.DEVELOPMENT:
        app.register_blueprint(demo_course)
    if settings.smart_file is not None:
        app.register_blueprint(smart_app)


def _let_browsers_call(app: Flask, settings: Settings) -> None:
    """Let the pages of allowed origins call the services, and nothing else of ours (CORS)."""
    CORS(app, resources=r"/cds-services.*", origins=list(settings.cors_origins), methods=["GET", "POST", "OPTIONS"],
         allow_headers=["Authorization", "Content-Type"], max_age=600, vary_header=True)  # fmt: skip


def _below(path: str, app: WSGIApplication) -> WSGIApplication:
    """The application at the path of the public address, which the proxy strips: the links in pages need it. Whatever
    the server below says of it is not believed, because a client may have said it."""

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, "SCRIPT_NAME": path}, start_response)

    return called
