"""Calls made from the API description (schemathesis): the service that they are sent to, and what is asked of answers.

`make fuzz` runs this module: other calls each time, for as long as is said. A call that finds a fault is kept in
`tests/journeys/operations/found_calls/`, one file each, and `make test` sends it again in every run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import responses
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from order_desk.routes import desk as order_desk
from tests.support.api_description import FILE
from tests.support.desk import Desk
from tests.support.fhir_wire import BASE

load_all_checks()
Operation = tuple[str, str, GenerationMode]
FOUND = Path(__file__).parents[1] / "journeys" / "operations" / "found_calls"
DESCRIPTION: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
OPERATIONS: list[Operation] = [
    (method, path, mode)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
    for mode in GenerationMode
    # nothing can be wrong with a call that has neither a body nor a parameter
    if mode is GenerationMode.POSITIVE or "requestBody" in operation or "parameters" in operation
]
ANY_ADDRESS = re.compile(".*")
DEMO_FHIR = "http://127.0.0.1:9/fhir"
# a body that the description allows may still be refused: an address that is not allowed, a record that is not there
WITHOUT = [not_a_server_error, positive_data_acceptance]


@contextmanager
def service(folder: Path) -> Iterator[schemathesis.BaseSchema]:
    """The description with a service of every address behind it. Clients are off; no other server answers."""
    registered = f'[[server]]\nfhir_base = "{BASE}"\nclient_id = "crs-cds-app"\nauthentication = "public"\n'
    (folder / "smart.toml").write_text(registered, encoding="utf-8")
    desk = Desk(environ={
        "CRS_CDS_FHIR_SERVERS": f"{BASE},{DEMO_FHIR}", "CRS_CDS_DEMO_FHIR": DEMO_FHIR,
        "CRS_CDS_SMART": str(folder / "smart.toml"), "CRS_CDS_SESSION_KEY": "s" * 40,
    })  # fmt: skip
    app = desk.client.application
    app.register_blueprint(order_desk)
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(DESCRIPTION), object_hook=_without_security))
    schema.app = app
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method in (responses.GET, responses.POST, responses.PUT):
            wire.add(method, ANY_ADDRESS, body=requests.ConnectionError("no other server answers"))
        yield schema


def _without_security(part: dict[str, Any]) -> dict[str, Any]:
    """Development with clients off asks no one for a token."""
    return {name: value for name, value in part.items() if name != "security"}


def try_out(schema: schemathesis.BaseSchema, operation: Operation, bounds: settings) -> Counter[int]:
    """Send calls of an operation and check the answers; return their statuses. Raises FaultError for the simplest call
    that has the first fault."""
    method, path, mode = operation
    statuses: Counter[int] = Counter()

    @settings(bounds, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def each(case: Case) -> None:
        statuses[_checked(case)] += 1

    each() if bounds.derandomize else seed(random.getrandbits(64))(each)()
    return statuses


class FaultError(AssertionError):
    """An answer that is a 500, or not one that the description allows, with the request as it was sent."""

    def __init__(self, request: requests.PreparedRequest, why: str) -> None:
        super().__init__(why)
        self.request, self.why = request, why


def _checked(case: Case) -> int:
    """Send a call and return the status of the answer. Raises FaultError."""
    response = case.call()
    try:
        assert response.status_code != 500, "the service failed"
        if response.status_code == 400 and case.path.startswith("/cds-services"):
            assert all(issue["diagnostics"] for issue in response.json()["issue"])
        # an entry of feedback that is not as described refuses itself alone, or is taken where its meaning is plain
        lenient = [negative_data_rejection] if case.path.endswith("/feedback") else []
        case.validate_response(response, excluded_checks=[*WITHOUT, *lenient])
    except (AssertionError, schemathesis.errors.SchemathesisError, FailureGroup) as error:
        raise FaultError(response.request, f"{case.as_curl_command()}\n{error}") from error
    return response.status_code


@dataclass(frozen=True)
class KeptCall:
    """A call that found a fault, as it was sent; `body` in base64, because it need not be text."""

    why: str
    method: str
    path: str
    content_type: str | None
    body: str

    @property
    def name(self) -> str:
        return hashlib.sha256(json.dumps(vars(self)).encode()).hexdigest()[:12]


def kept_calls() -> list[KeptCall]:
    return [KeptCall(**json.loads(file.read_text(encoding="utf-8"))) for file in sorted(FOUND.glob("*.json"))]


def keep(fault: FaultError) -> Path:
    """Write the call of a fault to the folder of those that are sent again."""
    request = fault.request
    body = request.body or b""
    call = KeptCall(
        re.sub(r"\s+", " ", fault.why.partition("\n")[2])[:200].strip(),
        request.method or "GET",
        request.path_url,
        request.headers.get("Content-Type"),
        base64.b64encode(body.encode() if isinstance(body, str) else body).decode(),
    )
    FOUND.mkdir(exist_ok=True)
    file = FOUND / f"{call.name}.json"
    file.write_text(json.dumps(vars(call), indent=1) + "\n", encoding="utf-8")
    return file


def send_again(call: KeptCall, schema: schemathesis.BaseSchema) -> int:
    """The status of the answer to a kept call."""
    answer = schema.app.test_client().open(
        call.path, method=call.method, data=base64.b64decode(call.body), content_type=call.content_type
    )
    return int(answer.status_code)


def main(minutes: float) -> int:
    """Try every operation in turn until the time is over; return how many faults were found."""
    ends, faults, sent = time.monotonic() + minutes * 60, 0, Counter[str]()
    bounds = settings(max_examples=100, database=None)
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as schema:
        while time.monotonic() < ends:
            for operation in random.sample(OPERATIONS, len(OPERATIONS)):
                if time.monotonic() >= ends:
                    break
                try:
                    for status, number in try_out(schema, operation, bounds).items():
                        sent[f"{operation[0].upper()} {operation[1]} {status}"] += number
                except FaultError as fault:
                    faults += 1
                    print(f"{fault.why}\nkept as {keep(fault)}\n")
    for line, number in sorted(sent.items()):
        print(f"{number:7} {line}")
    print(f"{sent.total()} calls, {faults} faults")
    return faults


if __name__ == "__main__":
    sys.exit(min(1, main(float(sys.argv[1]))))
