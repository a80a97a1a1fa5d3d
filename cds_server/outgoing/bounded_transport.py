"""The transport of our requests: its timeout bounds a whole answer, headers and body.

The timeout of a socket bounds one read only, so a server that sends a byte a second would hold our thread forever.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class _UntilItEnds(io.RawIOBase):
    """The bytes of a socket until a moment of `time.monotonic`. A read after it raises TimeoutError."""

    def __init__(self, sock: socket.socket, stream: io.RawIOBase, ends: float) -> None:
        self._sock = sock
        self._stream = stream
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer did not end in time")
        self._sock.settimeout(remaining)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """An answer whose headers and body must arrive within the timeout that its socket has now."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        seconds = sock.gettimeout()
        if seconds is not None:
            ends = time.monotonic() + seconds
            self.fp = io.BufferedReader(_UntilItEnds(sock, self.fp.detach(), ends))


class _BoundedHTTP(HTTPConnection):
    response_class = _BoundedResponse


class _BoundedHTTPS(HTTPSConnection):
    response_class = _BoundedResponse


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTP


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPS


_POOLS = {"http": _PlainPool, "https": _TLSPool}


class BoundedAdapter(HTTPAdapter):
    """The adapter of a requests Session: `timeout` bounds the connecting, and then again the whole answer."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
