"""The public keys of each client: fetched in the background, kept, and never waited for longer than a call's time.

A key server that hangs or answers nonsense costs its own client's calls at most the time left, and other clients
nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import requests

from cds_server.outgoing.bounded_http import fetch
from cds_server.trust.clients import Client
from cds_server.trust.jwk_set import Key, Keys, KeysUnavailableError, keys_in

FLOOR_SECONDS = 60.0  # an unknown `kid` fetches the set again at most this often
RETRY_SECONDS = 5.0  # until a first set was fetched
KEEP_SECONDS = 3600.0  # keys rotate: a set is fetched anew after an hour
STALE_SECONDS = 24 * 3600.0  # keys of a server that has not answered for so long may have been withdrawn
FETCH_SECONDS = 3.0
FETCHES_AT_ONCE = 4  # of one client: a server that never ends its headers holds one thread for each try
MAX_KEYS_BYTES = 256 * 1024


@dataclass
class _Known:
    keys: Keys = field(default_factory=dict)
    fetched: float | None = None
    tried: float | None = None
    under_way: Future[None] | None = None


class KeySets:
    """Key sets by client. `fetch_seconds` bounds one fetch, the caller's deadline how long it is waited for."""

    def __init__(self, session: requests.Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._executors: dict[str, ThreadPoolExecutor] = {}

    def key(self, client: Client, kid: str, deadline: float) -> tuple[Key, ...] | None:
        """The key of that id, or the several that share it; None if the set has none. Raises KeysUnavailableError."""
        if client.jwks is not None:
            return self._from_file(client).get(kid)
        future = self._fetch_if_due(client, kid)
        if future is not None:
            wait([future], timeout=max(0.0, deadline - self._clock()))
        with self._lock:
            known = self._known[client.issuer]
            if known.fetched is None or self._clock() - known.fetched > STALE_SECONDS:
                raise KeysUnavailableError
            return known.keys.get(kid)

    def missing(self, client: Client) -> bool:
        """Tell whether this client has no keys that may be used now."""
        if client.jwks is not None:
            return False
        with self._lock:
            known = self._known.get(client.issuer)
            return known is not None and (known.fetched is None or self._clock() - known.fetched > STALE_SECONDS)

    def _from_file(self, client: Client) -> Keys:
        with self._lock:
            known = self._known.setdefault(client.issuer, _Known())
            if known.fetched is None and client.jwks is not None:
                known.keys, known.fetched = keys_in(client.jwks.read_bytes()), self._clock()
            return known.keys

    def _fetch_if_due(self, client: Client, kid: str) -> Future[None] | None:
        """The fetch under way that this call should wait for; it is started if it is due."""
        now = self._clock()
        with self._lock:
            known = self._known.setdefault(client.issuer, _Known())
            age = now - known.fetched if known.fetched is not None else STALE_SECONDS + 1
            usable = kid in known.keys and age <= STALE_SECONDS
            if known.under_way is not None and known.tried is not None and now - known.tried <= FETCH_SECONDS:
                return None if usable else known.under_way
            if usable and age < KEEP_SECONDS:
                return None
            floor = FLOOR_SECONDS if known.fetched is not None else RETRY_SECONDS
            if known.tried is not None and now - known.tried < floor:
                return None
            known.tried = now
            executor = self._executors.setdefault(
                client.issuer, ThreadPoolExecutor(FETCHES_AT_ONCE, thread_name_prefix="keys")
            )
            known.under_way = executor.submit(self._renew, client, now)
            # a set that is merely old stays in use while it is fetched anew
            return None if usable else known.under_way

    def _renew(self, client: Client, asked: float) -> None:
        """Fetch a set and keep it before the waiting calls are woken; a failure leaves the known keys as they are."""
        try:
            keys: Keys | None = self._fetch(client)
        except Exception:  # a key server may answer anything
            keys = None
        with self._lock:
            known = self._known[client.issuer]
            if known.tried == asked:
                known.under_way = None
            newer = known.fetched is not None and known.fetched > asked
            if keys is not None and not newer:
                known.keys, known.fetched = keys, self._clock()

    def _fetch(self, client: Client) -> Keys:
        answer = fetch(
            self._session, "GET", client.jwks_url or "", seconds=FETCH_SECONDS, most_bytes=MAX_KEYS_BYTES,
            headers={"Accept": "application/json"},
        )  # fmt: skip
        if answer.status != 200:
            raise KeysUnavailableError
        return keys_in(answer.body)
