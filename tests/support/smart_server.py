"""A small EHR of the tests over real sockets: SMART configuration, authorization, tokens, and FHIR for who has one.

It checks what an authorization server must: the address to come back to, PKCE, the audience, the client's assertion, and
that a code is used once. `changed` lets a test answer something else at one address.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt

from tests.support.fhir_wire import BASE, Answer, FhirWire, as_get

CONFIGURATION = "/fhir/.well-known/smart-configuration"
Change = Callable[[Answer], Answer]


@dataclass
class Ehr:
    """`launches` are what a handle of an EHR launch stands for, "" what a user chooses standalone: patient, appContext.

    `public_key` is that of a client which signs assertions; `refused` what was wrong with requests that were; `pages` are
    HTML of the EHR's own."""

    root: str
    fhir: FhirWire
    redirect_uri: str
    client_id: str = "crs-cds-app"
    public_key: Any = None
    launches: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: dict[str, Change] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {"of-a-hook"})
    refused: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"{self.root}/fhir"

    def answer(self, method: str, address: str, body: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(address)
        path, query = urlsplit(address).path, dict(parse_qsl(urlsplit(address).query))
        if path in self.pages:
            said = 200, {"Content-Type": "text/html"}, self.pages[path]
        elif path == CONFIGURATION:
            said = self._configuration()
        elif path == "/authorize":
            said = self._authorized(query)
        elif path == "/token" and method == "POST":
            said = self._token(dict(parse_qsl(body)))
        else:
            said = self._resource(as_get(address, body), headers.get("Authorization", ""))
        return self.changed.get(path, lambda same: same)(said)

    def _configuration(self) -> Answer:
        found = {
            "issuer": self.root, "authorization_endpoint": f"{self.root}/authorize",
            "token_endpoint": f"{self.root}/token", "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "launch-standalone", "permission-v2"], "grant_types_supported": [],
        }  # fmt: skip
        return 200, {"Content-Type": "application/json"}, json.dumps(found)

    def _authorized(self, query: dict[str, str]) -> Answer:
        """Consent without asking anyone."""
        launch = query.get("launch", "")
        wrong = {
            "response_type": query["response_type"] != "code", "client_id": query["client_id"] != self.client_id,
            "redirect_uri": query["redirect_uri"] != self.redirect_uri, "launch": launch not in self.launches,
            "aud": query["aud"].rstrip("/").lower() != self.base, "state": len(query["state"]) < 32,
            "code_challenge": query["code_challenge_method"] != "S256" or len(query["code_challenge"]) != 43,
            "scope": query["scope"].split()[0] != ("launch" if launch else "launch/patient"),
        }  # fmt: skip
        if any(wrong.values()):
            return self._refuse("authorize: " + ", ".join(name for name, is_wrong in wrong.items() if is_wrong))
        self.scopes.append(query["scope"])
        code = secrets.token_urlsafe(16)
        self._codes[code] = {"challenge": query["code_challenge"], "launch": launch}
        answer = {"code": code, "state": query["state"], "iss": self.root}
        return 302, {"Location": f"{query['redirect_uri']}?{urlencode(answer)}"}, ""

    def _token(self, form: dict[str, str]) -> Answer:
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None:
            return self._refuse("token: code")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        wrong = {
            "grant_type": form.get("grant_type") != "authorization_code",
            "redirect_uri": form.get("redirect_uri") != self.redirect_uri, "client": not self._is_client(form),
            "code_verifier": base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["challenge"],
        }  # fmt: skip
        if any(wrong.values()):
            return self._refuse("token: " + ", ".join(name for name, is_wrong in wrong.items() if is_wrong))
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": self.scopes[-1]}
        return 200, {"Content-Type": "application/json"}, json.dumps({**answer, **self.launches[asked["launch"]]})

    def _is_client(self, form: dict[str, str]) -> bool:
        if self.public_key is None:
            return form.get("client_id") == self.client_id and "client_assertion" not in form
        try:
            claims = jwt.decode(
                form.get("client_assertion", ""), self.public_key, ["RS384", "ES384"], audience=f"{self.root}/token"
            )
        except jwt.PyJWTError:
            return False
        return claims["iss"] == claims["sub"] == self.client_id and claims["exp"] - claims["iat"] <= 300

    def _resource(self, address: str, authorization: str) -> Answer:
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {}, ""
        status, headers, body = self.fhir.answer(f"{BASE}{address.removeprefix('/fhir')}")
        return status, {**headers, "Content-Type": "application/fhir+json"}, body.replace(BASE, self.base)

    def _refuse(self, why: str) -> Answer:
        self.refused.append(why)
        return 400, {"Content-Type": "application/json"}, json.dumps({"error": "invalid_request"})


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        status, headers, said = self.server.ehr.answer(self.command, self.path, body, self.headers)
        with suppress(OSError):  # what is too long is not read to its end
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

    do_GET = do_POST = _answer  # noqa: N815 - the names that the library asks for

    def log_message(self, *_: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    ehr: Ehr


@contextmanager
def smart_ehr(fhir: FhirWire, redirect_uri: str) -> Iterator[Ehr]:
    """The EHR, up on loopback."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.ehr = Ehr(f"http://127.0.0.1:{server.server_address[1]}", fhir, redirect_uri)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.ehr
        finally:
            server.shutdown()
            thread.join()
