"""What bounds a call, and the error of a setting that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CourseLookup(StrEnum):
    HISTORY = "history"
    CODES = "codes"


class SettingsError(ValueError):
    """A setting that cannot be used: which one, what is wrong, what to do."""


@dataclass(frozen=True)
class Limits:
    """What one call may hold. `depth` is of the request outside `prefetch`, `entries` of prefetch and searches
    together, `pages` of all searches of a call."""

    depth: int = 64
    entries: int = 100_000
    pages: int = 60
