"""What bounds a call, and the errors of a text that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class CourseLookup(StrEnum):
    HISTORY = "history"
    CODES = "codes"


class UnusableError(ValueError):
    """A text that cannot be used. The message follows the name of its field: "must be a number"."""


class SettingsError(ValueError):
    """A setting that cannot be used: which one, what is wrong, what is allowed."""


@contextmanager
def naming(setting: str) -> Iterator[None]:
    """Turn the UnusableError of what is read within into the SettingsError of the setting that it is of."""
    try:
        yield
    except UnusableError as error:
        raise SettingsError(f"{setting} {error}.") from error


@dataclass(frozen=True)
class Limits:
    """What one call may hold. `depth` is of the request outside `prefetch`, `entries` of prefetch and searches
    together, `pages` of all searches of a call."""

    depth: int = 64
    entries: int = 100_000
    pages: int = 60
