"""The drills of `docs/runbook.md`, each carried out and its rows printed before and after: `make drill`.

The service is made anew where the runbook says "restart". Every drill raises if something is not as the runbook says.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

import jwt
import requests
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from cds_server.command_line.program import commands
from cds_server.operations.metrics import Metrics
from cds_server.outgoing.token_request import BackendAccess, ClientKey, TokenError, request_token
from cds_server.storage.database import SCHEMA, DecisionRow, engine_for
from cds_server.storage.schema import rows_by_table
from cds_server.storage.smart_sessions import OpenSession, SmartSessions
from cds_server.storage.store import Store
from cds_server.trust import key_sets
from tests.support.decision_log import asked, store_of
from tests.support.desk import Desk
from tests.support.postgres import INITDB, postgresql
from tests.support.tables import NOW
from tests.support.tokens import ISSUER, PUBLIC, Token, jwk

OLD, NEW = "the old key of the drill, long enough for all", "the new key of the drill, long enough for all"


@dataclass
class Drill:
    """One database to practise on, and the lines that are printed of it."""

    url: str
    folder: Path
    lines: list[str] = field(default_factory=list)

    @contextmanager
    def service(self, **environ: str) -> Iterator[Desk]:
        """The service with this database, until it is stopped."""
        desk = Desk(now=NOW, environ={"CRS_CDS_DATABASE_URL": self.url} | environ)
        try:
            yield desk
        finally:
            store_of(desk).close()

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        engine = engine_for(self.url)
        try:
            yield engine
        finally:
            engine.dispose()

    def rows(self, step: str) -> dict[str, int]:
        """The rows of the tables, which are printed with the step that they follow."""
        with self.engine() as engine:
            found = rows_by_table(engine)
        self.say(step, "  ".join(f"{name} {number}" for name, number in sorted(found.items()) if number))
        return found

    def say(self, step: str, what: str) -> None:
        self.lines.append(f"{self.url.partition(':')[0]:<11}{step:<56}{what}")


def call(desk: Desk, times: int = 1, user: str = "Practitioner/1") -> None:
    for _ in range(times):
        assert asked(desk, user=user).status_code == 200


def restore(drill: Drill) -> None:
    """A backup is made beside the running service, the database is lost, and the backup takes its place."""
    backup = drill.folder / "backup"
    with drill.service() as desk:
        call(desk, 3)
        saved = drill.rows("restore: 3 calls, then a backup")
        _back_up(drill, backup)
        call(desk, 2)
        drill.rows("restore: 2 calls more, then the database is lost")
    _lose(drill)
    _restore(drill, backup)
    assert drill.rows("restore: after the backup took its place") == saved
    with drill.service() as desk:
        call(desk)
        assert desk.client.get("/health/ready").get_json()["status"] == "ready"
    assert drill.rows("restore: 1 call with the service back")["decision"] == saved["decision"] + 1


def down_and_up(drill: Drill) -> None:
    """The tables go back by one revision, no further, and come up again with the rows that the revision before has."""
    with drill.service() as desk:
        call(desk, 2)
    before = drill.rows(f"downgrade: tables of revision {SCHEMA}")
    with patch.dict("os.environ", {"CRS_CDS_DATABASE_URL": drill.url}):
        done = CliRunner().invoke(commands, ["downgrade"])
        assert done.exit_code == 0, done.output
        after = drill.rows(f"downgrade: {done.output.splitlines()[-1].partition('.')[0]}")
        assert after.items() <= before.items(), "a table that stays keeps its rows"
        again = CliRunner().invoke(commands, ["downgrade"])
        assert again.exit_code != 0, "one revision at most"
        assert "not of revision" in again.output
        up = CliRunner().invoke(commands, ["upgrade"])
        assert up.output == f"The tables are of revision {SCHEMA}.\n"
        assert drill.rows(f"upgrade: tables of revision {SCHEMA}")["decision"] == before["decision"]
    with drill.service() as desk:
        call(desk)
    assert drill.rows("upgrade: 1 call with the version after")["decision"] == before["decision"] + 1


def pseudonym_key(drill: Drill) -> None:
    """Old rows stay as they are; the same patient has another pseudonym from now on."""
    for key in (OLD, NEW):
        with drill.service(CRS_CDS_PSEUDONYM_KEY=key) as desk:
            call(desk, 2, user=f"Practitioner/of-{key[:7]}")
        drill.rows(f"pseudonym key: 2 calls with {key[:7]}")
    with drill.engine() as engine, Session(engine) as session:
        patients = session.scalars(select(DecisionRow.patient)).all()
    drill.say("pseudonym key: pseudonyms of one patient", str(len(set(patients))))
    assert len(patients) == 4
    assert len(set(patients)) == 2


def session_key(drill: Drill) -> None:
    """A session lives on while the old key stands second, and ends with it."""
    content = OpenSession("https://fhir.example.org", "p", "token", None, None)

    def opens(*keys: str) -> bool:
        with drill.engine() as engine, closing(Store(engine, Metrics("0", "0"))) as store:
            sessions = SmartSessions(store, keys)
            if keys == (OLD,):
                assert sessions.keep("handle", "browser", content, 3600, 20)
            return sessions.find(OpenSession, "handle", "browser", 20) == content

    for keys, expected in (((OLD,), True), ((NEW, OLD), True), ((NEW,), False)):
        assert opens(*keys) is expected
        named = " before ".join(key[4:7] for key in keys)
        drill.rows(f"session key: {named}, session {'opens' if expected else 'is closed'}")


def backend_key(drill: Drill) -> None:
    """Both keys are registered for a while: the service gets a token with the old one, then with the new one."""
    keys = {kid: ec.generate_private_key(ec.SECP384R1()) for kid in ("old", "new")}
    with _authorization_server() as server, requests.Session() as session:
        session.trust_env = False
        for registered, kid, expected in ((["old"], "old", True), (["old", "new"], "old", True),
                                          (["old", "new"], "new", True), (["new"], "new", True),
                                          (["new"], "old", False)):  # fmt: skip
            server.registered = {name: keys[name].public_key() for name in registered}
            key = ClientKey(_pem(keys[kid]), "ES384", kid)
            access = BackendAccess(server.root, f"{server.root}/token", "crs-cds", key, "system/*.rs")
            try:
                got = bool(request_token(session, access).access_token)
            except TokenError:
                got = False
            assert got is expected
            drill.say(f"backend key: registered {', '.join(registered)}",
                      f"a token for the {kid} key: {'yes' if got else 'no'}")  # fmt: skip


def client_keys(drill: Drill) -> None:
    """A client publishes a new key beside the old one, then takes the old one away; the service is not touched."""
    keys = {kid: ec.generate_private_key(ec.SECP384R1()) for kid in ("old", "new")}
    with _authorization_server() as server:
        clients = drill.folder / "clients.toml"
        clients.write_text(f'[[client]]\nissuer = "{ISSUER}"\njwks_url = "{server.root}/jwks"\n'
                           'fhir_servers = ["https://fhir.example.org/r4"]\n', encoding="utf-8")  # fmt: skip
        environ = {"CRS_CDS_CLIENTS": str(clients), "CRS_CDS_PUBLIC_URL": PUBLIC,
                   "CRS_CDS_FHIR_SERVERS": "https://fhir.example.org/r4"}  # fmt: skip
        # a minute and an hour of waiting, shortened
        with (
            patch.object(key_sets, "FLOOR_SECONDS", 0.0),
            patch.object(key_sets, "KEEP_SECONDS", 0.0),
            drill.service(**environ) as desk,
        ):
            for published, kid, expected in ((["old"], "old", 200), (["old", "new"], "new", 200),
                                             (["old", "new"], "old", 200), (["new"], "new", 200),
                                             (["new"], "old", 401)):  # fmt: skip
                server.published = [jwk(keys[name], name) for name in published]
                status = _answered(desk, keys[kid], kid)
                ends = time.monotonic() + 20
                while (
                    status != expected and time.monotonic() < ends
                ):  # a set of known keys is fetched in the background
                    time.sleep(0.05)
                    status = _answered(desk, keys[kid], kid)
                assert status == expected, (published, kid, status)
                drill.say(f"client's keys: published {', '.join(published)}", f"a call with the {kid} key: {status}")
    drill.rows("client's keys: ids of used tokens")


DRILLS: tuple[Callable[[Drill], None], ...] = (
    restore, down_and_up, pseudonym_key, session_key, backend_key, client_keys,
)  # fmt: skip


@contextmanager
def database(backend: str, folder: Path) -> Iterator[str]:
    """The address of an empty database."""
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'decisions.sqlite'}"
    else:
        with postgresql() as url:
            yield url


def carried_out(drill: Callable[[Drill], None], backend: str) -> list[str]:
    """The lines of one drill. Raises AssertionError if something is not as the runbook says."""
    with tempfile.TemporaryDirectory(prefix="crs-cds-drill-") as folder, database(backend, Path(folder)) as url:
        practice = Drill(url, Path(folder))
        drill(practice)
        return practice.lines


def _answered(desk: Desk, key: Any, kid: str) -> int:
    """The status of discovery for a client with this key."""
    token = Token(key, kid=kid, claims={"aud": f"{PUBLIC}/cds-services"}).text()
    return desk.client.get("/cds-services", headers={"Authorization": f"Bearer {token}"}).status_code


def _file(drill: Drill) -> Path:
    return Path(drill.url.removeprefix("sqlite:///"))


def _back_up(drill: Drill, backup: Path) -> None:
    if drill.url.startswith("sqlite"):
        with closing(sqlite3.connect(_file(drill))) as live, closing(sqlite3.connect(backup)) as copy:
            live.backup(copy)
    else:
        _postgres("pg_dump", "--file", str(backup), "--dbname", drill.url)


def _lose(drill: Drill) -> None:
    if drill.url.startswith("sqlite"):
        for file in _file(drill).parent.glob(f"{_file(drill).name}*"):
            file.unlink()
    else:
        with drill.engine() as engine, engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))


def _restore(drill: Drill, backup: Path) -> None:
    if drill.url.startswith("sqlite"):
        backup.rename(_file(drill))
    else:
        _postgres("psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(backup), "--dbname", drill.url)


def _postgres(program: str, *words: str) -> None:
    assert INITDB is not None
    subprocess.run([str(Path(INITDB).parent / program), *words], check=True, capture_output=True)  # noqa: S603


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    found: str = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return found


class _Server(ThreadingHTTPServer):
    """An EHR: the public keys registered there by their id, and the key set that it publishes."""

    daemon_threads = True
    block_on_close = False  # a connection that nobody uses any more is not waited for
    registered: dict[str, Any]
    published: list[dict[str, Any]]

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._say(200, {"keys": self.server.published})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (assertion,) = form["client_assertion"]
        key = self.server.registered.get(jwt.get_unverified_header(assertion)["kid"])
        if key is None:
            self._say(400, {"error": "invalid_client"})
            return
        jwt.decode(assertion, key, algorithms=["ES384"], audience=f"{self.server.root}/token")
        self._say(200, {"access_token": "a-token", "token_type": "Bearer", "expires_in": 300})

    def _say(self, status: int, what: dict[str, Any]) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _authorization_server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.registered, server.published = {}, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    began = time.monotonic()
    for backend in ("sqlite", "postgresql"):
        for drill in DRILLS:
            print("\n".join(carried_out(drill, backend)), flush=True)
    print(f"{2 * len(DRILLS)} drills passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
