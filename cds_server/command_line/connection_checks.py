"""A check of every server that the settings name. If one cannot be used, it says which step failed: name, route,
certificate or answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import requests
from requests.exceptions import ProxyError, SSLError
from sqlalchemy.exc import SQLAlchemyError
from urllib3.exceptions import NameResolutionError

from cds_server.app import spool_of, trusted_clients
from cds_server.command_line.patient_searches import found_types
from cds_server.limits import PatientSearch
from cds_server.outgoing.backend_tokens import BackendTokens
from cds_server.outgoing.bounded_http import FetchError, LateError, Network, TooLargeError, fetch, pooled_session
from cds_server.outgoing.token_request import TokenError
from cds_server.record.patient_forms import PatientForm
from cds_server.settings.database_address import shown_database
from cds_server.settings.table import Settings
from cds_server.smart_app.discovery import discovered
from cds_server.smart_app.ehr_requests import LaunchError
from cds_server.storage.database import engine_for
from cds_server.storage.schema import upgrade
from cds_server.trust.clients import Client, Trusted
from cds_server.trust.jwk_set import KeysUnavailableError, keys_in
from cds_server.trust.smart_registration import SmartServer, smart_servers

SECONDS = 10.0
MAX_BYTES = 16 * 1024 * 1024
_type_of = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Check:
    """One line: what was checked, and what is wrong with it, if anything."""

    what: str
    wrong: str | None = None
    found: str = ""


def checks(settings: Settings, patient: str | None = None) -> Iterator[Check]:
    """Try the database, the spool and every server that the settings name, one after the other; and where a patient who
    has data is named, in which form each FHIR server matches them. Raises SettingsError if the clients file or the file
    of the SMART app cannot be used."""
    yield _database(settings.database_url)
    yield from _spool(settings)
    network = Network(settings.ca_bundle, settings.https_proxy, settings.client_cert)
    with pooled_session(4, network) as session:
        if not settings.fhir_servers:
            yield Check("FHIR servers", found="none named: everything must come as prefetch")
        for base in settings.fhir_servers:
            yield _fhir_server(base, session)
        trusted = trusted_clients(settings) or Trusted(())
        tokens = BackendTokens(trusted.backends, session)
        for base in trusted.backends:
            yield _token(base, tokens)
        for base in settings.fhir_servers if patient is not None else ():
            yield _patient_searches(base, patient or "", settings.patient_search, session, tokens)
        for client in trusted.clients:
            yield _key_set(client, session)
            unknown = sorted(set(client.fhir_servers) - set(settings.fhir_servers))
            if unknown:
                wrong = f"names {unknown[0]}, which is not in CRS_CDS_FHIR_SERVERS: it is never called"
                yield Check(f"client {client.issuer}", wrong)
        clients = trusted.clients if settings.clients_file is not None else None
        for server in smart_servers(settings, clients).values():
            yield _smart_server(server, session)


def _smart_server(server: SmartServer, session: requests.Session) -> Check:
    what = f"SMART app of {server.fhir_base}, as {server.client_id}"
    try:
        endpoints = discovered(server.fhir_base, session, time.monotonic() + SECONDS)
    except LaunchError as error:
        return Check(what, f"answer: {error.why}")
    return Check(what, found=f"authorizes at {shown_url(endpoints.authorization)}")


def _token(base: str, tokens: BackendTokens) -> Check:
    what = f"our own token for {base}, from {shown_url(tokens.accesses[base].token_url)}"
    try:
        tokens.token(base, time.monotonic() + SECONDS)
    except TokenError as error:
        return Check(what, f"answer: {error.why}")
    return Check(what, found="given")


def _patient_searches(
    base: str, patient: str, setting: PatientSearch, session: requests.Session, tokens: BackendTokens
) -> Check:
    what = f"searches of the patient on {base}"
    try:
        token = tokens.token(base, time.monotonic() + SECONDS) if base in tokens.accesses else None
    except TokenError as error:
        return Check(what, f"answer: {error.why}")
    found = found_types(base, patient, session, token)
    if not found.all:
        return Check(what, "nothing of the patient was found in either form: name one who has data, whom we may read")
    if found.wanted is None:
        empty = "; ".join(f"patient={form.of('ID')} finds no {', '.join(found.empty(form))}" for form in PatientForm)
        return Check(what, f"{empty}: a server that wants both forms is not supported")
    if setting.value not in ("auto", found.wanted.value) and found.empty(PatientForm(setting.value)):
        empty = ", ".join(found.empty(PatientForm(setting.value)))
        return Check(what, f"CRS_CDS_PATIENT_SEARCH={setting.value} finds no {empty}; set auto or {found.wanted.value}")
    return Check(what, found=f"patient={found.wanted.of('ID')} finds {', '.join(sorted(found.all))}")


def _database(url: str) -> Check:
    engine = engine_for(url)
    what = f"database {shown_database(url)}"
    try:
        upgrade(engine)
    except SQLAlchemyError as error:
        return Check(what, f"does not answer ({type(error).__name__})")
    except Exception as error:  # a schema of a later version is alembic's CommandError
        return Check(what, f"its tables cannot be brought up to date ({type(error).__name__})")
    finally:
        engine.dispose()
    return Check(what, found="its tables are up to date")


def _spool(settings: Settings) -> Iterator[Check]:
    """A check of the spool, if there is one: can all that waits there come in?"""
    spool = spool_of(settings)
    if spool is not None:
        what = f"spool {settings.spool_path}"
        yield Check(what, spool.wrong(), f"{spool.count()} decisions wait there")


def _fhir_server(base: str, session: requests.Session) -> Check:
    what = f"FHIR server {base}"
    body = _fetched(f"{base}/metadata", "application/fhir+json", session)
    if isinstance(body, str):
        return Check(what, body)
    try:
        fields = _type_of.decode(body)
        kind, fhir = (msgspec.json.decode(fields[name], type=str) for name in ("resourceType", "fhirVersion"))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, RecursionError):
        return Check(what, "answer: /metadata is no CapabilityStatement")
    if kind != "CapabilityStatement":
        return Check(what, "answer: /metadata is no CapabilityStatement")
    if not fhir.startswith("4."):
        return Check(what, "answer: it does not speak FHIR R4")
    return Check(what, found=f"answers, FHIR {fhir}")


def _key_set(client: Client, session: requests.Session) -> Check:
    what = f"client {client.issuer}"
    if client.jwks_url is None:
        return Check(what, found=f"keys from {client.jwks}")
    body = _fetched(client.jwks_url, "application/json", session)
    if isinstance(body, str):
        return Check(f"{what}, keys at {shown_url(client.jwks_url)}", body)
    try:
        usable = keys_in(body)
    except KeysUnavailableError:
        return Check(f"{what}, keys at {shown_url(client.jwks_url)}", "answer: it is no JWK Set")
    if not usable:
        return Check(f"{what}, keys at {shown_url(client.jwks_url)}", "answer: it holds no key that can be used")
    return Check(what, found=f"{len(usable)} keys from {shown_url(client.jwks_url)}")


def shown_url(url: str) -> str:
    """An address without its query, which may hold a key."""
    plain, query, _ = url.partition("?")
    return f"{plain}?…" if query else plain


def _fetched(url: str, accept: str, session: requests.Session) -> bytes | str:
    """The body of a GET, otherwise a sentence that begins with the step that failed."""
    try:
        answer = fetch(session, "GET", url, seconds=SECONDS, most_bytes=MAX_BYTES, headers={"Accept": accept})
    except TooLargeError:
        return "answer: it is too large"
    except LateError as error:
        return _step(error.__cause__, f"answer: none, or not all of it, within {SECONDS:g} s")
    except FetchError as error:
        return _step(error.__cause__, "answer: it is not HTTP that can be read")
    if 300 <= answer.status < 400:
        return f"answer: it redirects ({answer.status}); name the address that it leads to"
    return answer.body if answer.status == 200 else f"answer: it says {answer.status}"


def _step(error: BaseException | None, otherwise: str) -> str:
    """The step that failed before an answer came, by the error of requests; `otherwise` if there was an answer."""
    if error is not None and _because(error, NameResolutionError) and not isinstance(error, ProxyError):
        return "name: it is not known to the name service"
    return next((says for kind, says in _STEPS if isinstance(error, kind)), otherwise)


# from the narrow to the broad: each of the first is a ConnectionError too
_STEPS = (
    (
        SSLError,
        "certificate: it could not be verified (CRS_CDS_CA_BUNDLE), or it asks for ours (CRS_CDS_CLIENT_CERT)",
    ),
    (ProxyError, "route: the proxy (CRS_CDS_HTTPS_PROXY) could not be used"),
    (requests.ConnectTimeout, f"route: no connection within {SECONDS:g} s"),
    (requests.ConnectionError, "route: the connection was refused or broken off"),
)


def _because(error: BaseException, kind: type[BaseException]) -> bool:
    """Tell whether an error was caused by one of a kind: urllib3 carries it as `reason`, requests as an argument."""
    parts = [*error.args, getattr(error, "reason", None), error.__cause__]
    return isinstance(error, kind) or any(_because(part, kind) for part in parts if isinstance(part, BaseException))
