"""Marked strings in every field of a request, of a token, of feedback, of a FHIR answer and of an error: none of them
is in a log line, a metric or an error that comes out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from cds_server.operations.log_lines import configure_logging
from cds_server.storage.database import DecisionRow, engine_for
from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.stories import hook_body
from tests.support.by_search import body_for, wire
from tests.support.desk import Desk, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.every_field import Way, each_field, pattern, value_at, with_value
from tests.support.fhir_wire import BASE, Answer, FhirWire
from tests.support.smart_desk import clinic
from tests.support.smart_server import CONFIGURATION
from tests.support.tokens import ISSUER, KEY, KEYS, SIGN, Token

SCENE = "8"


@dataclass
class Plants:
    """Makes the marked strings and looks for them in all that came out."""

    stream: io.StringIO
    everything: io.StringIO
    number: int = 0
    found: list[str] = field(default_factory=list)

    def next(self) -> str:
        self.number += 1
        return f"PLANTED{self.number}STRING"

    def look(self, where: str, *texts: str) -> None:
        for text in texts:
            if "planted" in text.lower():
                self.found.append(f"{where}: {text[max(0, text.lower().index('planted') - 80) :][:200]}")

    def look_at_logs(self, where: str) -> None:
        for stream in (self.stream, self.everything):
            self.look(where, stream.getvalue())
            stream.seek(0)
            stream.truncate()

    def look_at(self, answer: Any, desk: Desk, where: str) -> None:
        if answer.status_code != 200:
            self.look(f"{where}, answer", answer.get_data(as_text=True), str(answer.headers))
        self.look_at_logs(f"{where}, log")
        self.look(f"{where}, metrics", desk.client.get("/metrics").get_data(as_text=True))


@pytest.fixture
def plants() -> Iterator[Plants]:
    """Every logger of the process is listened to, ours in the form that goes out."""
    made = Plants(io.StringIO(), io.StringIO())
    names = ("cds_server", "gunicorn.error")
    before = {name: logging.getLogger(name).handlers for name in names}
    configure_logging(made.stream)
    root, handler = logging.getLogger(), logging.StreamHandler(made.everything)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield made
    root.removeHandler(handler)
    root.setLevel(level)
    for name in names:
        logging.getLogger(name).handlers, logging.getLogger(name).propagate = before[name], True
    print(f"planted: {made.number}")
    assert made.number >= 6
    assert made.found == []


def with_plant(document: Any, path: Way, mark: str, how: str) -> Any:
    """A copy with the mark in place of a value, behind it, or as the name of a further field beside it."""
    beside, value = value_at(document, path[:-1]), value_at(document, path)
    if how == "name" and isinstance(beside, dict):
        return with_value(document, path[:-1], {**beside, mark: value})
    return with_value(document, path, value + mark if how == "behind" and isinstance(value, str) else mark)


HOW = ("instead", "behind", "name")


@pytest.mark.parametrize("how", HOW)
def test_of_a_request(plants: Plants, how: str, tmp_path: Path) -> None:
    _, scene = scene_of(SCENE)
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}"})
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of(SCENE)), fhirServer=BASE,
                     fhirAuthorization={"access_token": "x", "token_type": "Bearer", "scope": "patient/*.rs",
                                        "subject": "s", "patient": scene.patient_id})  # fmt: skip
    body["context"]["encounterId"] = "e"
    kept = engine_for(f"sqlite:///{tmp_path / 'log.sqlite'}")
    with wire([], lambda _: (404, {}, "{}")):
        for path in each_field(body):
            changed = with_plant(body, path, plants.next(), how)
            answer = desk.client.post(f"/cds-services/{SERVICE_OF_HOOK[scene.hook]}", json=changed)
            plants.look_at(answer, desk, str(path))
    if how == "name":  # ids of resources and codes of orders are kept, nothing else of a body
        with Session(kept) as session:
            for row in session.scalars(select(DecisionRow)):
                plants.look("decision log", str(vars(row)))
    kept.dispose()


def test_around_a_request(plants: Plants) -> None:
    _, scene = scene_of(SCENE)
    desk = Desk(now=moment_of(scene), environ={"CRS_CDS_MAX_CALLS": "1"})
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of(SCENE)))
    service = f"/cds-services/{SERVICE_OF_HOOK[scene.hook]}"
    for name in ("Authorization", "X-Request-Id", "User-Agent", "Content-Type", "Content-Encoding", "Origin", "Cookie",
                 "Referer", "X-Forwarded-For", "Host", "Accept"):  # fmt: skip
        mark = plants.next()
        plants.look_at(desk.client.post(service, json=body, headers={name: mark}), desk, name)
    for address in (
        f"{service}?patient=MARK",
        "/cds-services/MARK",
        f"{service}/MARK",
        "/MARK",
        f"{service}/feedback/MARK",
    ):
        for method in ("get", "post", "put", "options"):
            place = address.replace("MARK", plants.next())
            plants.look_at(getattr(desk.client, method)(place, json=body), desk, f"{method} {address}")
    for text in ('{"hook": MARK}', "MARK", '"MARK"', '["MARK"]', '{"MARK": 1, "hook": "MARK"', '{"a": "MARK\\ud800"}'):
        data = text.replace("MARK", plants.next())
        plants.look_at(desk.client.post(service, data=data, content_type="application/json"), desk, text)


CLAIMS = ("iss", "aud", "sub", "exp", "iat", "nbf", "jti", "tenant", "other")
HEADERS = ("kid", "jku", "typ", "x5u", "other")


def test_of_a_token(plants: Plants, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    text = f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = ["{BASE}"]\n'
    (tmp_path / "clients.toml").write_text(text, encoding="utf-8")
    for database in ("sqlite://", "sqlite:////nowhere/log.sqlite"):
        desk = Desk(environ={"CRS_CDS_CLIENTS": str(tmp_path / "clients.toml"), "CRS_CDS_DATABASE_URL": database})
        tokens = [Token(claims={name: plants.next()}) for name in CLAIMS if name not in ("exp", "iat", "nbf")]
        tokens += [Token(claims={"aud": [plants.next()]}), Token(claims={"other": {plants.next(): 1}})]
        tokens += [Token(header={name: plants.next()}) for name in HEADERS]
        for token in tokens:
            answer = desk.client.post(
                SIGN.removeprefix("http://127.0.0.1:8000"), json={}, headers={"Authorization": f"Bearer {token.text()}"}
            )
            plants.look_at(answer, desk, str(token))


SAID = {
    "feedback": [
        {
            "card": "0a2f7d0e-5d0c-4c3b-9c11-0f2f8f6a9c11", "outcome": "overridden",
            "outcomeTimestamp": "2026-03-06T04:05:06Z",
            "overrideReason": {"reason": {"code": "a", "system": "urn:x", "display": "b"}, "userComment": "c"},
            "overrideReasons": [{"reason": {"code": "a", "system": "urn:x"}, "userComment": "c"}],
            "acceptedSuggestions": [{"id": "x"}],
        }
    ]
}  # fmt: skip


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("database", ["sqlite://", "sqlite:////nowhere/log.sqlite"])
def test_of_feedback(plants: Plants, database: str, how: str) -> None:
    desk = Desk(environ={"CRS_CDS_DATABASE_URL": database})
    for path in each_field(SAID):
        changed = with_plant(SAID, path, plants.next(), how)
        answer = desk.client.post("/cds-services/crs-patient-view/feedback", json=changed)
        plants.look_at(answer, desk, str(path))


def fields_of_answers(asked: FhirWire) -> Iterable[tuple[str, Way]]:
    """Each field of each kind of answer: (what was asked for, the way to the field)."""
    seen: dict[tuple[str, tuple[str, ...]], Way] = {}
    for url in asked.asked:
        kind = url.strip("/").split("?")[0].split("/")[0]
        for path in each_field(json.loads(asked.answer(BASE + url)[2])):
            seen.setdefault((kind, pattern(path)), path)
    return [(kind, path) for (kind, _), path in seen.items()]


@pytest.mark.parametrize("how", HOW)
def test_of_a_fhir_answer(plants: Plants, how: str) -> None:
    _, scene = scene_of(SCENE)
    chart = chart_of(SCENE)
    desk = Desk(now=moment_of(scene))
    body = body_for(scene.patient_id, "patient-view", None)
    with wire(chart) as server:
        desk.post(body)
    for kind, path in fields_of_answers(server):
        mark = plants.next()

        def fault(
            url: str, kind: str = kind, path: Way = path, mark: str = mark, served: FhirWire = server
        ) -> Answer | None:
            if url.removeprefix(BASE).strip("/").split("?")[0].split("/")[0] != kind:
                return None
            status, headers, said = served.answer(url)
            try:
                return status, headers, json.dumps(with_plant(json.loads(said), path, mark, how))
            except (KeyError, IndexError, TypeError):  # another answer of the kind has no such field
                return None

        with wire(chart, fault):
            plants.look_at(desk.post(body), desk, f"{kind} {path}")


ERRORS: dict[str, Callable[[str], Any]] = {
    **{str(status): lambda mark, status=status: (status, {"Location": f"https://x/{mark}", "WWW-Authenticate": mark}, json.dumps(  # type: ignore[misc]
        {"resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "processing", "diagnostics": mark, "details": {"text": mark}}]}))
       for status in (302, 400, 401, 403, 404, 410, 422, 429, 500, 502, 503)},
    "html": lambda mark: (200, {"Content-Type": "text/html"}, f"<html>{mark}</html>"),
    "no json": lambda mark: (200, {}, f'{{"resourceType": "{mark}'),
    "another type": lambda mark: (200, {}, json.dumps({"resourceType": mark})),
    "an outcome": lambda mark: (200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": mark}]}}]})),
    "a next page": lambda mark: (200, {}, json.dumps({"resourceType": "Bundle", "type": "searchset", "link": [
        {"relation": "next", "url": f"https://{mark}.example/x"}]})),
    "no connection": requests.ConnectionError,
    "no time": requests.Timeout,
    "a bad address": requests.exceptions.InvalidURL,
    "no HTTP": ValueError,
}  # fmt: skip


def raised_or(answer: Any) -> Answer:
    if isinstance(answer, Exception):
        raise answer
    found: Answer = answer
    return found


@pytest.mark.parametrize("kind", ERRORS)
def test_of_a_fhir_error(plants: Plants, kind: str) -> None:
    _, scene = scene_of(SCENE)
    desk = Desk(now=moment_of(scene))
    for resource_type in ("Observation", "MedicationAdministration", "Procedure", "Patient", "Condition", ""):
        mark = plants.next()

        def fault(url: str, resource_type: str = resource_type, mark: str = mark) -> Answer | None:
            return raised_or(ERRORS[kind](mark)) if f"/{resource_type}" in url else None

        with wire(chart_of(SCENE), fault):
            plants.look_at(desk.post(body_for(scene.patient_id, "patient-view", None)), desk, f"{kind} {resource_type}")


@pytest.mark.parametrize("how", HOW)
def test_of_what_an_ehr_says_at_a_launch(plants: Plants, tmp_path: Path, how: str) -> None:
    with clinic(tmp_path) as here:
        for address in (CONFIGURATION, "/token"):
            said: list[Any] = []
            here.ehr.changed[address] = lambda answer, said=said: (said.append(json.loads(answer[2])), answer)[1]  # type: ignore[misc]
            here.open()
            for path in each_field(said[0]):
                mark = plants.next()

                def spoilt(answer: Answer, path: Way = path, mark: str = mark) -> Answer:
                    return answer[0], answer[1], json.dumps(with_plant(json.loads(answer[2]), path, mark, how))

                here.ehr.changed[address] = spoilt
                page = here.browser.go(here.launch_address(), stops_at=mark)
                if path != ("patient",):  # whose course it is stands on the page
                    plants.look(f"{address} {path}, page", page.text, str(page.headers))
                plants.look_at_logs(f"{address} {path}, log")
                plants.look(f"{address} {path}, metrics", here.metrics())
            del here.ehr.changed[address]
        here.ehr.refused.clear()


def test_of_what_a_browser_brings_to_a_launch(plants: Plants, tmp_path: Path) -> None:
    addresses = (
        "launch?iss={mark}", "launch?iss={iss}{mark}", "launch?iss={iss}&launch={mark}", "launch?iss={iss}&{mark}=1",
        "launch?iss={iss}&appContext={mark}", "callback?code={mark}", "callback?state={mark}&code=x",
        "callback?state={state}&code={mark}", "callback?state={state}&error={mark}&error_description={mark}",
        "callback?state={state}&code=x&iss={mark}", "course?session={mark}", "course?{mark}=1", "{mark}",
    )  # fmt: skip
    with clinic(tmp_path) as here:
        for address in addresses:
            mark = plants.next()
            begun = here.browser.go("launch", stops_at="/callback")
            state = parse_qs(urlsplit(begun.address).query)["state"][0]
            page = here.browser.go(address.format(iss=here.ehr.base, mark=mark, state=state), stops_at="/authorize")
            plants.look(f"{address}, page", page.text, str(page.headers))
            plants.look_at_logs(f"{address}, log")
            plants.look(f"{address}, metrics", here.metrics())
        here.browser.cookies["crs-cds"] = plants.next()
        plants.look("cookie", here.browser.go("course").text)
        plants.look_at_logs("cookie, log")
        here.ehr.refused.clear()


def test_of_our_own_failures(plants: Plants) -> None:
    _, scene = scene_of(SCENE)
    body = body_for(scene.patient_id, "patient-view", None, prefetch=whole_prefetch(chart_of(SCENE)))
    for kind in (ValueError, KeyError, RuntimeError, OSError, RecursionError):
        desk = Desk(now=moment_of(scene))
        app = desk.client.application
        app.config["PROPAGATE_EXCEPTIONS"] = False
        mark = plants.next()

        def clock(kind: type[Exception] = kind, mark: str = mark) -> Any:
            raise kind(mark)

        app.extensions["crs-cds"] = replace(app.extensions["crs-cds"], clock=clock)
        answer = desk.post(body)
        assert answer.status_code == 500
        plants.look_at(answer, desk, kind.__name__)
    for number in range(6):
        desk = Desk(now=moment_of(scene))
        store, mark = desk.client.application.extensions["crs-cds"].store, plants.next()

        def broken(_: Any, mark: str = mark, number: int = number, **_more: bool) -> Any:
            raise (
                OperationalError(f"INSERT {mark}", {"comment": mark}, OSError(mark)) if number % 2 else ValueError(mark)
            )

        store._in_transaction = broken
        plants.look_at(desk.post(body), desk, "database")
        plants.look_at(
            desk.client.post("/cds-services/crs-patient-view/feedback", json=SAID), desk, "database, feedback"
        )
    assert KEY
