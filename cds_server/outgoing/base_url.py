"""FHIR base URLs: which texts are one, and which addresses lie under it."""

from __future__ import annotations

from urllib.parse import urlsplit

from cds_server.limits import SettingsError
from fhir_mappings.reading.fhir_base import comparable

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def normalised_base(url: str, name: str = "url") -> str:
    """A FHIR base in the form that addresses are compared in.

    Raises SettingsError for anything but http or https with a host, or with user info, query, fragment, or a
    path that climbs.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(f"{name}: not a URL.") from error
    authority = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    base = comparable(f"{parts.scheme}://{authority}{parts.path}")
    if base is None or not host:
        raise SettingsError(f"{name}: must be an http or https URL with a host.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SettingsError(f"{name}: must have no user name, query or fragment.")
    if any(segment in (".", "..") for segment in parts.path.split("/")) or set("%;\\") & set(url):
        raise SettingsError(f"{name}: its path must be plain.")
    return base


def is_under(url: str, base: str) -> bool:
    """Whether a URL is the base itself or below it: same scheme, host, port and path, nothing that climbs."""
    try:
        parts = urlsplit(url)
        plain = normalised_base(parts._replace(query="", fragment="").geturl())
    except ValueError:  # SettingsError is one
        return False
    return plain == base or plain.startswith(f"{base}/")
