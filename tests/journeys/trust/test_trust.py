"""Who may call: the JWT of a trusted client, and what every other token gets."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization

from cds_server.limits import SettingsError
from cds_server.trust.clients import Client
from cds_server.trust.jwk_set import KeysUnavailableError, keys_in
from cds_server.trust.key_sets import FLOOR_SECONDS, STALE_SECONDS, KeySets
from example_patients.stories.stories import hook_body
from tests.support.desk import BASE, Desk, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.tables import rows
from tests.support.tokens import (
    ISSUER,
    KEY,
    KEYS,
    OTHER_KEY,
    P256_KEY,
    PUBLIC,
    RSA_KEY,
    SIGN,
    SMALL_RSA_KEY,
    Token,
    jwk,
)


@pytest.fixture
def clients(tmp_path: Path) -> Callable[..., Desk]:
    (tmp_path / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")

    def desk(more: str = "", keys: str = 'jwks = "keys.json"', **environ: str) -> Desk:
        file = tmp_path / "clients.toml"
        text = f'[[client]]\nissuer = "{ISSUER}"\n{keys}\nfhir_servers = ["{BASE}"]\n{more}\n'
        file.write_text(text, encoding="utf-8")
        return Desk(environ={"CRS_CDS_CLIENTS": str(file)} | environ)

    return desk


def called(desk: Desk, token: str | None, **more: Any) -> Any:
    _, scene = scene_of("5")
    desk.now = moment_of(scene)
    body = {**hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("5"))), "hook": "order-sign", **more}
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return desk.client.post("/cds-services/crs-order-sign", json=body, headers=headers)


def test_a_trusted_client_is_answered(clients: Callable[..., Desk]) -> None:
    answer = called(clients(), Token().text())
    assert card_ids(answer)


def test_rsa_and_lists_of_audiences_are_taken(clients: Callable[..., Desk]) -> None:
    desk = clients()
    assert called(desk, Token(RSA_KEY, "RS256", "rsa").text()).status_code == 200
    assert called(desk, Token(RSA_KEY, "PS384", "rsa", {"aud": ["x", f"{SIGN}/"]}).text()).status_code == 200
    another_spelling = SIGN.replace("http://", "HTTP://").replace("/crs-order-sign", "//crs-order-sign")
    assert called(desk, Token(claims={"aud": another_spelling}).text()).status_code == 200


NOW = int(time.time())
ATTACKS: tuple[tuple[str, Token, str], ...] = (
    ("another key under a known kid", Token(OTHER_KEY), "signature is not valid"),
    ("an unknown kid", Token(kid="k9"), "key is not known"),
    ("no kid", Token(kid=None), "kid is missing"),
    ("an encryption key", Token(kid="enc"), "key is not known"),
    ("an RSA key of 1024 bits", Token(SMALL_RSA_KEY, "RS256", "small"), "key is not known"),
    ("a key of another curve", Token(P256_KEY, "ES256", "k1"), "key is not known"),
    ("an algorithm of another curve", Token(KEY, "ES384", "p256"), "key is not known"),
    ("HMAC with the public key's text", Token("x" * 64, "HS256"), "algorithm is not one of"),
    ("an unknown issuer", Token(claims={"iss": "https://evil.example"}), "issuer is not known"),
    ("no issuer", Token(claims={"iss": None}), "issuer is not known"),
    ("an issuer that is a list", Token(claims={"iss": None}), "issuer is not known"),
    ("another audience", Token(claims={"aud": "https://cds.example.org"}), "another address"),
    ("another service's audience", Token(claims={"aud": f"{PUBLIC}/cds-services/crs-patient-view"}), "another address"),
    ("no audience", Token(claims={"aud": None}), "another address"),
    ("an audience that only begins like ours", Token(claims={"aud": f"{SIGN}.evil"}), "another address"),
    ("expired", Token(claims={"iat": NOW - 900, "exp": NOW - 600}), "has expired"),
    ("not valid yet", Token(claims={"nbf": NOW + 86400}), "not valid yet"),
    ("issued in the future", Token(claims={"iat": NOW + 86400, "exp": NOW + 86700}), "not valid yet"),
    ("a life of a day", Token(claims={"exp": NOW + 86400}), "lives longer"),
    ("no exp", Token(claims={"exp": None}), "exp is missing"),
    ("no iat", Token(claims={"iat": None}), "iat is missing"),
    ("no jti", Token(claims={"jti": None}), "jti is missing"),
    ("an empty jti", Token(claims={"jti": ""}), "jti is missing"),
    ("a jti of half a character", Token(claims={"jti": "\ud800"}), "jti is missing or no plain text"),
    ("a tenant of half a character", Token(claims={"tenant": "\ud800"}), "tenant must be a text"),
    ("a tenant with a NUL", Token(claims={"tenant": "a\x00"}), "tenant must be a text"),
    ("another typ", Token(header={"typ": "at+jwt"}), "typ must be JWT"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "token", "says"), ATTACKS, ids=[case[0] for case in ATTACKS])
def test_a_token_that_is_not_right(clients: Callable[..., Desk], name: str, token: Token, says: str) -> None:
    answer = called(clients(), token.text())
    assert answer.status_code == 401, name
    assert says in answer.get_json()["issue"][0]["diagnostics"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert ISSUER not in answer.get_data(as_text=True)


def unsigned(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': 'k1'})}.{part(claims)}."


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "a.b.c",
        "x" * 20000,
        "é.é.é",
        unsigned({"iss": ISSUER, "aud": SIGN, "exp": NOW + 300, "iat": NOW, "jti": "1"}),
    ],
    ids=["none", "empty", "no JSON", "long", "not ASCII", "unsigned"],
)
def test_what_is_no_signed_token(clients: Callable[..., Desk], header: str | None) -> None:
    answer = called(clients(), header)
    assert answer.status_code == 401


def test_another_scheme_is_refused(clients: Callable[..., Desk]) -> None:
    desk = clients()
    answer = desk.client.get("/cds-services", headers={"Authorization": "Basic dXNlcjpwYXNz"})
    assert answer.status_code == 401


def test_a_token_counts_once(clients: Callable[..., Desk]) -> None:
    desk, token = clients(), Token().text()
    assert called(desk, token).status_code == 200
    again = called(desk, token)
    assert again.status_code == 401
    assert "used before" in again.get_json()["issue"][0]["diagnostics"]


def test_a_token_counts_once_for_two_workers(clients: Callable[..., Desk], tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'log.sqlite'}"
    workers = [clients(CRS_CDS_DATABASE_URL=database) for _ in range(2)]
    token = Token().text()
    assert [called(worker, token).status_code for worker in workers] == [200, 401]


def test_a_database_that_is_down_never_costs_a_card(clients: Callable[..., Desk]) -> None:
    desk = clients(CRS_CDS_DATABASE_URL="sqlite:////nowhere/log.sqlite")
    token = Token().text()
    assert card_ids(called(desk, token))
    assert called(desk, token).status_code == 401, "the worker itself remembers"
    assert desk.client.get("/health/ready").get_json()["status"] == "degraded"


def test_discovery_and_feedback_are_for_trusted_clients_too_and_a_preflight_for_all(
    clients: Callable[..., Desk],
) -> None:
    desk = clients()
    assert desk.client.get("/cds-services").status_code == 401
    assert desk.client.post("/cds-services/crs-order-sign/feedback", json={}).status_code == 401
    headers = {"Origin": "http://ehr", "Access-Control-Request-Method": "POST"}
    assert desk.client.options("/cds-services/crs-order-sign", headers=headers).status_code == 200
    token = Token(claims={"aud": f"{PUBLIC}/cds-services"}).text()
    assert desk.client.get("/cds-services", headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    ("more", "claims", "status"),
    [
        ('tenants = ["north"]', {"tenant": "north"}, 200),
        ('tenants = ["north"]', {"tenant": "south"}, 401),
        ('tenants = ["north"]', {}, 401),
        ('services = ["crs-order-sign"]', {}, 200),
        ('services = ["crs-patient-view"]', {}, 401),
        ('audiences = ["urn:crs-cds"]', {"aud": "urn:crs-cds"}, 200),
        ("max_token_seconds = 60", {}, 401),
    ],
)
def test_what_a_client_is_limited_to(
    clients: Callable[..., Desk], more: str, claims: dict[str, Any], status: int
) -> None:
    assert called(clients(more), Token(claims=claims).text()).status_code == status


def test_a_fhir_server_that_is_not_the_client_s_is_never_called(clients: Callable[..., Desk]) -> None:
    desk = clients(CRS_CDS_FHIR_SERVERS=f"{BASE},https://other.example/fhir")
    with responses.RequestsMock() as mock:
        answer = called(desk, Token().text(), fhirServer="https://other.example/fhir", prefetch={})
        assert answer.status_code == 412
        assert not mock.calls


URL = "https://keys.example.org/jwks"


def test_a_key_set_that_the_token_names_is_taken_only_where_it_is_the_client_s_and_never_fetched(
    clients: Callable[..., Desk],
) -> None:
    elsewhere = Token(header={"jku": "https://evil.example/keys"})
    assert called(clients(), elsewhere.text()).status_code == 200, "the keys are on file"
    desk = clients(keys=f'jwks_url = "{URL}"')
    with responses.RequestsMock() as mock:
        mock.get(URL, json=KEYS)
        assert called(desk, Token(header={"jku": URL}).text()).status_code == 200
        refused = called(desk, elsewhere.text())
        assert (refused.status_code, len(mock.calls)) == (401, 1)
        assert "not this client's" in refused.get_json()["issue"][0]["diagnostics"]


def test_keys_are_fetched_once_and_an_unknown_kid_fetches_them_again_at_most_once_in_a_while(
    clients: Callable[..., Desk],
) -> None:
    desk = clients(keys=f'jwks_url = "{URL}"')
    with responses.RequestsMock() as mock:
        mock.get(URL, json=KEYS)
        assert called(desk, Token().text()).status_code == 200
        assert called(desk, Token(RSA_KEY, "RS256", "rsa").text()).status_code == 200
        assert [called(desk, Token(kid=f"k{n}").text()).status_code for n in range(2, 6)] == [401] * 4
        assert len(mock.calls) == 1, "within a minute the set is not fetched again"


@pytest.mark.parametrize(
    "answer",
    [
        {"body": "<html>", "status": 200},
        {"json": {"keys": "none"}, "status": 200},
        {"json": {"keys": []}, "status": 200},
        {"status": 500},
        {"status": 302, "headers": {"Location": "https://evil.example/keys"}},
        {"body": "x" * 300000, "status": 200},
        {"body": ConnectionError("down")},
    ],
)
def test_a_key_server_that_answers_nonsense_lets_no_one_in(
    clients: Callable[..., Desk], answer: dict[str, Any]
) -> None:
    desk = clients(keys=f'jwks_url = "{URL}"')
    with responses.RequestsMock() as mock:
        mock.get(URL, **answer)
        assert called(desk, Token().text()).status_code == 401


def test_keys_of_a_server_that_is_gone_for_a_day_are_used_no_more() -> None:
    client = Client("i", (BASE,), jwks_url=URL)
    now = 0.0
    sets = KeySets(requests.Session(), clock=lambda: now)
    with responses.RequestsMock() as mock:
        mock.get(URL, json=KEYS)
        assert sets.key(client, "k1", 5.0) is not None
        mock.replace(responses.GET, URL, status=500)
        now = STALE_SECONDS + 1
        with pytest.raises(KeysUnavailableError):
            sets.key(client, "k1", now + 5)
        mock.replace(responses.GET, URL, json=KEYS)
        now += FLOOR_SECONDS
        assert sets.key(client, "k1", now + 5) is not None, "and again as soon as it answers"


def test_a_key_server_that_never_ends_its_answer_does_not_keep_the_set_from_being_fetched_again() -> None:
    client, now, hanging = Client("i", (BASE,), jwks_url=URL), 0.0, threading.Event()
    sets = KeySets(requests.Session(), clock=lambda: now)

    def never(_: Any) -> Any:
        hanging.wait(10)
        return 500, {}, ""

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, URL, callback=never)
        with pytest.raises(KeysUnavailableError):
            sets.key(client, "k1", now + 0.1)
        assert sets.missing(client)
        mock.replace(responses.GET, URL, json=KEYS)
        now = FLOOR_SECONDS + 1
        assert sets.key(client, "k1", now + 5) is not None
        assert not sets.missing(client)
        hanging.set()


def test_keys_that_were_withdrawn_are_gone_with_the_next_fetch() -> None:
    client, now = Client("i", (BASE,), jwks_url=URL), 0.0
    sets = KeySets(requests.Session(), clock=lambda: now)
    with responses.RequestsMock() as mock:
        mock.get(URL, json=KEYS)
        assert sets.key(client, "k1", 5.0) is not None
        mock.replace(responses.GET, URL, json={"keys": []})
        now = FLOOR_SECONDS + 1
        assert sets.key(client, "another", now + 5) is None
        assert sets.key(client, "k1", now + 5) is None


OF_A_SET = (
    ({}, True, "a plain key"),
    ({"use": "sig", "key_ops": ["verify"], "alg": "ES384"}, True, "a key that says what it is for"),
    ({"kid": ["x"]}, False, "a kid that is a list"),
    ({"use": "enc"}, False, "a key for encryption"),
    ({"key_ops": ["encrypt"]}, False, "operations without verify"),
    ({"key_ops": "verify"}, False, "operations that are no list"),
    ({"alg": 384}, False, "an algorithm that is no text"),
    ({"x": "!"}, False, "a point that cannot be read"),
)


@pytest.mark.parametrize(("more", "usable", "name"), OF_A_SET, ids=[case[2] for case in OF_A_SET])
def test_a_key_that_cannot_be_used_does_not_spoil_its_set(more: dict[str, Any], usable: bool, name: str) -> None:
    keys = {"keys": [jwk(KEY, "k1"), {**jwk(OTHER_KEY, "k2"), **more}, "no key"]}
    assert set(keys_in(json.dumps(keys).encode())) == ({"k1", "k2"} if usable else {"k1"}), name


SHARING_A_KID = rows("""
| set                        | signed by | answered | because                                          |
| old k1; new k1             | old       | 200      | while keys rotate, each of both may sign         |
| old k1; new k1             | new       | 200      | the same, the other                              |
| new k1; old k1             | old       | 200      | their order says nothing                         |
| rsa k1; old k1             | old       | 200      | equivalent keys of two kinds may share a kid     |
| rsa k1; old k1             | rsa       | 200      | the same, the other                              |
| old k1; new k2             | new       | 401      | a key of another kid                             |
| old k1; enc k1             | enc       | 401      | a key for encryption                             |
| old k1 ×4; new k1          | new       | 401      | a fifth key of one kid: each costs a try         |
""")


@pytest.mark.parametrize("row", SHARING_A_KID, ids=lambda row: f"{row['set']} by {row['signed by']}")
def test_each_key_that_a_kid_names_may_sign(row: dict[str, str], clients: Callable[..., Desk], tmp_path: Path) -> None:
    keys = {"old": (KEY, "ES384"), "new": (OTHER_KEY, "ES384"), "rsa": (RSA_KEY, "RS384"), "enc": (OTHER_KEY, "ES384")}
    entries = []
    for entry in row["set"].split("; "):
        name, kid, *times = entry.split()
        use = {"use": "enc"} if name == "enc" else {}
        entries += [jwk(keys[name][0], kid, **use)] * int(times[0].strip("×") if times else 1)
    desk = clients()
    (tmp_path / "keys.json").write_text(json.dumps({"keys": entries}), encoding="utf-8")
    key, algorithm = keys[row["signed by"]]
    assert called(desk, Token(key, algorithm, "k1").text()).status_code == int(row["answered"])


def test_a_key_of_one_algorithm_checks_no_other(clients: Callable[..., Desk], tmp_path: Path) -> None:
    desk = clients()
    bound = {"keys": [jwk(RSA_KEY, "rsa", alg="RS256")]}
    (tmp_path / "keys.json").write_text(json.dumps(bound), encoding="utf-8")
    assert called(desk, Token(RSA_KEY, "PS256", "rsa").text()).status_code == 401
    assert called(desk, Token(RSA_KEY, "RS256", "rsa").text()).status_code == 200


def private_text(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must hold one or more [[client]] entries, any number of [[fhir_server]], and nothing else"),
        ("[[client]]\n", "client[0] must have either jwks_url or jwks"),
        ('[[client]]\njwks_url = "https://x"\nfhir_servers = ["https://x"]\n', "client[0].issuer must be a text"),
        ('[[client]]\nissuer = "x"\n', "must have either jwks_url or jwks"),
        ('[[client]]\nissuer = "x"\njwks = "none.json"\nfhir_servers = ["https://x/fhir"]\n', "client[0].jwks must name a file in the folder of this one; there is no none.json"),
        ('[[client]]\nissuer = "x"\njwks_url = "ftp://x"\nfhir_servers = ["https://x/fhir"]\n', "jwks_url must be"),
        ('[[client]]\nissuer = "x"\njwks_url = "https://x"\n', "fhir_servers must list"),
        ('[[client]]\nissuer = "x"\njwks_url = "https://x"\nfhir_servers = ["x"]\n', "must be an http or https URL"),
        ('[[client]]\nissuer = "x"\njwks_urls = "https://x"\n', "jwks_urls is not a field; correct its name or remove it"),
        ('[[client]]\nissuer = "x"\njwks_url = "https://x"\nfhir_servers = ["https://x"]\nservices = ["y"]\n', "services names y; the services are crs-"),
        ('[[client]]\nissuer = "x"\njwks_url = "https://x"\nfhir_servers = ["https://x"]\nmax_token_seconds = "9"\n', "max_token_seconds must be"),
        ("[[client]\n", "not TOML"),
    ],
)  # fmt: skip
def test_a_clients_file_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Desk(environ={"CRS_CDS_CLIENTS": str(file)})
    assert says in str(caught.value)
    assert str(caught.value).startswith("CRS_CDS_CLIENTS: ")
    assert "PRIVATE KEY" in private_text(KEY)
