"""What `crs-cds seed` writes and takes away, and what it refuses or says when a FHIR server does not answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import responses
from click.testing import CliRunner, Result
from requests import PreparedRequest

from example_patients.programs import seed as seeding
from example_patients.programs.commands import seed
from example_patients.stories.stories import PREFIX
from tests.support.fhir_shelf import FhirShelf
from tests.support.fhir_wire import BASE, Answer, FhirWire, outcome
from tests.support.tables import name_of, rows

NOW = datetime(2026, 11, 22, 12, 30, 25, tzinfo=UTC)
SECRET = "eyJ-the-token-of-the-site"
ZONES = {"UTC": UTC, "Asia/Shanghai": ZoneInfo("Asia/Shanghai")}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def run(*args: str, **environ: str) -> Result:
    return CliRunner().invoke(seed, args, env={"CRS_CDS_TIMEZONE": None, **environ})


SECOND_SEEDINGS = rows("""
    | minutes | zone          | on the server       | moved | written | because                                           |
    | ------- | ------------- | ------------------- | ----- | ------- | ------------------------------------------------- |
    | 0       | UTC           | the same            | no    | 0       | nothing changed                                   |
    | 60      | UTC           | the same            | no    | 0       | for an hour what is left is enough to work with   |
    | 61      | UTC           | the same            | yes   | many    | then the calls are moved to now                   |
    | -5      | UTC           | the same            | yes   | many    | they were moved to a moment that is still to come |
    | 5       | Asia/Shanghai | the same            | no    | many    | day 0 lies on another date there                  |
    | 5       | UTC           | in small pages      | no    | 0       | each page is read                                 |
    | 5       | UTC           | in relative pages   | no    | 0       | the address of a page may be relative             |
    | 5       | UTC           | with meta and text  | no    | 0       | a server writes those by itself                   |
    | 5       | UTC           | one value changed   | no    | 1       | someone tried something                           |
    | 5       | UTC           | one thing added     | no    | 1       | someone noted the patient's death                 |
    | 5       | UTC           | one resource gone   | no    | 1       | someone deleted a dose                            |
    | 5       | UTC           | the first gone      | yes   | many    | the moment of the calls cannot be told            |
    """)


@pytest.mark.parametrize("row", SECOND_SEEDINGS, ids=name_of)
def test_a_second_seeding_writes_what_is_not_as_it_should_be(row: dict[str, str], wire: responses.RequestsMock) -> None:
    server = FhirShelf([], page=20 if row["on the server"].endswith("pages") else 500)
    server.on(wire)
    at, later = NOW.replace(second=0), NOW.replace(second=0) + timedelta(minutes=int(row["minutes"]))
    with requests.Session() as session:
        first = seeding.seed(BASE, session, NOW, UTC)
        assert (first.moved_to, first.written, first.total) == (at, len(server.resources), len(server.resources))
        _change(server, row["on the server"])
        if row["on the server"] == "in relative pages":
            server.fault = lambda url: _with_relative_links(server.answer(url))
        second = seeding.seed(BASE, session, later, ZONES[row["zone"]])
    assert second.moved_to == (later if row["moved"] == "yes" else at)
    assert str(second.written) == row["written"] if row["written"] != "many" else second.written > 600
    here = {r["id"]: seeding.content_of(r) for r in server.resources}
    assert here == {r["id"]: r for r in seeding.examples(second.moved_to, ZONES[row["zone"]]).values()}


def _with_relative_links(answer: Answer) -> Answer:
    status, headers, body = answer
    return status, headers, body.replace(f'"{BASE}?', '"/r4?')


def _change(server: FhirShelf, how: str) -> None:
    by_id = {r["id"]: r for r in server.resources}
    match how:
        case "with meta and text":
            for resource in server.resources:
                resource |= {"meta": {"versionId": "7"}, "text": {"status": "generated", "div": "<div/>"}}
        case "one value changed":
            by_id[f"{PREFIX}-3-0"]["valueQuantity"]["value"] = 75
        case "one thing added":
            by_id[f"{PREFIX}-3"]["deceasedBoolean"] = True
        case "one resource gone":
            server.resources.remove(by_id[f"{PREFIX}-2-9"])
        case "the first gone":
            server.resources = [r for r in server.resources if not r["id"].startswith(f"{PREFIX}-1a")]


def test_the_examples_have_the_same_ids_at_every_moment_under_one_prefix() -> None:
    moments = [NOW + timedelta(days=29 * n, hours=5 * n) for n in range(25)]
    ids = {tuple(seeding.examples(moment, zone)) for moment in moments for zone in ZONES.values()}
    assert len(ids) == 1
    assert all(re.fullmatch(rf"[A-Za-z]+/{PREFIX}-[A-Za-z0-9-]{{1,40}}", reference) for reference in next(iter(ids)))


def test_removing_deletes_what_refers_before_what_is_referred_to_and_nothing_else(wire: responses.RequestsMock) -> None:
    other = {"resourceType": "Patient", "id": f"{PREFIX}-of-someone-else"}
    server = FhirShelf([other])
    server.on(wire)
    with requests.Session() as session:
        done = seeding.seed(BASE, session, NOW, UTC)
        assert seeding.remove(BASE, session) == done.total
        assert server.resources == [other]
        assert seeding.remove(BASE, session) == 0


class Small(FhirShelf):
    """A server that takes transactions of so many resources."""

    most = 100
    sizes: list[int]

    def _transaction(self, request: PreparedRequest) -> Answer:
        size = len(json.loads(request.body or "")["entry"])
        self.sizes.append(size)
        return super()._transaction(request) if size <= self.most else outcome(413, "too many")


@pytest.mark.parametrize(
    ("options", "most", "sizes"),
    [((), 1000, {"all"}), ((), 100, {"all", "half", "small"}), (("--batch", "90"), 100, {"small"})],
)
def test_transactions_are_as_large_as_the_server_takes(
    options: tuple[str, ...], most: int, sizes: set[str], wire: responses.RequestsMock
) -> None:
    server = Small([])
    server.most, server.sizes = most, []
    server.on(wire)
    assert run(BASE, *options).exit_code == 0
    total = len(seeding.examples(NOW, UTC))
    assert len(server.resources) == total
    assert {"all" if n == total else "small" if n <= 100 else "half" for n in server.sizes} == sizes


def test_a_batch_that_is_refused_is_not_made_smaller(wire: responses.RequestsMock) -> None:
    server = Small([])
    server.most, server.sizes = 50, []
    server.on(wire)
    assert run(BASE, "--batch", "90").exit_code == 2
    assert server.sizes == [90]


def test_the_token_goes_with_each_request_to_the_fhir_server_and_is_never_shown(wire: responses.RequestsMock) -> None:
    server = FhirShelf([])
    server.on(wire)
    said = run(BASE, "--token-env", "SITE_TOKEN", SITE_TOKEN=SECRET)
    assert said.exit_code == 0
    assert {headers.get("Authorization") for headers in server.headers} == {f"Bearer {SECRET}"}
    assert SECRET not in said.output


def test_a_redirect_is_not_followed_with_the_token(wire: responses.RequestsMock) -> None:
    wire.add(responses.GET, re.compile(".*"), status=302, headers={"Location": "https://elsewhere.example/"})
    said = run(BASE, "--token-env", "SITE_TOKEN", SITE_TOKEN=SECRET)
    assert (said.exit_code, len(wire.calls)) == (2, 1)
    assert "the server answers 302" in said.stderr


def test_a_token_typed_in_place_of_its_variable_is_not_shown() -> None:
    said = run(BASE, "--token-env", SECRET)
    assert said.exit_code == 2
    assert SECRET not in said.output
    assert "--token-env must name an environment variable that holds a token" in said.stderr


BAD_INPUT = rows("""
    | arguments                          | says                                                  | because                   |
    | ---------------------------------- | ----------------------------------------------------- | ------------------------- |
    | fhir.example.org                   | FHIR_BASE must be an address                          | no scheme                 |
    | file:///etc/passwd                 | FHIR_BASE must be an address                          | another scheme            |
    | https://                           | FHIR_BASE must be an address                          | no host                   |
    | https://me:secret@fhir.example.org | FHIR_BASE must be an address                          | a password in the address |
    | https://fhir.example.org/r4?x=1    | FHIR_BASE must be an address                          | a query                   |
    | https://fhir.example.org:x/r4      | FHIR_BASE must be an address                          | no port                   |
    | https://a --timezone Mars          | --timezone (or CRS_CDS_TIMEZONE) must be an IANA name | no zone                   |
    | https://a --token-env NOT_SET      | --token-env must name an environment variable         | the variable is not set   |
    | https://a --token-env SPACED       | --token-env must name an environment variable         | a token has no spaces     |
    """)


@pytest.mark.parametrize("row", BAD_INPUT, ids=name_of)
def test_bad_input_is_exit_code_2_and_sends_nothing(row: dict[str, str], wire: responses.RequestsMock) -> None:
    said = run(*row["arguments"].split(), SPACED="a b")
    assert (said.exit_code, said.stdout, len(wire.calls)) == (2, "", 0)
    assert row["says"] in said.stderr
    assert "secret" not in said.stderr


HTML = (200, {"Content-Type": "text/html"}, "<html>a page to sign in</html>")
LOOPING = json.dumps({"resourceType": "Bundle", "link": [{"relation": "next", "url": f"{BASE}/Patient?again"}]})
ELSEWHERE = json.dumps(
    {"resourceType": "Bundle", "link": [{"relation": "next", "url": "https://elsewhere.example/r4/Patient"}]}
)
FHIR_FAULTS: tuple[tuple[str, Answer, str], ...] = (
    ("a token is wanted", outcome(401, "who are you"), "looking for the examples (Patient): the server answers 401 (who are you)"),
    ("an error with control signs", outcome(500, "a\x1b[2Jb\nc"), "the server answers 500 (a [2Jb c)"),
    ("an address that is no FHIR server", (404, {}, "not found"), "the server answers 404"),
    ("a page to sign in", HTML, "is not the JSON that it should be"),
    ("a list", (200, {}, "[]"), "is not the JSON that it should be"),
    ("entries that are none", (200, {}, '{"entry": [{"resource": 3}]}'), "is not a FHIR searchset"),
    ("pages that do not end", (200, {}, LOOPING), "or the pages do not end"),
    ("a next page elsewhere", (200, {}, ELSEWHERE), "the next page is not on the same FHIR server"),
)  # fmt: skip


@pytest.mark.parametrize("command", ["seed", "remove"])
@pytest.mark.parametrize(("name", "fault", "says"), FHIR_FAULTS, ids=[fault[0] for fault in FHIR_FAULTS])
def test_a_fhir_server_that_cannot_be_read_is_named_with_the_step(
    name: str, fault: Answer, says: str, command: str, wire: responses.RequestsMock
) -> None:
    server = FhirShelf([])
    server.on(wire)
    server.fault = lambda _: fault
    said = run(BASE, *(["--remove"] if command == "remove" else []))
    assert (said.exit_code, said.stdout) == (2, "")
    assert says in said.stderr
    assert {call.request.method for call in wire.calls} == {"GET"}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"status": 400, "json": {"issue": [{"details": {"text": "too many"}}]}}, "the server answers 400 (too many)"),
        ({"status": 200, "json": {"resourceType": "Bundle", "type": "batch-response"}}, "did not take a transaction"),
        ({"body": requests.ReadTimeout()}, "https://fhir.example.org/r4: no answer within 60 s"),
    ],
)  # fmt: skip
def test_a_transaction_that_is_not_taken(answer: dict[str, Any], says: str, wire: responses.RequestsMock) -> None:
    FhirWire([]).on(wire)
    wire.post(BASE, **answer)
    said = run(BASE)
    assert said.exit_code == 2
    assert said.stderr.startswith("Error: writing the examples: ")
    assert says in said.stderr
