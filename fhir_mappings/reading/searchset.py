"""The entries of a searchset by the part that each plays: a result, something included with it, or an
OperationOutcome.

Field notes: Epic adds an OperationOutcome to every searchset, with the remarks 4119 (not the whole record, perhaps) and
4101 (no results). Sekmet and HAPI remark on parameters that they ignore. Some servers leave `search.mode` out.
"""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import Json


class Part(Enum):
    """The part that an entry plays. A FAILURE says that results are missing, a REMARK changes nothing."""

    MATCH = auto()
    INCLUDED = auto()
    REMARK = auto()
    FAILURE = auto()


# "success" is R5's
_REMARKS = frozenset({"warning", "information", "success"})
# Results were withheld, or a source of them did not answer: a remark with such a code is more than one.
_RESULTS_ARE_MISSING = frozenset({"suppressed", "forbidden", "security", "incomplete", "timeout"})
_NONE = frozenset({"not-found", "deleted"})
_EPIC = "urn:oid:1.2.840.114350."
# These stand in every answer of Epic's, whatever their code, and say nothing about this one.
_OF_EVERY_ANSWER = frozenset({"4101", "4119"})

_outcome = msgspec.json.Decoder(fs.OperationOutcome)


def part_of(entry: fs.Entry, resource_type: str) -> Part:
    """The part that an entry with a resource of this type plays: by the type first, then by its `search.mode`."""
    if resource_type == "OperationOutcome":
        return Part.FAILURE if reports_failure(entry.resource) else Part.REMARK
    if entry.response is not None and _failed(entry.response):
        return Part.FAILURE
    mode = entry.search.mode if entry.search is not None else None
    if mode == "outcome" and bytes(entry.resource) in (b"", b"null"):
        return Part.REMARK
    return Part.INCLUDED if mode == "include" else Part.MATCH


def reports_failure(raw: Json) -> bool:
    """Tell whether an OperationOutcome says that results are missing; so does one that cannot be read."""
    issues = _issues(raw)
    return not issues or any(_is_failure(issue) for issue in issues)


def reports_none(raw: Json) -> bool:
    """Tell whether an OperationOutcome says that there is no such resource."""
    return any(issue.code.lower() in _NONE for issue in _issues(raw))


def _issues(raw: Json) -> tuple[fs.Issue, ...]:
    """The issues of an OperationOutcome; none if it cannot be read."""
    try:
        return _outcome.decode(raw).issue
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def _is_failure(issue: fs.Issue) -> bool:
    if issue.severity.lower() not in _REMARKS:
        return True
    codings = issue.details.coding if issue.details is not None else ()
    if any((c.system or "").startswith(_EPIC) and c.code in _OF_EVERY_ANSWER for c in codings):
        return False
    return issue.code.lower() in _RESULTS_ARE_MISSING


def _failed(response: fs.Response) -> bool:
    """Tell whether the response to one request of a batch says that it failed."""
    if response.status and not response.status.strip().startswith("2"):
        return True
    return bool(response.outcome) and response.outcome != b"null" and reports_failure(response.outcome)
