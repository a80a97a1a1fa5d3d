"""SMART launches under way and sessions: encrypted rows of the database that every worker reads, deleted when their
token ends.

A row is found by its handle, which stands in an address, together with the browser's cookie: neither is enough alone.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cds_server.storage.database import SmartRow
from cds_server.storage.fernet_keys import fernet_for
from cds_server.storage.store import Store


@dataclass(frozen=True)
class PendingLaunch:
    """A browser that was sent to an EHR: the address that its code goes to, and the proof that the code is ours. The
    answer may name `issuer`, or must."""

    fhir_base: str
    token_url: str
    issuer: str | None
    must_name_it: bool
    verifier: str
    app_context: str | None


@dataclass(frozen=True)
class OpenSession:
    """The session of one patient of one FHIR server, which lives as long as its token. `app_context` may name a
    decision."""

    fhir_base: str
    patient: str
    token: str
    scope: str | None
    app_context: str | None


T = TypeVar("T", PendingLaunch, OpenSession)
MOST_ROWS = 20_000  # some 20 MB: anyone may begin launches, and the decision log shares the disk


def new_secret() -> str:
    """A handle, a state, a PKCE verifier or the value of a cookie: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


class SmartSessions:
    """The launches and sessions in the database. `keys` are secrets, the present one first. The caller bounds the waits
    for the database.

    Every method raises StoreUnavailableError if the database does not answer in that time.
    """

    def __init__(
        self, store: Store, keys: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._fernet = fernet_for(b"crs-cds smart sessions", keys)
        self._now = now

    def keep(self, handle: str, browser: str, content: T, seconds: float, wait: float, most: int | None = None) -> bool:
        """Store content for so many seconds, and delete what has ended. False if there are `most` rows already."""
        id_, now = _id(type(content), handle), self._now()
        # the id of the row is encrypted with the content, so neither patient nor token can be read or exchanged in the
        # database
        sealed = self._fernet.encrypt(msgspec.json.encode([id_, content])).decode()
        row = SmartRow(id=id_, browser=_hash(browser), sealed=sealed, expires=now + timedelta(seconds=seconds))

        def work(session: Session) -> bool:
            session.execute(delete(SmartRow).where(SmartRow.expires <= now))
            if most is not None and (session.scalar(select(func.count()).select_from(SmartRow)) or 0) >= most:
                return False
            session.add(row)
            return True

        return self._store.run(work, wait)

    def find(self, kind: type[T], handle: str, browser: str, wait: float) -> T | None:
        """The content that a browser has under a handle; None if there is none, or it has ended."""
        id_, now = _id(kind, handle), self._now()

        def work(session: Session) -> str | None:
            row = session.scalar(select(SmartRow).where(SmartRow.id == id_, SmartRow.browser == _hash(browser)))
            if row is not None and row.expires <= now:
                session.execute(delete(SmartRow).where(SmartRow.expires <= now))
                return None
            return row.sealed if row is not None else None

        return self._opened(kind, id_, self._store.run(work, wait))

    def take(self, kind: type[T], handle: str, browser: str, wait: float) -> T | None:
        """The content under a handle, which this deletes: if two ask at once, one of them gets it."""
        id_, now = _id(kind, handle), self._now()

        def work(session: Session) -> str | None:
            ours = delete(SmartRow).where(
                SmartRow.id == id_, SmartRow.browser == _hash(browser), SmartRow.expires > now
            )
            return session.scalar(ours.returning(SmartRow.sealed))

        return self._opened(kind, id_, self._store.run(work, wait))

    def _opened(self, kind: type[T], id_: str, sealed: str | None) -> T | None:
        """The content of a row; None if no key of ours opens it, or it was sealed for another row."""
        if sealed is None:
            return None
        try:
            of, content = msgspec.json.decode(self._fernet.decrypt(sealed), type=tuple[str, msgspec.Raw])
            return msgspec.json.decode(content, type=kind) if of == id_ else None
        except (InvalidToken, msgspec.MsgspecError):
            return None


def _id(kind: type[T], handle: str) -> str:
    return _hash(f"{kind.__name__}\x1f{handle}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
