"""The endpoints at which an EHR gives access."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """The endpoints at which an EHR authorizes.

    Its callbacks may name it by `issuer`, and must if it `names_itself` (RFC 9207). `first_version` means that it knows
    SMART 1 scopes only.
    """

    authorization: str
    token: str
    issuer: str | None
    names_itself: bool
    first_version: bool
