"""FHIR base URLs, brought to one form to compare by."""

from __future__ import annotations

import re

_URL = re.compile(r"(?P<scheme>https?)://(?P<host>[^/?#]+)(?P<path>/[^?#]*)?", re.ASCII | re.IGNORECASE)
_DEFAULT_PORT = {"http": ":80", "https": ":443"}


def comparable(base: str | None) -> str | None:
    """Lower-case scheme and host, no default port, single slashes, none at the end; None for no http URL."""
    match = _URL.fullmatch(base or "")
    if match is None:
        return None
    scheme = match["scheme"].lower()
    host = match["host"].lower().removesuffix(_DEFAULT_PORT[scheme])
    path = "/".join(part for part in (match["path"] or "").split("/") if part)
    return f"{scheme}://{host}/{path}".rstrip("/")
