"""The form in which addresses are compared: FHIR bases, and every other address that the server compares."""

from __future__ import annotations

_DEFAULT_PORT = {"http": ":80", "https": ":443"}


def comparable(address: str | None) -> str | None:
    """An http or https address with lower-case scheme and host, no default port and no empty segment in its path.

    None for anything else, and for an address with a query or fragment.
    """
    scheme, _, rest = (address or "").partition("://")
    scheme = scheme.lower()
    host, *path = rest.split("/")
    if scheme not in _DEFAULT_PORT or not host or "?" in rest or "#" in rest:
        return None
    host = host.lower().removesuffix(_DEFAULT_PORT[scheme])
    return "/".join([f"{scheme}://{host}", *filter(None, path)])
