"""The reasons why a FHIR server returned nothing. The type of the error says whether asking again can help."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """The kind of a failure in one word, which labels the metric `fhir_errors`. For STATUS the label is the number of
    the status."""

    STATUS = "status"
    LATE = "late"
    UNREACHABLE = "unreachable"
    TOO_LARGE = "too_large"
    ANSWER = "answer"  # no FHIR, or not what was asked for
    OUTCOME = "outcome"  # an error among the results
    INCOMPLETE = "incomplete"
    CHANGED = "changed"
    ELSEWHERE = "elsewhere"  # a next page on another server
    PAGES = "pages"
    ENTRIES = "entries"  # more results than one call may hold
    TOKEN = "token"  # noqa: S105 - our own, which the authorization server did not give
    OPEN = "open"  # never asked: it did not answer the calls before
    SCOPE = "scope"  # never asked: the granted scope does not cover it
    FAILED = "failed"  # a mistake of ours


class FhirError(Exception):
    """A failure that asking again would repeat. `why` is a sentence without patient data."""

    def __init__(self, fault: Fault, why: str, *, status: int | None = None) -> None:
        super().__init__(why)
        self.fault = fault
        self.why = why
        self.status = status

    @property
    def label(self) -> str:
        return self.fault.value if self.status is None else str(self.status)


class PassingError(FhirError):
    """A failure that may pass: the same request may succeed, but not before `after` seconds."""

    def __init__(self, fault: Fault, why: str, *, status: int | None = None, after: float = 0.0) -> None:
        super().__init__(fault, why, status=status)
        self.after = after


class SearchOverError(FhirError):
    """A search whose pages no longer fit together. The same search, begun anew, may succeed."""
