"""The bounds of a call, and the errors of a text that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class CourseLookup(StrEnum):
    HISTORY = "history"
    CODES = "codes"


class PatientSearch(StrEnum):
    """The form of `patient` in searches: the id, the reference `Patient/{id}`, or whichever brings a match."""

    AUTO = "auto"
    ID = "id"
    REFERENCE = "reference"


class UnusableError(ValueError):
    """A text that cannot be used. The message follows the name of its field: "must be a number"."""


class SettingsError(ValueError):
    """A setting that cannot be used: its name, what is wrong, what is allowed."""


@contextmanager
def naming(setting: str) -> Iterator[None]:
    """Turn an error raised within into the SettingsError of this setting, which quotes no value."""
    try:
        yield
    except UnusableError as error:
        raise SettingsError(f"{setting} {error}.") from error
    except SettingsError:
        raise
    except (ValueError, OSError) as error:  # a name that is too long for a file, and the like; its message may quote it
        raise SettingsError(f"{setting} has a value that cannot be used ({type(error).__name__}).") from error


@dataclass(frozen=True)
class Limits:
    """The most that one call may hold.

    `depth` and `values` apply to the request outside `prefetch`, `entries` to prefetch and searches together, `pages`
    to all searches of a call, and `record_bytes` to all that they answer, unpacked.
    """

    depth: int = 64
    entries: int = 100_000
    pages: int = 180
    record_bytes: int = 128 * 1024 * 1024
    values: int = 500_000


DEFAULT_LIMITS = Limits()
