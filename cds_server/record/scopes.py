"""The SMART scopes that the service needs, and what granted ones let it read. Texts of another form are not
interpreted."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SMART = re.compile(r"(?:patient|user|system)/(?P<type>\*|[A-Za-z]+)\.(?P<rights>[A-Za-z*]+)(?P<query>\?.*)?")


def needed_scope(types: Iterable[str], launch: str, *, first_version: bool) -> str:
    """The scope to ask for: the launch, and reading just these types of one patient, in the words of SMART 1 or 2.

    No openid, fhirUser or refresh token: who the user is changes nothing on the page, and a session ends with its
    token. The scopes are patient/… because the page is of one patient, which the EHR then enforces.
    """
    rights = "read" if first_version else "rs"
    return " ".join([launch, *(f"patient/{name}.{rights}" for name in sorted(types))])


def permits(scope: str | None, resource_type: str, *, search: bool = True) -> bool:
    """Tell whether a scope covers searching a type, or reading one by id.

    A scope narrowed by a query covers only part of a type and permits nothing.
    """
    if not scope:
        return True
    matches = [m for m in map(_SMART.fullmatch, scope.split()) if m is not None]
    if not matches:
        return True
    return any(
        m.group("type") in ("*", resource_type) and _reads(m.group("rights"), search=search) and not m.group("query")
        for m in matches
    )


def _reads(rights: str, *, search: bool) -> bool:
    if rights in ("*", "read"):
        return True
    return rights != "write" and "r" in rights and ("s" in rights or not search)
