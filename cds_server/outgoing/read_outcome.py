"""The outcome of a read: all that was asked for, or what came before it failed.

The two hold their resources under names of their own. Whoever takes them must ask which of the two it is, so nobody can
use what came and forget that more may be missing: mypy refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_server.outgoing.fhir_errors import FhirError
from fhir_mappings.reading.resources import Json


@dataclass(frozen=True)
class Whole:
    """Everything that was asked for, on so many pages."""

    everything: tuple[Json, ...]
    pages: int = 1


@dataclass(frozen=True)
class InPart:
    """The resources that came before the read failed, which may be none. `results` are the matches among them.

    The error is a value from here on, without its traceback. The frames of that hold the bodies that were read, and the
    error itself, so that they would stay in memory until the garbage collector looks at everything.
    """

    before: tuple[Json, ...]
    error: FhirError
    pages: int = 0
    results: int = 0

    def __post_init__(self) -> None:
        self.error.__traceback__ = self.error.__cause__ = self.error.__context__ = None


ReadOutcome = Whole | InPart


def failed(error: FhirError) -> InPart:
    """The outcome of a read that brought nothing."""
    return InPart((), error)
