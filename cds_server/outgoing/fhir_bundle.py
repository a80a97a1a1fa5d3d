"""The body of an answer as FHIR: one page of a search with its resources, or one resource.

Field notes: Sekmet adds an OperationOutcome entry with mode `outcome`. It is a remark, neither data nor a failure.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec

from cds_server.outgoing.fhir_errors import Fault, FhirError, PassingError
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import STRUCTS, header_of

T = TypeVar("T")
NO_RESOURCE = b"null"


class Match(NamedTuple):
    """A search result, reduced to what tells it from the others. A result without an id is known by its bytes."""

    resource_type: str
    id: str | bytes


class _Typed(fs.FhirStruct, frozen=True):
    resource_type: str = ""


_bundle = msgspec.json.Decoder(fs.Bundle)
_typed = msgspec.json.Decoder(_Typed)
_outcome = msgspec.json.Decoder(fs.OperationOutcome)


def searchset(body: bytes) -> fs.Bundle:
    """A page of a search. Raises FhirError if the body is no search page or reports an error among its results."""
    bundle = _decoded(_bundle, body, "a FHIR Bundle")
    if bundle.resource_type != "Bundle":
        raise FhirError(Fault.ANSWER, f"the answer is {_plain_name(bundle.resource_type)}, not a Bundle")
    if bundle.type not in (None, "searchset"):
        raise FhirError(Fault.ANSWER, "the answer is a Bundle, but no searchset")
    if any(_is_failure(entry) for entry in bundle.entry):
        raise FhirError(Fault.OUTCOME, "the FHIR server reported an error among the results")
    return bundle


def body_of_type(resource_type: str, body: bytes) -> bytes:
    """The body of a read. Raises FhirError if it is not a resource of the type asked for."""
    found = _decoded(_typed, body, "a FHIR resource").resource_type
    if found != resource_type:
        raise FhirError(Fault.ANSWER, f"the answer is {_plain_name(found)}, not {resource_type}")
    return body


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """The decoded answer. Raises PassingError if it ends early, because it may come whole the next time, and FhirError
    if it is something else, such as a web page."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        ended_early = type(error) is msgspec.DecodeError and not body.lstrip().startswith(b"<")
        kind = PassingError if ended_early else FhirError
        raise kind(Fault.ANSWER, f"the answer is not {what}") from error


def _is_failure(entry: fs.Entry) -> bool:
    """Tell whether an entry is an OperationOutcome that is not marked as a remark and reports a failure."""
    raw = bytes(entry.resource)
    if not raw or (entry.search and entry.search.mode == "outcome"):
        return False
    if b"OperationOutcome" not in raw or header_of(raw).resource_type != "OperationOutcome":
        return False
    try:
        return any(issue.severity in ("error", "fatal") for issue in _outcome.decode(raw).issue)
    except msgspec.MsgspecError:
        return True


def matches_of(bundle: fs.Bundle) -> list[Match]:
    """The results of a page, without included resources and remarks."""
    found = []
    for entry in bundle.entry:
        raw = bytes(entry.resource)
        header = header_of(raw)
        if (
            entry.search is None or entry.search.mode in (None, "match")
        ) and header.resource_type != "OperationOutcome":
            found.append(Match(header.resource_type, header.id or raw))
    return found


def resources_of(bundle: fs.Bundle) -> list[bytes]:
    """The resources of a page without remarks. An entry without a resource counts as one that cannot be read."""
    return [
        bytes(entry.resource) or NO_RESOURCE
        for entry in bundle.entry
        if not (entry.search and entry.search.mode == "outcome")
    ]


_NAMED = ("OperationOutcome", "CapabilityStatement", *STRUCTS)


def _plain_name(name: str) -> str:
    """The name of what a server sent in place of a Bundle, if it is a name that we know."""
    return name if name in _NAMED else "something else"
