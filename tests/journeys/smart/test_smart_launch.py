"""The SMART app launched by an EHR of the tests: what opens the course, and what every hostile launch gets instead."""

from __future__ import annotations

import html
import json
import logging
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cds_server.outgoing.bounded_http import pooled_session
from cds_server.smart_app.discovery import discovered
from cds_server.smart_app.ehr_requests import LaunchError
from cds_server.smart_app.oauth_errors import OAUTH_ERRORS
from cds_server.smart_app.places import caller_address
from cds_server.storage.chain.purge import purge
from cds_server.storage.database import engine_for
from cds_server.storage.smart_sessions import SmartSessions
from example_patients.stories.stories import hook_body
from tests.support.desk import Desk, chart_of, scene_of, whole_prefetch
from tests.support.fhir_wire import Answer
from tests.support.postgres import BACKENDS, postgresql
from tests.support.smart_desk import OTHER, PATIENT, PUBLIC, SCENE, SESSION_KEY, Clinic, Page, clinic, plain, toml
from tests.support.smart_server import CONFIGURATION, Change
from tests.support.tables import rows
from tests.support.tokens import KEYS as KEY_SET
from tests.support.tokens import Token

ELSEWHERE = "https://fhir.elsewhere.example/r4"
FOLD = "6.2×"  # of PATIENT, and of no other
OTHER_FOLD = "4.00×"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Clinic]:
    with clinic(tmp_path, others=ELSEWHERE) as made:
        yield made


def refusal(page: Page) -> str:
    """The one sentence of a page that refuses; nothing of a record is on it."""
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "This says nothing of the patient" in page.text
    assert "fold" not in page.text
    return page.text.partition("<strong>")[2].partition("</strong>")[0]


# --- what opens the course


def test_an_ehr_launch_shows_the_course_of_its_patient(here: Clinic) -> None:
    page = here.open()
    assert (page.status, FOLD in page.text) == (200, True)
    assert here.ehr.scopes == [
        "launch patient/AllergyIntolerance.rs patient/Condition.rs patient/Medication.rs "
        "patient/MedicationAdministration.rs patient/MedicationRequest.rs patient/Observation.rs patient/Patient.rs "
        "patient/Procedure.rs patient/ServiceRequest.rs"
    ]


@pytest.mark.parametrize("address", ["launch", "launch?iss={base}"])
def test_standalone_the_ehr_asks_for_the_patient(here: Clinic, address: str) -> None:
    page = here.browser.go(address.format(base=here.ehr.base))
    assert (page.status, FOLD in page.text) == (200, True)
    assert here.ehr.scopes[0].startswith("launch/patient patient/")


def test_a_private_key_proves_who_we_are(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "app.pem").write_bytes(pem)
    with clinic(tmp_path, 'authentication = "private_key_jwt"', 'key = "app.pem"', 'kid = "2026"') as here:
        here.ehr.public_key = key.public_key()
        assert FOLD in here.open().text


def test_an_ehr_of_smart_1_is_asked_in_its_words(here: Clinic) -> None:
    here.ehr.changed[CONFIGURATION] = said(capabilities=["launch-ehr", "permission-v1"])
    assert FOLD in here.open().text
    assert "patient/Observation.read" in here.ehr.scopes[0]


def test_a_scope_of_the_site_s_own_is_asked_for_as_it_is(tmp_path: Path) -> None:
    with clinic(tmp_path, 'authentication = "public"', 'scope = "launch user/*.read"') as here:
        here.open()
        assert here.ehr.scopes == ["launch user/*.read"]


def test_two_tabs_keep_to_their_own_patients(here: Clinic) -> None:
    here.ehr.launches["L2"] = {"patient": OTHER}
    first, second = here.open(), here.open("L2")
    for _ in range(2):
        assert FOLD in here.browser.go(first.address).text
        assert OTHER_FOLD in here.browser.go(second.address).text
        assert FOLD not in here.browser.go(second.address).text


def test_two_launches_begun_side_by_side_both_end(here: Clinic) -> None:
    here.ehr.launches["L2"] = {"patient": OTHER}
    first = here.browser.go(here.launch_address(), stops_at="/callback")
    second = here.browser.go(here.launch_address("L2"), stops_at="/callback")
    assert OTHER_FOLD in here.browser.go(second.address).text
    assert FOLD in here.browser.go(first.address).text


@pytest.fixture(params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clinic]:
    """A clinic whose database is of either kind."""
    with ExitStack() as stack:
        environ = {}
        if request.param == "postgresql":
            environ["CRS_CDS_DATABASE_URL"] = stack.enter_context(postgresql())
            environ["CRS_CDS_SPOOL_DIR"] = str(tmp_path)
        made = stack.enter_context(clinic(tmp_path, **environ))
        yield made
        made.desk.client.application.extensions["crs-cds"].store.close()


def test_of_two_workers_one_takes_an_answer_that_comes_to_both(shared: Clinic) -> None:
    other = Desk(now=shared.desk.now, environ=shared.desk.environ)
    for _ in range(5):
        address = shared.browser.go(shared.launch_address(), stops_at="/callback").address
        browsers = [shared.another_browser(desk, cookies=dict(shared.browser.cookies)) for desk in (shared.desk, other)]
        with ThreadPoolExecutor(2) as together:
            found = list(together.map(lambda browser, address=address: browser.go(address).status, browsers))  # type: ignore[misc]
        assert sorted(found) == [200, 400]
    other.client.application.extensions["crs-cds"].store.close()


def test_the_workers_share_launches_and_sessions(here: Clinic) -> None:
    other = Desk(now=here.desk.now, environ=here.desk.environ)
    returning = here.browser.go(here.launch_address(), stops_at="/callback")
    elsewhere = here.another_browser(other, cookies=here.browser.cookies)
    course = elsewhere.go(returning.address)
    assert FOLD in course.text
    assert FOLD in here.browser.go(course.address).text
    assert refusal(here.browser.go(returning.address)).startswith("This was not begun"), "used by the other worker"


ISS = rows("""
| iss                    | status | because                                                    |
| {base}/                | 200    | a slash more is the same server                            |
| {upper}                | 200    | scheme and host in capitals are the same server            |
| {base}/x               | 403    | below the base is another base                             |
| https://evil.example   | 403    | a server that nobody named                                 |
| ELSEWHERE              | 403    | one that may be read for hooks, but opens no course        |
| {user}                 | 400    | a user name before the host                                |
| {base}/../fhir         | 400    | a path that climbs                                         |
| {base}?x=1             | 400    | a query                                                    |
| {broken}               | 400    | a line break, which reading an address leaves out          |
| javascript:alert(1)    | 400    | no address of a server                                     |
| <script>alert(1)</script> | 400 | markup                                                     |
""")


@pytest.mark.parametrize("row", ISS, ids=lambda row: row["because"])
def test_the_issuer_is_one_of_ours_in_any_spelling(here: Clinic, row: dict[str, str]) -> None:
    base = here.ehr.base
    upper, user = base.replace("http://", "HTTP://"), base.replace("//", "//x@")
    broken = base.replace("fhir", "fh\nir")
    iss = row["iss"].format(base=base, upper=upper, user=user, broken=broken).replace("ELSEWHERE", ELSEWHERE)
    page = here.browser.go(here.launch_address(iss=iss))
    assert page.status == int(row["status"])
    if page.status == 200:
        assert FOLD in page.text
    else:
        assert refusal(page)
        assert here.ehr.asked == []
        assert iss not in page.text


@pytest.mark.parametrize("address", ["launch?launch=L1", "launch?launch=L1&iss="])
def test_an_ehr_launch_without_an_issuer_is_refused(here: Clinic, address: str) -> None:
    assert (here.browser.go(address).status, here.ehr.asked) == (400, [])


# --- what the EHR says of itself


def said(**fields: Any) -> Change:
    """Some fields of a JSON answer otherwise; None takes one out."""

    def change(answer: Answer) -> Answer:
        changed = {**json.loads(answer[2]), **fields}
        return answer[0], answer[1], json.dumps({k: v for k, v in changed.items() if v is not None})

    return change


def instead(status: int, body: str, **headers: str) -> Change:
    return lambda _: (status, headers, body)


SPOILT: dict[str, Change] = {
    "none": instead(404, "{}"),
    "HTML": instead(200, "<html>hello</html>"),
    "no object": instead(200, "[]"),
    "huge": instead(200, json.dumps({"x": "x" * 1_000_000})),
    "a redirect": instead(302, "", Location="/fhir/.well-known/elsewhere"),
    "a failure": instead(500, "{}"),
    "no token endpoint": said(token_endpoint=None),
    "an endpoint that is a script": said(authorization_endpoint="javascript:alert(1)"),
    "an endpoint with a user name": said(token_endpoint="https://x@evil.example/token"),
    "an endpoint without a host": said(authorization_endpoint="https:///authorize"),
    "an endpoint with a line break": said(authorization_endpoint="https://x.example/a\r\nSet-Cookie: a=b"),
    "an endpoint whose host browsers read otherwise": said(authorization_endpoint="https://evil.example\\.x.example/"),
    "an endpoint with a port that is none": said(authorization_endpoint="https://x.example:x/"),
    "PKCE in plain only": said(code_challenge_methods_supported=["plain"]),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_configuration_that_cannot_be_used_ends_the_launch(here: Clinic, kind: str) -> None:
    here.ehr.changed[CONFIGURATION] = SPOILT[kind]
    page = here.open()
    assert (page.status, refusal(page)) == (502, "The EHR could not be asked for access to the record.")
    assert [path for path in here.ehr.asked if path != CONFIGURATION] == []


def test_an_ehr_may_authorize_at_another_host(here: Clinic) -> None:
    other = here.ehr.root.replace("127.0.0.1", "localhost")
    here.ehr.changed[CONFIGURATION] = said(
        authorization_endpoint=f"{other}/authorize?tenant=1", token_endpoint=f"{other}/token"
    )
    assert FOLD in here.open().text
    assert any(address.startswith(f"{other}/authorize?tenant=1&") for address in here.browser.seen)


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint"])
def test_from_https_nobody_is_led_to_plain_http(endpoint: str) -> None:
    found = dict.fromkeys(("authorization_endpoint", "token_endpoint"), "https://auth.example/x")
    found[endpoint] = "http://auth.example/x"
    with responses.RequestsMock() as wire, pooled_session(1) as session:
        wire.get(f"{ELSEWHERE}/.well-known/smart-configuration", json=found)
        with pytest.raises(LaunchError, match="no https address"):
            discovered(ELSEWHERE, session, datetime.now(UTC).timestamp() + 1e9)


# --- the way back


def returned(here: Clinic) -> dict[str, str]:
    """What the EHR sends back, not yet brought to us."""
    page = here.browser.go(here.launch_address(), stops_at="/callback")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.address).query).items()}


NOT_BEGUN = "This was not begun in this browser, took too long, or was used before."
DENIED = "The EHR did not allow access to the record."
RETURNS = rows("""
| answer                                        | status | says            | because                                |
| code                                          | 400    | NOT_BEGUN       | no state                               |
| code, state=x                                 | 400    | NOT_BEGUN       | another state                          |
| code, state=+x                                | 400    | NOT_BEGUN       | the state and a letter more            |
| state                                         | 400    | The address     | no code                                |
| state, code=x                                 | 502    | The EHR could   | a code that the EHR does not know      |
| state, error=access_denied                    | 403    | DENIED          | the user refused                       |
| state, error=MARKUP, error_description=MARKUP | 403    | DENIED          | an error that nobody knows, and markup |
| error=access_denied                           | 400    | NOT_BEGUN       | an error without a state               |
| code, state, iss=https://evil.example         | 403    | DENIED          | another server answers (RFC 9207)      |
""")
MARKUP = "<script>alert('PLANTED')</script>"


@pytest.mark.parametrize("row", RETURNS, ids=lambda row: row["because"])
def test_what_comes_back_is_what_was_asked_for(here: Clinic, row: dict[str, str]) -> None:
    good = returned(here)
    answer = {}
    for part in row["answer"].split(", "):
        name, given, value = part.partition("=")
        answer[name] = value.replace("MARKUP", MARKUP).replace("+", good["state"]) if given else good[name]
    page = here.browser.go(f"callback?{urlencode(answer)}")
    wanted = {"NOT_BEGUN": NOT_BEGUN, "DENIED": DENIED}.get(row["says"], row["says"])
    assert (page.status, refusal(page)[: len(wanted)]) == (int(row["status"]), wanted)
    assert "PLANTED" not in page.text
    assert here.browser.go("course").status == 403


@pytest.mark.parametrize("name", OAUTH_ERRORS)
def test_an_error_that_oauth_names_is_shown_by_its_name(here: Clinic, name: str) -> None:
    good = returned(here)
    page = here.browser.go(f"callback?{urlencode({'state': good['state'], 'error': name})}")
    assert (page.status, f"{name}: {OAUTH_ERRORS[name]}" in html.unescape(page.text)) == (403, True)


NAMED = rows("""
| body                                            | shown                                   | because                       |
| {"error": "invalid_client"}                     | answered 401, invalid_client: the EHR   | OAuth names it                |
| {"error": "MARKUP"}                             | answered 401                            | no standard has it            |
| {"error": 3}                                    | answered 401                            | no name at all                |
| <html>                                          | answered 401                            | not JSON                      |
""")


@pytest.mark.parametrize("row", NAMED, ids=lambda row: row["because"])
def test_what_the_token_endpoint_names_is_shown(here: Clinic, row: dict[str, str]) -> None:
    here.ehr.changed["/token"] = instead(401, row["body"].replace("MARKUP", MARKUP))
    page = here.open()
    assert (page.status, row["shown"] in html.unescape(page.text)) == (502, True), page.text
    assert "PLANTED" not in page.text


def test_an_ehr_that_names_itself_must_do_so(here: Clinic) -> None:
    """Else another one could have us send it the code of this one, by leaving the name out (RFC 9207)."""
    here.ehr.changed[CONFIGURATION] = said(authorization_response_iss_parameter_supported=True)
    named, unnamed = returned(here), returned(here)
    del unnamed["iss"]
    assert refusal(here.browser.go(f"callback?{urlencode(unnamed)}")) == DENIED
    assert FOLD in here.browser.go(f"callback?{urlencode(named)}").text


def test_a_launch_of_another_browser_ends_in_neither(here: Clinic) -> None:
    """An attacker who begins a launch cannot end it in the browser of someone else, nor the other way."""
    address = f"callback?{urlencode(returned(here))}"
    victim = here.another_browser()
    assert refusal(victim.go(address)) == NOT_BEGUN
    victim.go("launch", stops_at="/callback")  # also with a cookie, and a launch of its own
    assert refusal(victim.go(address)) == NOT_BEGUN
    assert FOLD in here.browser.go(address).text, "and it stays good for the one that began it"


def test_an_answer_of_the_ehr_counts_once(here: Clinic) -> None:
    address = f"callback?{urlencode(returned(here))}"
    assert here.browser.go(address).status == 200
    assert refusal(here.browser.go(address)) == NOT_BEGUN


UNSEEN = rows("""
| method | header                          | status | because                                 |
| HEAD   |                                 | 405    | a link scanner looks whether it is there |
| GET    | Sec-Purpose: prefetch;prerender | 503    | a browser guesses what comes next       |
| GET    | Purpose: prefetch               | 503    | an older one                            |
| OPTIONS |                                | 200    | a preflight                             |
""")


@pytest.mark.parametrize("row", UNSEEN, ids=lambda row: row["because"])
def test_what_nobody_looks_at_uses_up_no_launch(here: Clinic, row: dict[str, str]) -> None:
    callback, session = f"callback?{urlencode(returned(here))}", here.open().session
    name, _, value = row["header"].partition(": ")
    here.ehr.asked.clear()
    for address in (callback, here.launch_address(), f"course?session={session}"):
        headers = {"Cookie": f"crs-cds={here.browser.cookies['crs-cds']}", **({name: value} if name else {})}
        client = here.desk.client.application.test_client(use_cookies=False)
        answer = client.open(urljoin(f"{PUBLIC}/smart/", address), method=row["method"], headers=headers)
        assert answer.status_code == int(row["status"])
        assert ("GET" in answer.headers.get("Allow", "")) == (row["status"] != "503")
    assert here.ehr.asked == []
    assert FOLD in here.browser.go(callback).text


def test_a_code_of_another_launch_is_refused_by_its_proof(here: Clinic) -> None:
    stolen, own = returned(here), returned(here)
    page = here.browser.go(f"callback?{urlencode({**own, 'code': stolen['code']})}")
    assert (page.status, here.ehr.refused) == (502, ["token: code_verifier"])
    here.ehr.refused.clear()


def test_a_launch_that_took_too_long_is_begun_anew(here: Clinic) -> None:
    address = f"callback?{urlencode(returned(here))}"
    in_a_while(here, timedelta(minutes=11))
    assert refusal(here.browser.go(address)) == NOT_BEGUN


def in_a_while(here: Clinic, delay: timedelta) -> None:
    """The clock of the sessions moves on."""
    extensions = here.desk.client.application.extensions
    running = extensions["crs-cds"]
    sessions = SmartSessions(running.store, [SESSION_KEY], lambda: datetime.now(UTC) + delay)
    extensions["crs-cds"] = replace(running, smart=replace(running.smart, sessions=sessions))


def test_launches_that_nobody_ends_do_not_grow_without_end(
    here: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = here.open().address
    good = f"callback?{urlencode(returned(here))}"
    monkeypatch.setattr("cds_server.smart_app.routes.MOST_ROWS", 3)
    here.browser.go(here.launch_address(), stops_at="/callback")
    page = here.open()
    assert (page.status, refusal(page)) == (503, "Too many calls at once; try again.")
    assert len(kept(tmp_path)) == 3
    assert [FOLD in here.browser.go(address).text for address in (course, good)] == [True, True], "what began goes on"
    in_a_while(here, timedelta(minutes=11))
    assert FOLD in here.open().text, "and those that took too long make room"


def test_what_is_kept_of_a_launch_is_short(here: Clinic, tmp_path: Path) -> None:
    here.ehr.launches["L1"] |= {"appContext": "x" * 200_000}
    assert FOLD in here.open(appContext="y" * 7000).text
    here.browser.go(here.launch_address(appContext="y" * 7000), stops_at="/callback")
    assert [len(sealed) < 1500 for _, _, sealed, _ in kept(tmp_path)] == [True, True]


# --- the token


NO_TOKEN: dict[str, Change] = {
    "no patient": said(patient=None),
    "a patient that climbs": said(patient="../Patient/1"),
    "a patient of dots": said(patient=".."),
    "a patient with markup": said(patient=MARKUP),
    "a patient that is no text": said(patient={"id": "1"}),
    "expired": said(expires_in=0),
    "expired long ago": said(expires_in=-60),
    "a scope without end": said(scope="patient/*.rs " * 20_000),
    "another type": said(token_type="mac"),
    "no type": said(token_type=None),
    "no token": said(access_token=None),
    "a token with a line break": said(access_token="a\r\nX: PLANTED"),
    "HTML": instead(200, f"<html>{MARKUP}</html>"),
    "huge": instead(200, json.dumps({"access_token": "x" * 1_000_000, "token_type": "Bearer"})),
    "an error": instead(400, json.dumps({"error": "invalid_grant", "error_description": MARKUP})),
    "a redirect": instead(302, "", Location="https://evil.example/token"),
    "a failure": instead(503, MARKUP),
}


@pytest.mark.parametrize("kind", NO_TOKEN)
def test_a_token_answer_that_cannot_be_used_opens_nothing(here: Clinic, kind: str) -> None:
    here.ehr.changed["/token"] = NO_TOKEN[kind]
    page = here.open()
    assert (page.status, refusal(page)) == (502, "The EHR could not be asked for access to the record.")
    assert "PLANTED" not in page.text


LIVES = rows("""
| expires_in | ends after | because                                    |
| 120        | 2          | the token says                             |
| "120"      | 2          | a text that is a number                    |
| null       | 5          | unsaid: five minutes                       |
| 86400      | 60         | longer than SMART wants: an hour           |
""")


@pytest.mark.parametrize("row", LIVES, ids=lambda row: row["because"])
def test_a_session_ends_with_its_token(here: Clinic, row: dict[str, str]) -> None:
    here.ehr.changed["/token"] = said(expires_in=json.loads(row["expires_in"]))
    page, ends = here.open(), timedelta(minutes=int(row["ends after"]))
    in_a_while(here, ends - timedelta(seconds=30))
    assert FOLD in here.browser.go(page.address).text
    in_a_while(here, ends)
    assert refusal(here.browser.go(page.address)).startswith("Access to the record has ended")
    in_a_while(here, timedelta(0))
    assert here.browser.go(page.address).status == 403, "its row is gone, not only old"


def test_a_session_is_of_one_browser_and_one_handle(here: Clinic) -> None:
    page = here.open()
    for browser, address in (
        (here.another_browser(), page.address),
        (here.another_browser(cookies={"crs-cds": "x" * 43}), page.address),
        (here.browser, "course"),
        (here.browser, f"course?session={'x' * 43}"),
        (here.browser, f"course?session={page.session}x"),
    ):
        answer = browser.go(address)
        assert (answer.status, refusal(answer)[:29]) == (403, "Access to the record has ende")
    assert FOLD in here.browser.go(page.address).text


def test_leaving_forgets_the_token(here: Clinic, tmp_path: Path) -> None:
    page = here.open()
    assert here.another_browser().go(f"leave?session={page.session}", method="POST").status == 200
    assert FOLD in here.browser.go(page.address).text, "nobody else can end it"
    assert "Access ended" in here.browser.go(f"leave?session={page.session}", method="POST").text
    assert here.browser.go(page.address).status == 403
    assert kept(tmp_path) == []


def kept(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "log.sqlite") as database:
        found = database.execute("SELECT * FROM smart_session").fetchall()
    database.close()
    return found


KEYS = rows("""
| keys of the next start          | opens | because                            |
| PRESENT                         | yes   | the same                           |
| another secret of the tests xxx, PRESENT | yes | one before it: rotated      |
| another secret of the tests xxx | no    | the old one is gone                |
""")


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row["because"])
def test_keys_are_rotated_by_naming_the_old_one_last(here: Clinic, row: dict[str, str]) -> None:
    page = here.open()
    keys = row["keys of the next start"].replace("PRESENT", SESSION_KEY)
    keys = ",".join(key.strip().ljust(32, "x") for key in keys.split(","))
    later = Desk(now=here.desk.now, environ={**here.desk.environ, "CRS_CDS_SESSION_KEY": keys})
    answer = here.another_browser(later, cookies=here.browser.cookies).go(page.address)
    assert (FOLD in answer.text) == (row["opens"] == "yes")
    assert answer.status in (200, 403)


def test_an_entry_that_was_taken_away_ends_its_sessions(here: Clinic, tmp_path: Path) -> None:
    page = here.open()
    file = tmp_path / "smart.toml"
    file.write_text(file.read_text().replace(here.ehr.base, ELSEWHERE), encoding="utf-8")
    later = Desk(now=here.desk.now, environ=here.desk.environ)
    assert here.another_browser(later, cookies=here.browser.cookies).go(page.address).status == 403


def test_a_purge_takes_ended_sessions_with_it(here: Clinic, tmp_path: Path) -> None:
    here.open()
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        database.execute("UPDATE smart_session SET expires = '2020-01-01 00:00:00'")
    database.close()
    engine = engine_for(f"sqlite:///{tmp_path / 'log.sqlite'}")
    purge(engine, datetime(2020, 1, 1, tzinfo=UTC), "operator")
    engine.dispose()
    assert kept(tmp_path) == []


def test_rows_that_were_exchanged_in_the_database_open_nothing(here: Clinic, tmp_path: Path) -> None:
    here.ehr.launches["L2"] = {"patient": OTHER}
    first, second = here.open(), here.open("L2")
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        (one, sealed), (other, also) = database.execute("SELECT id, sealed FROM smart_session").fetchall()
        database.execute("UPDATE smart_session SET sealed = ? WHERE id = ?", (also, one))
        database.execute("UPDATE smart_session SET sealed = ? WHERE id = ?", (sealed, other))
    database.close()
    assert [here.browser.go(page.address).status for page in (first, second)] == [403, 403]


def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    with clinic(tmp_path, CRS_CDS_DATABASE_URL="sqlite:////nowhere/log.sqlite") as here:
        page = here.open()
        assert (page.status, refusal(page)[:20]) == (503, "Access to the record")


# --- the cookie


def test_the_cookie_is_for_this_site_only_and_no_script_reads_it(here: Clinic) -> None:
    first = here.desk.client.application.test_client(use_cookies=False).get(here.launch_address())
    name, _, rest = first.headers["Set-Cookie"].partition("=")
    assert (name, sorted(part.strip() for part in rest.split(";")[1:])) == (
        "crs-cds", ["HttpOnly", "Partitioned", "Path=/", "SameSite=None", "Secure"],
    )  # fmt: skip


def test_over_https_no_neighbour_can_set_the_cookie(tmp_path: Path) -> None:
    with clinic(tmp_path, CRS_CDS_PUBLIC_URL="https://cds.example.org") as here:
        first = here.desk.client.application.test_client(use_cookies=False).get(here.launch_address())
    assert first.headers["Set-Cookie"].startswith("__Host-crs-cds=")


def test_a_browser_without_cookies_is_shown_the_way_to_a_window(here: Clinic) -> None:
    page = here.another_browser(keeps_cookies=False).go(here.launch_address(appContext="x"))
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    link = urlencode({"iss": here.ehr.base, "launch": "L1", "appContext": "x"}).replace("&", "&amp;")
    assert f'href="launch?{link}" target="_blank"' in page.text
    assert here.ehr.asked == [], "the launch is still good"


@pytest.mark.parametrize(
    ("origins", "policy"), [("", "'none'"), ("https://ehr.example, https://b.example:8443", "https://ehr.example https://b.example:8443")]
)  # fmt: skip
def test_pages_are_framed_by_whom_the_site_names(tmp_path: Path, origins: str, policy: str) -> None:
    with clinic(tmp_path, CRS_CDS_FRAME_ANCESTORS=origins) as here:
        pages = [here.open(), here.browser.go("course"), here.another_browser(keeps_cookies=False).go("launch")]
        for page in pages:
            rules = page.headers["Content-Security-Policy"].split("; ")
            assert [rule for rule in rules if rule.startswith("frame-ancestors")] == [f"frame-ancestors {policy}"]
            assert "default-src 'none'" in rules


@contextmanager
def all_taken(slots: Any) -> Iterator[None]:
    """Nothing more is made at once."""
    taken = 0
    while slots.acquire(blocking=False):
        taken += 1
    yield
    for _ in range(taken):
        slots.release()


def test_pages_cost_no_card_and_cards_no_page(here: Clinic) -> None:
    running = here.desk.client.application.extensions["crs-cds"]
    with all_taken(running.smart.places["launch"]):
        page = here.open()
        assert (page.status, page.headers["Retry-After"]) == (503, "1")
        assert refusal(page) == "Too many calls at once; try again."
        assert len(decision(here)) == 2
    with all_taken(running.places.free):
        assert FOLD in here.open().text


def test_who_begins_launches_keeps_nobody_from_the_course(here: Clinic) -> None:
    page = here.open()
    returning = here.browser.go(here.launch_address(), stops_at="/callback")
    running = here.desk.client.application.extensions["crs-cds"]
    with all_taken(running.smart.places["launch"]):
        assert here.open().status == 503
        assert FOLD in here.browser.go(returning.address).text
        assert FOLD in here.browser.go(page.address).text


def test_the_configuration_of_an_ehr_is_asked_for_once_in_some_minutes(here: Clinic) -> None:
    for _ in range(3):
        assert FOLD in here.open().text
    assert here.ehr.asked.count(CONFIGURATION) == 1


def test_a_failure_to_ask_for_it_is_kept_for_some_seconds(here: Clinic) -> None:
    now = [0.0]
    here.desk.client.application.extensions["crs-cds"].smart.endpoints._clock = lambda: now[0]
    here.ehr.changed[CONFIGURATION] = lambda _: (500, {}, "")
    assert [here.open().status for _ in range(3)] == [502] * 3
    assert here.ehr.asked.count(CONFIGURATION) == 1
    del here.ehr.changed[CONFIGURATION]
    now[0] = 5.0
    assert FOLD in here.open().text


ADDRESSES = rows("""
| proxies | X-Forwarded-For               | address              | because                                        |
| 0       | 203.0.113.9                   | 127.0.0.1            | what a client says of itself is not believed   |
| 1       | 203.0.113.9                   | 203.0.113.9          | one proxy saw it                               |
| 1       | 198.51.100.1, 203.0.113.9     | 203.0.113.9          | the first is what the client itself sent       |
| 2       | 203.0.113.9, 10.0.0.7         | 203.0.113.9          | two proxies                                    |
| 2       | 203.0.113.9                   | 127.0.0.1            | fewer than there should be                     |
| 1       | ::ffff:203.0.113.9            | 203.0.113.9          | IPv4 in IPv6                                   |
""")


@pytest.mark.parametrize("row", ADDRESSES, ids=lambda row: row["because"])
def test_the_address_of_a_caller(here: Clinic, row: dict[str, str]) -> None:
    with here.desk.client.application.test_request_context(
        headers={"X-Forwarded-For": row["X-Forwarded-For"]}, environ_base={"REMOTE_ADDR": "127.0.0.1"}
    ):
        assert caller_address(int(row["proxies"])) == row["address"]


def test_a_network_of_ipv6_is_one_address(here: Clinic) -> None:
    app = here.desk.client.application

    def address(text: str) -> str:
        with app.test_request_context(headers={"X-Forwarded-For": text}):
            return caller_address(1)

    assert address("2001:db8::1") == address("2001:db8::2") != address("2001:db8:0:1::1")


def test_one_address_has_a_small_share_of_launches(tmp_path: Path) -> None:
    with clinic(tmp_path, CRS_CDS_PROXIES="1") as here:
        smart = here.desk.client.application.extensions["crs-cds"].smart
        smart.taken["launch", "203.0.113.9"] = 2
        launch = here.launch_address().removeprefix("http://127.0.0.1:8000")

        def begun(address: str) -> int:
            return here.desk.client.get(launch, headers={"X-Forwarded-For": address}).status_code

        assert (begun("203.0.113.9"), begun("203.0.113.10")) == (503, 303)
        assert smart.taken == {("launch", "203.0.113.9"): 2}, "a place that was taken is given back"
        assert here.metrics().count('reason="address"') > 0


@pytest.mark.parametrize("name", ["CRS_CDS_MODE", "CRS_CDS_SHADOW_SERVICES"])
def test_in_shadow_the_page_shows_nothing_either(here: Clinic, name: str) -> None:
    page = here.open()
    shadow = {"CRS_CDS_MODE": "shadow", "CRS_CDS_SHADOW_SERVICES": "crs-patient-view"}[name]
    trial = Desk(now=here.desk.now, environ={**here.desk.environ, name: shadow})
    for address in (page.address, here.launch_address()):
        answer = here.another_browser(trial, cookies=here.browser.cookies).go(address)
        assert (answer.status, refusal(answer)) == (403, "This installation is in trial: it shows nothing yet.")


def test_where_the_app_is_not_set_up_there_is_nothing(here: Clinic) -> None:
    environ = {name: value for name, value in here.desk.environ.items() if name != "CRS_CDS_SMART"}
    client = Desk(now=here.desk.now, environ=environ).client
    assert [client.get(f"/smart/{step}").status_code for step in ("launch", "callback", "course")] == [404] * 3


# --- the decision behind a card


def decision(here: Clinic, scene_id: str = SCENE, base: str | None = None, **more: Any) -> Any:
    """The answer of the hook for a scene, whose cards may name the decision."""
    _, scene = scene_of(scene_id)
    body = hook_body(scene, here.desk.now, prefetch=whole_prefetch(chart_of(scene_id)),
                     fhirServer=base or here.ehr.base,
                     fhirAuthorization={"access_token": "of-a-hook", "token_type": "Bearer"})  # fmt: skip
    return here.desk.post({**body, **more}).get_json()["cards"]


def to_the_course(card: Any) -> list[Any]:
    return [link for link in card["links"] if link["type"] == "smart"]


def test_cards_link_to_the_course_and_name_their_decision(here: Clinic) -> None:
    cards = decision(here)
    links = [to_the_course(card) for card in cards]
    assert len(cards) == 2
    context = links[0][0]["appContext"]
    wanted = {"label": "The course as a picture", "url": f"{PUBLIC}/smart/launch", "type": "smart"}
    assert links == [[{**wanted, "appContext": context}]] * 2
    assert len(context) == 36


def test_no_link_where_the_app_is_not_set_up_for_the_server(here: Clinic) -> None:
    assert not any(to_the_course(card) for card in decision(here, base=ELSEWHERE))
    no_server = hook_body(scene_of(SCENE)[1], here.desk.now, prefetch=whole_prefetch(chart_of(SCENE)))
    assert not any(to_the_course(card) for card in here.desk.post(no_server).get_json()["cards"])


def shown_decision(caplog: pytest.LogCaptureFixture, here: Clinic, launch: str) -> str | None:
    """The decision that the page of a launch was made with."""
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="cds_server"):
        page = here.open(launch)
    assert page.status == 200, plain(page)
    return next(r.decision for r in caplog.records if getattr(r, "address", "") == "smart.course")  # type: ignore[attr-defined,no-any-return]


def named(here: Clinic, cards: Any, patient: str = PATIENT) -> str:
    """A launch for a patient with the decision of some cards; the decision."""
    context = str(to_the_course(cards[0])[0]["appContext"])
    here.ehr.launches["with"] = {"patient": patient, "appContext": context}
    return context


def test_the_decision_of_the_card_is_shown_to_its_patient_s_launch(
    here: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    context = named(here, decision(here))
    assert shown_decision(caplog, here, "with") == context
    with_it, without = here.open("with"), here.open()
    assert with_it.text.replace(with_it.session, "") != without.text.replace(without.session, "")


def test_a_decision_named_in_the_address_of_the_launch_counts_where_the_token_names_none(here: Clinic) -> None:
    context = named(here, decision(here))
    by_address, by_token, without = here.open(appContext=context), here.open("with"), here.open()
    texts = [page.text.replace(page.session, "") for page in (by_address, by_token, without)]
    assert texts[0] == texts[1] != texts[2]


def test_of_another_patient_s_decision_nothing_is_said(here: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    named(here, decision(here), OTHER)
    here.ehr.launches["L2"] = {"patient": OTHER}
    assert shown_decision(caplog, here, "with") is None
    with_it, without = here.open("with"), here.open("L2")
    assert with_it.text.replace(with_it.session, "") == without.text.replace(without.session, "")


CONTEXTS = ["00000000-0000-4000-8000-000000000000", "x", MARKUP, "' OR 1=1 --", '{"decision": 1}', "\u0000", "x" * 5000]


@pytest.mark.parametrize("context", [*CONTEXTS, 1, None, ["x"], {"decision": "x"}], ids=repr)
def test_a_context_that_names_no_decision_is_nothing(
    here: Clinic, caplog: pytest.LogCaptureFixture, context: Any
) -> None:
    here.ehr.launches["with"] = {"patient": PATIENT, "appContext": context}
    assert shown_decision(caplog, here, "with") is None


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ("shadow = 1", "in shadow nothing is shown"),
        ("issuer = 'https://another.example'", "another client's"),
        ("patient = '" + "0" * 64 + "'", "another patient's"),
        ("tenant = 'other'", "another tenant's patient has another pseudonym"),
    ],
)  # fmt: skip
def test_a_decision_that_is_not_of_this_launch_is_not_shown(
    here: Clinic, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str, because: str
) -> None:
    context = named(here, decision(here))
    assert shown_decision(caplog, here, "with") == context
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        database.execute(f"UPDATE decision SET {change}")  # noqa: S608 - a constant of this table
    database.close()
    assert shown_decision(caplog, here, "with") is None


def test_a_decision_that_cannot_be_looked_up_is_no_course_without_its_reasons(here: Clinic, tmp_path: Path) -> None:
    named(here, decision(here))
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        database.execute("ALTER TABLE decision RENAME TO elsewhere")
    database.close()
    page = here.open("with")
    assert (page.status, refusal(page)[:20]) == (503, "Access to the record")


CLIENTS = rows("""
| client       | its FHIR servers | entry names   | link | shown | because                                                         |
| https://ehr  | BASE             | –              | yes  | yes   | it may name the base                                            |
| https://ehr  | BASE             | https://ehr    | yes  | yes   | and it is the one that the entry names                          |
| https://ehr  | BASE             | https://lab    | yes  | no    | the entry names another                                         |
| https://ehr  | ELSEWHERE        | –              | no   | no    | what it sends about a base that it may not name is not believed |
""")


@pytest.mark.parametrize("row", CLIENTS, ids=lambda row: row["because"])
def test_a_decision_is_shown_where_its_client_may_speak_of_the_base(
    here: Clinic, tmp_path: Path, caplog: pytest.LogCaptureFixture, row: dict[str, str]
) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(KEY_SET), encoding="utf-8")
    bases = {"https://lab": here.ehr.base, row["client"]: row["its FHIR servers"].replace("BASE", here.ehr.base)}
    (tmp_path / "clients.toml").write_text("\n".join(
        f'[[client]]\nissuer = "{issuer}"\njwks = "keys.json"\nfhir_servers = ["{base.replace("ELSEWHERE", ELSEWHERE)}"]'
        for issuer, base in bases.items()), encoding="utf-8")  # fmt: skip
    named_issuer = "" if row["entry names"] == "–" else f'issuer = "{row["entry names"]}"'
    (tmp_path / "smart.toml").write_text(
        toml(here.ehr.base, 'authentication = "public"', named_issuer), encoding="utf-8"
    )
    here.desk = Desk(
        now=here.desk.now, environ={**here.desk.environ, "CRS_CDS_CLIENTS": str(tmp_path / "clients.toml")}
    )
    here.browser = here.another_browser()
    _, scene = scene_of(SCENE)
    body = hook_body(scene, here.desk.now, prefetch=whole_prefetch(chart_of(SCENE)), fhirServer=here.ehr.base)
    token = Token(claims={"iss": row["client"], "aud": f"{PUBLIC}/cds-services/crs-patient-view"}).text()
    answer = here.desk.client.post(
        "/cds-services/crs-patient-view", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    assert [bool(to_the_course(card)) for card in answer.get_json()["cards"]] == [row["link"] == "yes"] * 2
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        ((context,),) = database.execute("SELECT id FROM decision").fetchall()
    database.close()
    here.ehr.launches["with"] = {"patient": PATIENT, "appContext": context}
    assert (shown_decision(caplog, here, "with") == context) == (row["shown"] == "yes")


# --- the FHIR server behind the page


def test_a_record_that_cannot_be_read_is_said_and_no_empty_page(here: Clinic) -> None:
    page = here.open()
    here.ehr.tokens.clear()  # withdrawn by the EHR
    answer = here.browser.go(page.address)
    assert (answer.status, "not permitted by the FHIR server (401)" in answer.text) == (412, True)


def test_what_the_granted_scope_leaves_out_is_said(here: Clinic) -> None:
    here.ehr.changed["/token"] = said(scope="launch patient/Observation.rs patient/Patient.rs")
    answer = here.open()
    assert (answer.status, "not permitted by the granted scope" in answer.text) == (412, True)


def test_another_patient_s_data_are_no_page(here: Clinic) -> None:
    for resource in here.ehr.fhir.resources:
        if resource["resourceType"] == "Observation" and resource["subject"]["reference"] == f"Patient/{PATIENT}":
            resource["subject"] = {"reference": "Patient/someone-else"}
    here.ehr.changed["/fhir/Observation"] = lambda _: (200, {}, json.dumps({
        "resourceType": "Bundle", "type": "searchset", "entry": [
            {"resource": r} for r in here.ehr.fhir.resources if r["resourceType"] == "Observation"][:5]}))  # fmt: skip
    answer = here.open()
    assert (answer.status, "The FHIR server sent data of another patient" in answer.text) == (412, True)
    assert "fold" not in answer.text


# --- what nobody gets to see


def test_token_code_and_proof_are_in_no_page_log_metric_or_database(
    here: Clinic, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        page = here.open()
        here.ehr.tokens.clear()
        here.browser.go(page.address)
    sessions = here.desk.client.application.extensions["crs-cds"].smart.sessions
    ((_, _, sealed, _),) = kept(tmp_path)
    secrets = {"token": json.loads(sessions._fernet.decrypt(sealed))[1]["token"]}
    came_back = parse_qs(urlsplit(next(a for a in here.browser.seen if "/callback" in a)).query)
    secrets |= {"code": came_back["code"][0], "state": came_back["state"][0], "handle": page.session,
                "browser": here.browser.cookies["crs-cds"], "patient": PATIENT}  # fmt: skip
    logged = " ".join(str(vars(record)) for record in caplog.records if record.name == "cds_server")
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("log.sqlite*"))
    for what, secret in secrets.items():
        assert secret not in logged, what
        assert secret not in here.metrics(), what
        assert secret.encode() not in stored, what
    assert secrets["token"] not in " ".join([*here.browser.seen, *here.browser.said, *here.browser.cookies.values()])
