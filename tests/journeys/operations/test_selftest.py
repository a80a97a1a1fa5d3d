"""What `crs-cds selftest` sends, and what it says of an answer that is none. What a real one says: `test_live.py`."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
import requests
import responses
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from example_patients.client.ehr import SERVICE_OF_HOOK, filled
from example_patients.client.token import signer_from
from example_patients.programs import seed as seeding
from example_patients.programs.commands import selftest
from example_patients.stories.stories import PREFIX
from tests.support.desk import SCENES
from tests.support.fhir_shelf import FhirShelf
from tests.support.fhir_wire import BASE, Answer, outcome
from tests.support.tables import name_of, rows
from tests.support.tokens import ISSUER, KEY, P256_KEY, RSA_KEY

SERVICE = "https://cds.example.org"
SECRET = "eyJ-the-token-of-the-site"
NO_ICE = "The site has no code of the example hospital's ICE score: patient 10 is wanted without ICANS."
HOOKS = tuple(SERVICE_OF_HOOK)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def run(*args: str, **environ: str) -> Result:
    return CliRunner().invoke(selftest, args, env={"CRS_CDS_TIMEZONE": None, **environ})


def a_service(wire: responses.RequestsMock, status: int = 401) -> None:
    """Discovery, and the same refusal to every call."""
    templates = {
        "patient": "Patient/{{context.patientId}}",
        "vitals": "Observation?patient={{context.patientId}}&_sort=-date",
    }
    offered = [{"id": f"crs-{hook}", "hook": hook, "prefetch": templates} for hook in HOOKS]
    wire.get(f"{SERVICE}/cds-services", json={"services": offered})
    wire.post(re.compile(rf"{SERVICE}/cds-services/.*"), status=status, json=json.loads(outcome(status, "no")[2]))


def seeded(wire: responses.RequestsMock, ago: timedelta = timedelta()) -> FhirShelf:
    server = FhirShelf(seeding.examples(datetime.now(UTC) - ago, UTC).values())
    server.on(wire)
    return server


def test_each_call_to_the_service_carries_a_token_of_its_own_and_that_of_the_fhir_server(
    wire: responses.RequestsMock, tmp_path: Path
) -> None:
    server = seeded(wire)
    a_service(wire)
    file = tmp_path / "key.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    said = run(
        f"{SERVICE}/cds-services/", "--fhir", f"{BASE}/", "--token-env", "SITE_TOKEN", "--key", str(file),
        "--issuer", ISSUER, "--kid", "k1", SITE_TOKEN=SECRET,
    )  # fmt: skip
    assert said.exit_code == 1
    assert SECRET not in said.output
    asked = [call.request for call in wire.calls if str(call.request.url).startswith(SERVICE)]
    tokens = [request.headers["Authorization"].removeprefix("Bearer ") for request in asked]
    claims = [
        jwt.decode(token, KEY.public_key(), ["ES384"], audience=str(r.url))
        for token, r in zip(tokens, asked, strict=True)
    ]
    assert len({claim["jti"] for claim in claims}) == len(asked) == 1 + len(SCENES) * len(HOOKS) * 2
    assert {claim["iss"] for claim in claims} == {ISSUER}
    assert {claim["exp"] - claim["iat"] for claim in claims} == {300}
    assert jwt.get_unverified_header(tokens[0]) == {"alg": "ES384", "kid": "k1", "typ": "JWT"}
    bodies = [json.loads(request.body or "") for request in asked[1:]]
    assert {body["fhirAuthorization"]["access_token"] for body in bodies} == {SECRET}
    assert {body["fhirServer"] for body in bodies} == {BASE}
    assert len({body["hookInstance"] for body in bodies}) == len(bodies)
    assert ["prefetch" in body for body in bodies] == [True, False] * (len(bodies) // 2)
    assert prefetched(wire) == [["patient", "vitals"]] * (len(bodies) // 2)
    assert {headers.get("Authorization") for headers in server.headers} == {f"Bearer {SECRET}"}


def test_without_tokens_none_is_sent(wire: responses.RequestsMock) -> None:
    server = seeded(wire)
    a_service(wire)
    run(SERVICE, "--fhir", BASE)
    assert not any("Authorization" in headers for headers in server.headers)
    asked = [call.request for call in wire.calls if str(call.request.url).startswith(SERVICE)]
    assert not any(
        "Authorization" in request.headers or b"fhirAuthorization" in (request.body or b"") for request in asked
    )


def test_a_refused_call_is_a_difference_that_says_why(wire: responses.RequestsMock) -> None:
    seeded(wire)
    a_service(wire, 412)
    said = run(SERVICE, "--fhir", BASE, "--json")
    told = json.loads(said.stdout)
    assert (said.exit_code, told["ok"]) == (1, False)
    assert told["rows"][1] == {
        "patient": f"{PREFIX}-1a", "hook": "patient-view", "how": "prefetch",
        "wanted": ["steroid-early-low-il6", "crs-grade"], "got": [], "problem": "412 (no)", "ok": False,
    }  # fmt: skip
    assert [row["problem"] for row in told["rows"][-2:]] == ["no card came for it"] * 2
    # no card was wanted in many of these calls: a refusal is none the less wrong
    assert [row["ok"] for row in told["rows"]] == [True] + [False] * (len(told["rows"]) - 1)
    assert told["remarks"] == [NO_ICE]


def test_a_service_in_shadow_mode_is_told_from_one_that_is_wrong(wire: responses.RequestsMock) -> None:
    seeded(wire)
    a_service(wire)
    wire.replace(responses.POST, re.compile(rf"{SERVICE}/cds-services/.*"), status=200, json={"cards": []})
    told = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)
    asked = told["rows"][1:-2]
    assert [row["ok"] for row in asked] == [not row["wanted"] for row in asked]
    assert told["remarks"][1:] == [
        f"{len(asked)} answers had no cards and no reasoning: the service is in shadow mode."
    ]


def test_a_service_that_finds_nothing_is_told_from_one_in_shadow_mode(wire: responses.RequestsMock) -> None:
    seeded(wire)
    a_service(wire)
    silent = {"cards": [], "extension": {"org.crs-cds.assessment": {"thresholds": "abc123", "flags": ["no_course"]}}}
    wire.replace(responses.POST, re.compile(rf"{SERVICE}/cds-services/.*"), status=200, json=silent)
    told = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)
    asked = told["rows"][1:-2]
    assert [row["ok"] for row in asked] == [not row["wanted"] for row in asked]
    assert told["remarks"][1:] == [
        f"No call got a card. The service gives as the reason: no_course ({len(asked)}).",
        "Rules in force: abc123. With numbers, codes or card modes of the site's own, other cards may be right: those "
        "wanted here are the package's.",
    ]


def nothing_for(form: str, *types: str) -> Callable[[str], Answer | None]:
    """A FHIR server that finds nothing of some types for one form of the patient."""
    value = "Patient%2F" if form == "reference" else f"{PREFIX}-"
    empty: Answer = (200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset"}))

    def fault(url: str) -> Answer | None:
        return empty if any(f"/{name}?" in url for name in types) and f"patient={value}" in url else None

    return fault


def test_the_templates_are_typed_in_as_the_fhir_server_wants_them(wire: responses.RequestsMock) -> None:
    server = seeded(wire)
    a_service(wire)
    server.fault = nothing_for(
        "id", "Observation", "MedicationAdministration", "Procedure", "Condition", "AllergyIntolerance"
    )
    told = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)
    sent = [path for path in server.asked if "_sort=-date" in path]
    assert sent
    assert all("patient=Patient%2F" in path for path in sent)
    assert told["remarks"][1].startswith("The FHIR server matches patient=Patient/ID only: type the templates in")


def test_a_server_that_wants_one_form_for_one_type_and_another_for_the_next_is_named(
    wire: responses.RequestsMock,
) -> None:
    server = seeded(wire)
    a_service(wire)
    by_id, by_reference = nothing_for("id", "Observation"), nothing_for("reference", "MedicationAdministration")
    server.fault = lambda url: by_id(url) or by_reference(url)
    rows = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)["rows"]
    lost = {row["how"]: set(row["wanted"]) - set(row["got"]) for row in rows if row["hook"] == "searches"}
    assert lost == {"patient=ID": {"Observation"}, "patient=Patient/ID": {"MedicationAdministration"}}


def test_what_a_template_asks_for_is_percent_encoded() -> None:
    """A proxy that tidies `//`, or refuses `|`, changes nothing."""
    template = "Observation?patient={{context.patientId}}&code=http://loinc.org|8310-5,http://loinc.org|8867-4"
    found = filled(template, "p1")
    assert "//" not in found
    assert "|" not in found
    assert dict(parse_qsl(found.partition("?")[2]))["code"] == "http://loinc.org|8310-5,http://loinc.org|8867-4"
    assert filled("Patient/{{context.patientId}}", "p1") == "Patient/p1"


def test_a_service_that_is_not_offered_is_a_difference(wire: responses.RequestsMock) -> None:
    seeded(wire)
    wire.get(f"{SERVICE}/cds-services", json={"services": [{"id": "crs-order-sign"}]})
    wire.post(re.compile(rf"{SERVICE}/cds-services/.*"), status=500)
    told = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)
    assert (told["rows"][0]["got"], told["rows"][0]["ok"]) == (["crs-order-sign"], False)
    assert {row["hook"] for row in told["rows"][1:-2]} == {"order-sign"}


def test_a_search_that_fails_leaves_its_key_out_of_prefetch_and_is_told(wire: responses.RequestsMock) -> None:
    server = seeded(wire)
    a_service(wire)
    server.fault = lambda url: outcome(400, "no _sort here") if "_sort" in url else None
    told = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)
    assert prefetched(wire) == [["patient"]] * len(SCENES) * len(HOOKS)
    assert "Prefetch went without vitals: the FHIR server refused the template." in told["remarks"]


def test_prefetch_that_could_not_be_filled_at_all_is_no_success(wire: responses.RequestsMock) -> None:
    server = seeded(wire)
    a_service(wire)
    server.fault = lambda url: outcome(403, "not yours") if "_sort" in url or "/Patient/" in url else None
    told = json.loads(run(SERVICE, "--fhir", BASE, "--json").stdout)
    rows_of = [row for row in told["rows"] if row["how"] == "prefetch"]
    assert {row["problem"] for row in rows_of} == {"the FHIR server answered no template"}
    assert not any(row["ok"] for row in rows_of)
    assert prefetched(wire) == []


def prefetched(wire: responses.RequestsMock) -> list[list[str]]:
    """The keys of each call that came with prefetch."""
    bodies = [json.loads(c.request.body or "{}") for c in wire.calls if str(c.request.url).startswith(f"{SERVICE}/")]
    return [sorted(body["prefetch"]) for body in bodies if "prefetch" in body]


BAD_INPUT = rows("""
    | arguments                                             | says                           | because                       |
    | ----------------------------------------------------- | ------------------------------ | ----------------------------- |
    | cds --fhir https://a                                  | SERVICE_URL must be an address | the service is no address     |
    | https://a --fhir fhir                                 | --fhir must be an address      | the FHIR server is no address |
    | https://a                                             | Missing option '--fhir'        | no FHIR server                |
    | https://a --fhir https://b --key x.pem                | --key and --issuer go together | a key without an issuer       |
    | https://a --fhir https://b --issuer me                | --key and --issuer go together | an issuer without a key       |
    | https://a --fhir https://b --kid k1                   | --key and --issuer go together | a key's id without the key    |
    | https://a --fhir https://b --issuer me --key gone.pem | --key gone.pem: cannot be read | no such file                  |
    """)


@pytest.mark.parametrize("row", BAD_INPUT, ids=name_of)
def test_bad_input_is_exit_code_2_and_sends_nothing(row: dict[str, str], wire: responses.RequestsMock) -> None:
    said = run(*row["arguments"].split())
    assert (said.exit_code, said.stdout, len(wire.calls)) == (2, "", 0)
    assert row["says"] in said.stderr


SERVICE_FAULTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("no name", {"body": requests.ConnectionError("secret")}, "discovery: https://cds.example.org/cds-services: no connection"),
    ("a certificate of its own", {"body": requests.exceptions.SSLError()}, "discovery: https://cds.example.org/cds-services: its certificate"),
    ("a proxy", {"body": requests.exceptions.ProxyError()}, "the proxy could not be used"),
    ("no HTTP", {"body": requests.exceptions.ChunkedEncodingError()}, "what came is not HTTP that can be read"),
    ("another program", {"body": "hello"}, "discovery: the server's answer is not the JSON"),
    ("another API", {"json": {"paths": {}}}, "discovery: the answer is not the discovery of CDS Hooks"),
    ("down", {"status": 503}, "discovery: the server answers 503"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "says"), SERVICE_FAULTS, ids=[fault[0] for fault in SERVICE_FAULTS])
def test_a_service_that_cannot_be_read_is_named_with_the_step(
    name: str, answer: dict[str, Any], says: str, wire: responses.RequestsMock
) -> None:
    wire.get(f"{SERVICE}/cds-services", **answer)
    said = run(SERVICE, "--fhir", BASE)
    assert (said.exit_code, said.stdout) == (2, "")
    assert says in said.stderr
    assert "secret" not in said.stderr


def test_a_service_that_stops_answering_is_named_with_the_call(wire: responses.RequestsMock) -> None:
    seeded(wire)
    a_service(wire)
    wire.replace(responses.POST, re.compile(rf"{SERVICE}/cds-services/.*"), body=requests.ConnectTimeout())
    said = run(SERVICE, "--fhir", BASE)
    assert said.exit_code == 2
    assert f"patient-view of {PREFIX}-1a: {SERVICE}/cds-services/crs-patient-view: no answer within" in said.stderr


@pytest.mark.parametrize("hours", [3, -1])
def test_examples_of_another_hour_are_not_asked_about(hours: int, wire: responses.RequestsMock) -> None:
    seeded(wire, timedelta(hours=hours))
    a_service(wire)
    said = run(SERVICE, "--fhir", BASE)
    assert said.exit_code == 2
    assert "looking for the examples: they were moved to " in said.stderr
    assert "run crs-cds seed again" in said.stderr


# keys

KEYS = {"P-384": (KEY, "ES384"), "P-256": (P256_KEY, "ES256"), "RSA": (RSA_KEY, "RS384")}


@pytest.mark.parametrize("form", ["PEM", "JWK"])
@pytest.mark.parametrize("name", KEYS)
def test_a_private_key_signs_with_its_own_algorithm(name: str, form: str) -> None:
    key, algorithm = KEYS[name]
    file = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if form == "JWK":
        make = jwt.algorithms.RSAAlgorithm if name == "RSA" else jwt.algorithms.ECAlgorithm
        file = json.dumps({**json.loads(make.to_jwk(key)), "kid": "of-the-jwk"}).encode()
    token = signer_from(file, ISSUER, None, "urn:crs-cds").token("https://cds.example.org")
    assert jwt.get_unverified_header(token).get("kid") == ("of-the-jwk" if form == "JWK" else None)
    assert jwt.decode(token, key.public_key(), [algorithm], audience="urn:crs-cds")["iss"] == ISSUER


def test_the_algorithm_that_a_jwk_names_is_used() -> None:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY)) | {"alg": "PS256"}
    token = signer_from(json.dumps(jwk).encode(), ISSUER, "k", None).token("https://cds.example.org")
    assert jwt.get_unverified_header(token)["alg"] == "PS256"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"not a key", "holds no key that can be read"),
        (b"{}", "holds no key that can be read"),
        (b'{"kty": "EC"}', "holds no key that can be read"),
        (json.dumps(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)).encode(), "must be a private key"),
        (json.dumps(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True) | {"alg": "RSA-OAEP"}).encode(), "holds no key that can be read"),
        (json.dumps(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True) | {"alg": "none"}).encode(), "holds no key that can be read"),
    ],
    ids=["text", "an empty object", "half a JWK", "a public key", "a key to encrypt with", "no algorithm"],
)  # fmt: skip
def test_a_file_that_is_no_private_key(file: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(file)
    said = run(SERVICE, "--fhir", BASE, "--key", str(path), "--issuer", ISSUER)
    assert said.exit_code == 2
    assert says in said.stderr


def test_the_program_has_the_server_s_commands_and_both_of_these(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["crs-cds"].partition(":")
    monkeypatch.setattr(sys, "argv", ["crs-cds", "--help"])
    with pytest.raises(SystemExit) as ended:
        getattr(import_module(module), name)()
    assert ended.value.code == 0
    listed = re.findall(r"^  ([a-z-]+)  ", capsys.readouterr().out, re.MULTILINE)
    assert {"seed", "selftest", "explain", "check-config", "feedback"} <= set(listed)
