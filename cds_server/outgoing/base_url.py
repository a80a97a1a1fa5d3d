"""FHIR base URLs: their checked form, and the test whether an address lies under one."""

from __future__ import annotations

from urllib.parse import urlsplit

from cds_server.limits import UnusableError
from fhir_mappings.reading.fhir_base import comparable

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def normalised_base(url: str) -> str:
    """A FHIR base in the form that addresses are compared in.

    Raises UnusableError for anything but http or https with a host, or with user info, query, fragment, or a path that
    climbs.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UnusableError("must be a URL") from error
    authority = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    base = comparable(f"{parts.scheme}://{authority}{parts.path}")
    if base is None or not host:
        raise UnusableError("must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UnusableError("must have no user name, query or fragment")
    if any(segment in (".", "..") for segment in parts.path.split("/")) or set("%;\\") & set(url):
        raise UnusableError("must have a plain path, without %, ; and segments of dots")
    return base


def is_under(url: str, base: str) -> bool:
    """Tell whether a URL is the base or lies below it: same scheme, host and port, and a path that does not climb."""
    try:
        parts = urlsplit(url)
        plain = normalised_base(parts._replace(query="", fragment="").geturl())
    except ValueError:  # UnusableError is one
        return False
    return plain == base or plain.startswith(f"{base}/")
