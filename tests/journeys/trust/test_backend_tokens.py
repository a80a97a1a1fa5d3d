"""Tokens of our own (SMART backend services): for whom they are used, how often they are asked for, and where they go."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cds_server.limits import SettingsError
from cds_server.outgoing.backend_tokens import FLOOR_SECONDS, BackendTokens
from cds_server.outgoing.token_request import BackendAccess, ClientKey, TokenError
from example_patients.programs.demo import HOST, free_port, server
from example_patients.programs.seed import seed
from tests.support.by_search import body_for
from tests.support.desk import BASE, EXAMPLE_VALUE_SETS, Desk, card_ids, chart_of, moment_of, scene_of
from tests.support.fhir_wire import FhirWire
from tests.support.tokens import ISSUER, KEYS, Token, jwk

TOKEN_URL = "https://auth.example.org/token"
RSA = rsa.generate_private_key(65537, 2048)
P384 = ec.generate_private_key(ec.SECP384R1())
P256 = ec.generate_private_key(ec.SECP256R1())
AUDIENCE = "urn:crs-cds"


def pem(key: Any) -> str:
    private = serialization.PrivateFormat.PKCS8
    text: str = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()).decode()
    return text


ACCESS = BackendAccess(BASE, TOKEN_URL, "crs-cds", ClientKey(pem(P384), "ES384", "ours"), "system/*.rs")


def clients_file(folder: Path, base: str, token_url: str, more: str = "backend = true") -> Path:
    (folder / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    (folder / "ours.pem").write_text(pem(P384), encoding="ascii")
    file = folder / "clients.toml"
    file.write_text(
        f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = ["{base}"]\naudiences = ["{AUDIENCE}"]\n'
        f'{more}\n[[fhir_server]]\nbase = "{base}"\ntoken_url = "{token_url}"\nclient_id = "crs-cds"\n'
        'key = "ours.pem"\nkid = "ours"\nscope = "system/*.rs"\n',
        encoding="utf-8",
    )
    return file


@contextmanager
def wires(scene_id: str, **token: Any) -> Iterator[tuple[FhirWire, responses.BaseResponse]]:
    """The FHIR server and the authorization server beside it."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found = FhirWire(chart_of(scene_id)).on(mock)
        given = token or {"json": {"access_token": "ours-1", "token_type": "Bearer", "expires_in": 300}}
        yield found, mock.post(TOKEN_URL, **given)


def asked(desk: Desk, scene_id: str = "3", **more: Any) -> Any:
    _, scene = scene_of(scene_id)
    desk.now = moment_of(scene)
    body = body_for(scene.patient_id, "patient-view", None, **more)
    bearer = {"Authorization": f"Bearer {Token(claims={'aud': AUDIENCE}).text()}"}
    return desk.client.post("/cds-services/crs-patient-view", json=body, headers=bearer)


def test_a_call_without_a_token_is_read_with_ours_and_asks_for_it_once(tmp_path: Path) -> None:
    desk = Desk(environ={"CRS_CDS_CLIENTS": str(clients_file(tmp_path, BASE, TOKEN_URL))})
    with wires("3") as (fhir, authorization):
        assert "toci-recommended" in card_ids(asked(desk))
        assert "toci-recommended" in card_ids(asked(desk))
        assert {headers["Authorization"] for headers in fhir.headers} == {"Bearer ours-1"}
        assert authorization.call_count == 1
        form = parse_qs(str(authorization.calls[0].request.body))
    claims = jwt.decode(form["client_assertion"][0], P384.public_key(), algorithms=["ES384"], audience=TOKEN_URL)
    assert (claims["iss"], claims["sub"], claims["exp"] - claims["iat"]) == ("crs-cds", "crs-cds", 240)
    assert jwt.get_unverified_header(form["client_assertion"][0])["kid"] == "ours"
    assert (form["grant_type"], form["scope"]) == (["client_credentials"], ["system/*.rs"])


def test_a_call_s_own_token_comes_first(tmp_path: Path) -> None:
    desk = Desk(environ={"CRS_CDS_CLIENTS": str(clients_file(tmp_path, BASE, TOKEN_URL))})
    theirs = {"access_token": "theirs", "token_type": "Bearer"}
    with wires("3") as (fhir, authorization):
        assert "toci-recommended" in card_ids(asked(desk, fhirAuthorization=theirs))
        assert {headers["Authorization"] for headers in fhir.headers} == {"Bearer theirs"}
        assert authorization.call_count == 0


def test_a_client_that_is_not_marked_for_it_reads_nothing_with_ours(tmp_path: Path) -> None:
    desk = Desk(environ={"CRS_CDS_CLIENTS": str(clients_file(tmp_path, BASE, TOKEN_URL, more=""))})
    with wires("3") as (fhir, authorization):
        asked(desk)
        assert not any("Authorization" in headers for headers in fhir.headers)
        assert authorization.call_count == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"status": 401, "json": {"error": "invalid_client"}}, "the authorization server answered 401"),
        ({"status": 302, "headers": {"Location": "https://evil.example"}}, "the authorization server answered 302"),
        ({"body": "<html>"}, "answered something else than a token"),
        ({"json": {"access_token": "x", "token_type": "mac"}}, "answered something else than a token"),
        ({"json": {"access_token": "a b", "token_type": "bearer"}}, "answered something else than a token"),
        ({"json": {"access_token": "x", "token_type": "bearer", "expires_in": 0}}, "something else than a token"),
        ({"body": requests.ConnectionError("secret.example")}, "the authorization server could not be reached"),
    ],
)
def test_without_a_token_the_record_is_unread_and_said_so(tmp_path: Path, answer: dict[str, Any], says: str) -> None:
    desk = Desk(environ={"CRS_CDS_CLIENTS": str(clients_file(tmp_path, BASE, TOKEN_URL))})
    with wires("3", **answer) as (fhir, _):
        answered = asked(desk)
        assert fhir.asked == []
    assert answered.status_code == 412
    assert says in answered.get_data(as_text=True)
    assert "secret.example" not in answered.get_data(as_text=True)


@pytest.fixture
def tokens() -> Callable[..., BackendTokens]:
    return lambda clock=time.monotonic: BackendTokens({BASE: ACCESS}, requests.Session(), clock)


def given(number: int, **more: Any) -> dict[str, Any]:
    return {"access_token": f"t{number}", "token_type": "bearer", "expires_in": 300} | more


def test_many_calls_at_the_same_time_ask_once(tokens: Callable[..., BackendTokens]) -> None:
    ours, slow = tokens(), threading.Event()

    def answer(_: Any) -> Any:
        slow.wait(0.3)
        return 200, {}, json.dumps(given(1))

    with responses.RequestsMock() as mock, ThreadPoolExecutor(20) as together:
        mock.add_callback(responses.POST, TOKEN_URL, callback=answer)
        found = list(together.map(lambda _: ours.token(BASE, time.monotonic() + 5), range(20)))
        assert (set(found), len(mock.calls)) == ({"t1"}, 1)


def test_a_token_is_kept_until_it_is_about_to_end_and_dropped_when_it_is_refused(
    tokens: Callable[..., BackendTokens],
) -> None:
    now = 0.0
    ours = tokens(lambda: now)
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, json=given(1))
        assert ours.token(BASE, now + 5) == "t1"
        mock.replace(responses.POST, TOKEN_URL, json=given(2))
        now = 269.0
        assert ours.token(BASE, now + 5) == "t1"
        now = 271.0
        assert ours.token(BASE, now + 5) == "t2"
        mock.replace(responses.POST, TOKEN_URL, json=given(3, expires_in=10))
        ours.refused(BASE, "t1")
        assert ours.token(BASE, now + 5) == "t2", "another was refused"
        ours.refused(BASE, "t2")
        assert ours.token(BASE, now + 5) == "t3"
        assert ours.token(BASE, now + 5) == "t3", "a short life is used as well"


def test_an_authorization_server_that_failed_is_left_alone_for_a_while(tokens: Callable[..., BackendTokens]) -> None:
    now = 0.0
    ours = tokens(lambda: now)
    with responses.RequestsMock() as mock:
        mock.post(TOKEN_URL, status=500)
        for _ in range(3):
            with pytest.raises(TokenError, match="answered 500"):
                ours.token(BASE, now + 5)
        assert len(mock.calls) == 1
        now = FLOOR_SECONDS
        mock.replace(responses.POST, TOKEN_URL, json=given(1))
        assert ours.token(BASE, now + 5) == "t1"


def test_an_authorization_server_that_hangs_costs_a_call_no_more_than_its_time(
    tokens: Callable[..., BackendTokens],
) -> None:
    ours, hanging = tokens(), threading.Event()

    def answer(_: Any) -> Any:
        hanging.wait(10)
        return 500, {}, ""

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, TOKEN_URL, callback=answer)
        began = time.monotonic()
        with pytest.raises(TokenError, match="in time"):
            ours.token(BASE, began + 0.2)
        assert time.monotonic() - began < 5
        hanging.set()


BAD = (
    ('base = "x"', "base must be an http or https URL"),
    ('token_url = "ftp://x"', "token_url must be an https URL"),
    ('client_id = ""', "client_id must be a text"),
    ("kid = 5", "kid must be a text"),
    ('key = "nowhere.pem"', "key must name a file in the folder of this one; there is no nowhere.pem"),
    ('key = "keys.json"', "key must name a file with a private key as PEM, without password"),
    ('key = "p256.pem"', "key must be an RSA key of at least 2048 bits, or one of the curve P-384"),
    ('secret = "x"', "secret is not a field; correct its name or remove it"),
    (
        'base = "https://other.example/fhir"',
        f"{ISSUER} has `backend = true`, but none of its fhir_servers has a [[fhir_server]] entry",
    ),
)


@pytest.mark.parametrize(("line", "says"), BAD, ids=[line for line, _ in BAD])
def test_credentials_that_cannot_be_used_stop_the_start(tmp_path: Path, line: str, says: str) -> None:
    file = clients_file(tmp_path, BASE, TOKEN_URL)
    (tmp_path / "p256.pem").write_text(pem(P256), encoding="ascii")
    head, _, ours = file.read_text().partition("[[fhir_server]]\n")
    name = line.partition(" ")[0]
    kept = [text for text in ours.splitlines() if text.partition(" ")[0] != name]
    file.write_text("\n".join([head, "[[fhir_server]]", *kept, line]), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Desk(environ={"CRS_CDS_CLIENTS": str(file)})
    assert says in str(caught.value)


def test_an_rsa_key_signs_with_rs384(tmp_path: Path) -> None:
    file = clients_file(tmp_path, BASE, TOKEN_URL)
    (tmp_path / "ours.pem").write_text(pem(RSA), encoding="ascii")
    desk = Desk(environ={"CRS_CDS_CLIENTS": str(file)})
    with wires("3") as (_, authorization):
        asked(desk)
        form = parse_qs(str(authorization.calls[0].request.body))
    assert jwt.get_unverified_header(form["client_assertion"][0])["alg"] == "RS384"


@contextmanager
def guarded_sekmet(folder: Path) -> Iterator[tuple[str, str]]:
    """A real FHIR server that lets in a token of its own authorization server only: base, and its token endpoint."""
    port = free_port(0)
    root = f"http://{HOST}:{port}"
    registered = {"client_id": "crs-cds", "jwks": {"keys": [jwk(P384, "ours")]}, "scopes": "system/*.rs"}
    guard = {"types": ["smart", "bearer"], "tokens": ["for loading"], "smart_clients": [registered]}
    (folder / "settings.yaml").write_text(json.dumps({
        "base_url": f"{root}/fhir", "host": HOST, "port": port, "data_dir": str(folder / "data"),
        "simulator": {"enabled": False}, "validation": {"inbound": "strict"}, "server_auth": guard,
    }))  # fmt: skip
    command = [str(Path(sys.executable).parent / "sekmet"), "serve", "-c", str(folder / "settings.yaml")]
    with server(command, f"{root}/fhir/metadata", dict(os.environ), folder / "sekmet.log"):
        yield f"{root}/fhir", f"{root}/auth/token"


@pytest.mark.live
def test_against_a_real_authorization_server(tmp_path: Path) -> None:
    pytest.importorskip("sekmet", reason="Sekmet is not installed: `make test` installs it")
    now, zone = datetime.now(UTC), ZoneInfo("UTC")
    _, scene = scene_of("3")
    with guarded_sekmet(tmp_path) as (base, token_url), requests.Session() as session:
        session.headers["Authorization"] = "Bearer for loading"
        seed(base, session, now, zone)
        environ = {"CRS_CDS_FHIR_SERVERS": base, "CRS_CDS_TIMEZONE": str(zone), "CRS_CDS_BUDGET_SECONDS": "20",
                   "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS)}  # fmt: skip
        body = {**body_for(scene.patient_id, "patient-view", None), "fhirServer": base}
        for more, wanted in (("backend = true", 200), ("", 412)):
            desk = Desk(
                now=now, environ=environ | {"CRS_CDS_CLIENTS": str(clients_file(tmp_path, base, token_url, more))}
            )
            bearer = {"Authorization": f"Bearer {Token(claims={'aud': AUDIENCE}).text()}"}
            answer = desk.client.post("/cds-services/crs-patient-view", json=body, headers=bearer)
            assert answer.status_code == wanted, answer.get_data(as_text=True)
            if wanted == 200:
                assert card_ids(answer) == scene.wanted
