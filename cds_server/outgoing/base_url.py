"""FHIR base URLs and other addresses, brought to one form to compare by."""

from __future__ import annotations

from urllib.parse import urlsplit

from cds_server.limits import SettingsError


def normalised_base(url: str, name: str = "url") -> str:
    """A base URL to compare by: lower-case scheme and host, no default port, no trailing slash.

    Raises SettingsError for anything but http or https with a host, or with user info, query, fragment, or a
    path that climbs.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"{name}: not a URL.") from error
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name}: must be an http or https URL with a host.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SettingsError(f"{name}: must have no user name, query or fragment.")
    if any(segment in (".", "..") for segment in parts.path.split("/")) or set("%;\\") & set(parts.path + url):
        raise SettingsError(f"{name}: its path must be plain.")
    scheme = parts.scheme.lower()
    host = parts.hostname.lower()
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[scheme]
    authority = host if port in (None, default) else f"{host}:{port}"
    path = "/".join(segment for segment in parts.path.split("/") if segment)
    return f"{scheme}://{authority}/{path}".rstrip("/")


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
