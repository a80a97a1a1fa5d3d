"""A proxy before a FHIR server, on loopback, with one awkward habit for each base: `http://127.0.0.1:…/{habit}`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.support.fhir_wire import outcome

LONGEST = 2000
EMPTY = '{"resourceType": "Bundle", "type": "searchset", "total": 0}'


@dataclass(frozen=True)
class Asked:
    """A request below the base: its method, address and form."""

    method: str
    address: str
    form: bytes = b""

    @property
    def params(self) -> list[tuple[str, str]]:
        return parse_qsl(self.form.decode() or urlsplit(self.address).query)


@dataclass(frozen=True)
class Said:
    status: int
    body: bytes


Habit = Callable[[Asked], Asked | Said | None]
"""The request that goes on, an answer of the proxy's own, or None for a connection that is closed."""


def _refusal(status: int) -> Said:
    return Said(status, outcome(status, "no")[2].encode())


def rejects_long_addresses(asked: Asked) -> Asked | Said:
    return _refusal(414) if len(asked.address) > LONGEST else asked


def wants_the_reference(asked: Asked) -> Asked | Said:
    patient = dict(asked.params).get("patient")
    return Said(200, EMPTY.encode()) if patient is not None and not patient.startswith("Patient/") else asked


def tidies_slashes(asked: Asked) -> Asked:
    address = asked.address
    while "//" in address:
        address = address.replace("//", "/")
    return replace(asked, address=address)


def refuses_post(asked: Asked) -> Asked | Said:
    return _refusal(405) if asked.method == "POST" else asked


def drops_post(asked: Asked) -> Asked | None:
    return None if asked.method == "POST" else asked


def loses_the_body(asked: Asked) -> Asked:
    return replace(asked, form=b"")


def pages_of(size: int, asked: Asked) -> Asked:
    """Ask for at most so many results to a page."""
    params = [(name, str(min(int(value), size)) if name == "_count" else value) for name, value in asked.params]
    if asked.form:
        return replace(asked, form=urlencode(params).encode())
    return replace(asked, address=f"{urlsplit(asked.address).path}?{urlencode(params)}") if params else asked


HABITS: Mapping[str, Habit] = {
    "rejects-long-addresses": rejects_long_addresses,
    "wants-the-reference": wants_the_reference,
    "tidies-slashes": tidies_slashes,
    "refuses-post": refuses_post,
    "drops-post": drops_post,
    "loses-the-body": loses_the_body,
    **{f"pages-of-{size}": partial(pages_of, size) for size in (10, 50, 1000)},
}


@dataclass
class AwkwardProxy:
    """The proxy, up; `asked` is what came, by habit."""

    root: str
    fhir: str
    asked: dict[str, list[Asked]] = field(default_factory=lambda: {habit: [] for habit in HABITS})

    def base(self, habit: str) -> str:
        return f"{self.root}/{habit}"

    def answer(self, method: str, path: str, form: bytes, headers: Mapping[str, str]) -> Said | None:
        habit, slash, below = path.removeprefix("/").partition("/")
        found = Asked(method, f"{slash}{below}", form)
        self.asked[habit].append(found)
        goes_on = HABITS[habit](found)
        if not isinstance(goes_on, Asked):
            return goes_on
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                goes_on.method, f"{self.fhir}{goes_on.address}", data=goes_on.form, headers=dict(headers), timeout=60
            )
        return Said(answer.status_code, answer.content.replace(self.fhir.encode(), self.base(habit).encode()))


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        names = ("Accept", "Content-Type", "Cache-Control")
        headers = {name: self.headers[name] for name in names if name in self.headers}
        said = self.server.proxy.answer(self.command, self.path, form, headers)
        if said is None:
            self.close_connection = True
            return
        self.send_response(said.status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_POST = _answer  # noqa: N815 - the names that the library asks for

    def log_message(self, *_: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: AwkwardProxy


@contextmanager
def awkward_proxy(fhir: str) -> Iterator[AwkwardProxy]:
    """The proxy before a FHIR server."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.proxy = AwkwardProxy(f"http://127.0.0.1:{server.server_address[1]}", fhir)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()
