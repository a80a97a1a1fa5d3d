"""Calls that are made to cost much: `python -m benchmarks.attacks [ATTACK …]` prints a table.

Each attack is sent to a worker of its own, with the default settings, over real sockets: once, and then four times at
once. The memory of the worker is looked at all the while, and 30 s after the last answer. The same machine makes the
attack, so that wall times hold only where nothing else uses it.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from benchmarks.patients import AS_OF, FIRST_COPY, SCENE, call_body
from benchmarks.tables import table
from example_patients.programs.demo import HOST, free_port, server
from example_patients.stories.stories import hook_body

MIB = 1024 * 1024
BODY = 19 * MIB  # of a call; the service takes 20 MiB
ANSWER = 60 * MIB  # of a FHIR server, unpacked; the service takes 64 MiB
AT_ONCE = 4
LATER_SECONDS = 30.0
LOOK_SECONDS = 0.02
PATIENT = FIRST_COPY.decode()
AT = AS_OF.isoformat()


def filled(part: Callable[[int], bytes], size: int) -> bytes:
    """As many parts, separated by commas, as fit into a size."""
    found: list[bytes] = []
    length = number = 0
    while length < size:
        found.append(part(number))
        length += len(found[-1]) + 1
        number += 1
    return b",".join(found)


def call(hook: str = "patient-view", **more: object) -> bytes:
    """A call as JSON. `HERE`, as a whole string in it, is where an attack is put."""
    return json.dumps(hook_body(SCENE, AS_OF, hook, **more)).encode()


def within(body: bytes, content: bytes) -> bytes:
    return body.replace(b'"HERE"', content)


def bundle(entries: bytes) -> bytes:
    return b'{"resourceType":"Bundle","type":"searchset","entry":[' + entries + b"]}"


def observation(number: int, **more: object) -> bytes:
    """A temperature of the patient."""
    found = {
        "resourceType": "Observation", "id": f"o{number}", "status": "final", "effectiveDateTime": AT,
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "valueQuantity": {"value": 38.0 + number % 20 / 10, "system": "http://unitsofmeasure.org", "code": "Cel"},
    }  # fmt: skip
    return b'{"resource":' + json.dumps({**found, **more}, separators=(",", ":")).encode() + b"}"


def of_one_id(number: int) -> bytes:
    return observation(number, id="one")


def resource(kind: str, number: int, **fields: object) -> bytes:
    found = {"resourceType": kind, "id": f"r{number}", "subject": {"reference": f"Patient/{PATIENT}"}, **fields}
    return b'{"resource":' + json.dumps(found, separators=(",", ":")).encode() + b"}"


def given(number: int) -> bytes:
    """An administration whose drug stands in words."""
    drug = {"text": f"tocilizumab {number} mg infusion, given by bag {number}"}
    return resource("MedicationAdministration", number, status="completed", effectiveDateTime=AT,
                    medicationCodeableConcept=drug)  # fmt: skip


def cultured(number: int) -> bytes:
    return observation(
        number, code={"coding": [{"system": "http://loinc.org", "code": "600-7"}]}, valueQuantity=None,
        valueString="No growth " + "- . " * 60,
    )  # fmt: skip


def in_prefetch(key: str, entry: Callable[[int], bytes]) -> bytes:
    """A call by complete prefetch of a patient with a course, with one of its keys filled with these entries."""
    body = json.loads(call_body(200))
    body["prefetch"][key] = "HERE"
    return within(json.dumps(body).encode(), bundle(filled(entry, BODY)))


def nothing(part: bytes, size: int) -> bytes:
    return b"[" + filled(lambda _: part, size) + b"]"


@dataclass(frozen=True)
class Attack:
    """The body of a call; `answer` is what the FHIR server says to every search, packed."""

    name: str
    body: Callable[[], bytes]
    answer: Callable[[], bytes] | None = None
    hook: str = "patient-view"


@cache
def packed(kind: str) -> bytes:
    """An answer of 60 MiB unpacked, and some 60 kB packed."""
    padded = {
        "one long text": b'"' + b"x" * ANSWER + b'"',
        "lists": nothing(b"[]", ANSWER),
        "objects": nothing(b"{}", ANSWER),
    }
    entries = {"Observations": observation, "one id": of_one_id}
    if kind in padded:
        whole = b'{"resourceType":"Bundle","type":"searchset","extension":' + padded[kind] + b',"entry":[]}'
    else:
        whole = bundle(filled(entries[kind], ANSWER))
    return gzip.compress(whole)


def by_search(kind: str) -> Attack:
    return Attack(f"answers of 60 MiB, packed: {kind}", lambda: call(fhirServer="BASE"), lambda: packed(kind))


ATTACKS = (
    by_search("one long text"), by_search("lists"), by_search("objects"), by_search("Observations"),
    by_search("one id"),
    Attack("`[],[]` in extension", lambda: within(call(extension="HERE", prefetch={}), nothing(b"[]", BODY))),
    Attack("`{},{}` in a key of prefetch", lambda: within(call(prefetch={"vitals": "HERE"}), nothing(b"{}", BODY))),
    Attack("empty entries", lambda: in_prefetch("vitals", lambda _: b"{}")),
    Attack("Observations of one id", lambda: in_prefetch("vitals", of_one_id)),
    Attack("the same Observation", lambda: in_prefetch("vitals", lambda _: observation(0))),
    Attack("temperatures", lambda: in_prefetch("vitals", observation)),
    Attack("temperatures that are not valid", lambda: in_prefetch("vitals", lambda n: observation(n, status="no"))),
    Attack("temperatures of another patient's", lambda: in_prefetch(
        "vitals", lambda n: observation(n, subject={"reference": "Patient/other"}))),
    Attack("one Observation with many codes", lambda: within(
        call(prefetch={"vitals": {"resourceType": "Bundle", "entry": [{"resource": {
            "resourceType": "Observation", "id": "o", "status": "final", "effectiveDateTime": AT,
            "subject": {"reference": f"Patient/{PATIENT}"}, "code": {"coding": "HERE"}}}]}}),
        b"[" + filled(lambda n: b'{"code":"%d"}' % n, BODY) + b"]")),
    Attack("cultures in words", lambda: in_prefetch("microbiology", cultured)),
    Attack("administrations in words", lambda: in_prefetch("recentAdministrations", given)),
    Attack("diagnoses in words", lambda: in_prefetch("conditions", lambda n: resource(
        "Condition", n, code={"text": f"suspected pneumonia {n}, possibly resolved, no sepsis, " * 3}))),
    Attack("allergies in words", lambda: in_prefetch("allergies", lambda n: resource(
        "AllergyIntolerance", n, patient={"reference": f"Patient/{PATIENT}"},
        code={"text": f"hypersensitivity {n} to some antibody, maybe not tocilizumab, " * 3}))),
    Attack("orders in words", lambda: in_prefetch("activeMedicationOrders", lambda n: resource(
        "MedicationRequest", n, status="active", intent="order",
        medicationCodeableConcept={"text": f"tocilizumab or noradrenaline {n} as needed, " * 3}))),
    Attack("oxygen in words", lambda: in_prefetch("oxygen", lambda n: observation(
        n, code={"coding": [{"system": "http://loinc.org", "code": "3151-8"}]}, valueQuantity=None,
        valueString=f"high flow nasal cannula {n} l/min and mask, then weaned"))),
    Attack("procedures in words", lambda: in_prefetch("supportProcedures", lambda n: resource(
        "Procedure", n, status="completed", performedDateTime=AT, code={"text": f"high flow cannula {n} l/min"}))),
    Attack("a scope without end", lambda: within(
        call(fhirServer="BASE", fhirAuthorization={"access_token": "t", "token_type": "Bearer", "scope": "HERE"}),
        b'"' + b"patient/Observation.rs " * (BODY // 23) + b'"')),
    Attack("drafts in words", lambda: within(
        call("order-sign").replace(b'"context": {', b'"context": {"draftOrders": "HERE", '),
        bundle(filled(lambda n: resource("MedicationRequest", n, status="draft", intent="order",
                                         medicationCodeableConcept={"text": "tocilizumab " * 20}), BODY))),
        hook="order-sign"),
    Attack("500 heavy drafts", lambda: within(
        call("order-sign").replace(b'"context": {', b'"context": {"draftOrders": "HERE", '),
        bundle(b",".join(resource("MedicationRequest", n, status="draft", intent="order",
                                  medicationCodeableConcept={"text": "tocilizumab " * 3000}) for n in range(500)))),
        hook="order-sign"),
)  # fmt: skip


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: the service ends connections whose answers are too large."""


@contextmanager
def hostile_server(answer: bytes) -> Iterator[str]:
    """A FHIR server that says the same to every search."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    here = _Server((HOST, 0), Handler)
    thread = threading.Thread(target=here.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{here.server_port}/fhir"
    finally:
        here.shutdown()
        here.server_close()


class Watch:
    """The resident memory of a process, in MiB, looked at all the while."""

    def __init__(self, process: int) -> None:
        self._status = Path(f"/proc/{process}/status")
        self._end = threading.Event()
        self.most = self.now()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def now(self) -> float:
        lines = self._status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))

    def _look(self) -> None:
        while not self._end.wait(LOOK_SECONDS):
            self.most = max(self.most, self.now())

    def end(self) -> None:
        self._end.set()
        self._thread.join()


@dataclass(frozen=True)
class Found:
    """The cost of an attack: MiB over rest at most and 30 s later, seconds of one call and of the longest of four at
    once, and the statuses."""

    name: str
    most: float
    later: float
    alone: float
    together: float
    statuses: str


@contextmanager
def worker(base: str) -> Iterator[tuple[str, int]]:
    """The address of a service with one worker, and the worker's process."""
    with TemporaryDirectory() as folder:
        port = free_port(0)
        url = f"http://{HOST}:{port}"
        environ = {
            "CRS_CDS_ENV": "development", "CRS_CDS_PUBLIC_URL": url, "CRS_CDS_TIMEZONE": "Asia/Shanghai",
            "CRS_CDS_DATABASE_URL": f"sqlite:///{folder}/log.sqlite", "CRS_CDS_FHIR_SERVERS": base,
            "PATH": "/usr/bin:/bin", "TMPDIR": folder,
        }  # fmt: skip
        command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--bind", f"{HOST}:{port}", "wsgi:app"]
        with server(command, f"{url}/health/live", environ, Path(folder) / "log"):
            yield url, _child_of(_child_of(os.getpid()))


def _child_of(process: int) -> int:
    """The newest process that this one began."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # it ended meanwhile
            lines = status.read_text(encoding="ascii").splitlines()
            if f"PPid:\t{process}" in lines:
                found.append(int(status.parent.name))
    return max(found)


def seconds_of(url: str, body: bytes) -> tuple[float, int]:
    began = time.monotonic()
    answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=120)
    return time.monotonic() - began, answer.status_code


def cost(attack: Attack) -> Found:
    with hostile_server(attack.answer() if attack.answer else b"") as base, worker(base) as (url, process):
        to = f"{url}/cds-services/crs-{attack.hook}"
        for _ in range(3):
            seconds_of(f"{url}/cds-services/crs-patient-view", call_body(200))
        body = attack.body().replace(b'"BASE"', json.dumps(base).encode())
        watch = Watch(process)
        rest = watch.now()
        alone, status = seconds_of(to, body)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            took = list(threads.map(lambda _: seconds_of(to, body), range(AT_ONCE)))
        time.sleep(LATER_SECONDS)
        later = watch.now() - rest
        watch.end()
    statuses = sorted({status, *(status for _, status in took)})
    return Found(
        attack.name, watch.most - rest, later, alone, max(s for s, _ in took), ", ".join(str(s) for s in statuses)
    )


def page(found: Sequence[Found]) -> str:
    head = f"| attack | MiB over rest, most | after 30 s | one call, s | longest of {AT_ONCE} at once, s | status |"
    return table(
        head,
        *(
            f"| {f.name} | {f.most:.0f} | {f.later:.0f} | {f.alone:.2f} | {f.together:.2f} | {f.statuses} |"
            for f in found
        ),
    )


def main(wanted: Sequence[str]) -> None:
    found = []
    for attack in ATTACKS:
        if not wanted or any(word in attack.name for word in wanted):
            found.append(cost(attack))
            print(found[-1], file=sys.stderr, flush=True)
    print(page(found))


if __name__ == "__main__":
    main(sys.argv[1:])
