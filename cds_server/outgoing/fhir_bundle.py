"""The body of an answer as FHIR: one page of a search with its resources, or one resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import msgspec

from cds_server.outgoing.fhir_errors import Fault, FhirError, PassingError
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import STRUCTS, Json, header_of, type_and_id, type_named_first, type_of
from fhir_mappings.reading.searchset import Part, part_of, reports_none

T = TypeVar("T")
NO_RESOURCE = b"null"


class Match(NamedTuple):
    """A search result, reduced to what tells it from the others. A result without an id is known by its bytes."""

    resource_type: str
    id: str | bytes


@dataclass(frozen=True)
class Page:
    """One page of a search: its resources, as views of its body, the results among them, and whether it says that
    results are missing. The link `self` names the parameters that the server took."""

    resources: tuple[Json, ...]
    matches: tuple[Match, ...]
    failed: bool = False
    total: int | None = None
    next_url: str | None = None
    self_url: str | None = None


class _Typed(fs.FhirStruct, frozen=True):
    resource_type: str = ""


_bundle = msgspec.json.Decoder(fs.Bundle)
_typed = msgspec.json.Decoder(_Typed)


def search_page(resource_type: str, body: bytes) -> Page:
    """A page of a search for resources of this type. Raises FhirError if the body is none.

    One resource of the type where a page was asked for is a page of one; so is a collection. A Bundle that answers
    something else (a history, a batch) is none.
    """
    named = type_named_first(body)
    if named != "Bundle":
        named = _decoded(_typed, body, "a FHIR Bundle").resource_type
    if named == resource_type:
        return Page((body,), (Match(resource_type, header_of(body).id or body),))
    if named != "Bundle":
        raise FhirError(Fault.ANSWER, f"the answer is {_plain_name(named)}, not a Bundle")
    bundle = _decoded(_bundle, body, "a FHIR Bundle")
    if bundle.type not in (None, "searchset", "collection"):
        raise FhirError(Fault.ANSWER, "the answer is a Bundle, but no searchset")
    return _page(bundle)


def _page(bundle: fs.Bundle) -> Page:
    resources: list[Json] = []
    matches: list[Match] = []
    failed = False
    for entry in bundle.entries:
        raw = entry.resource or NO_RESOURCE
        named, resource_id = type_and_id(raw)
        part = part_of(entry, named)
        if part is Part.MATCH:
            resources.append(raw)
            matches.append(Match(named, resource_id or bytes(raw)))
        elif part is Part.INCLUDED:
            resources.append(raw)
        failed = failed or part is Part.FAILURE
    return Page(tuple(resources), tuple(matches), failed, bundle.total, bundle.next_url, bundle.self_url)


def body_of_type(resource_type: str, body: bytes) -> Json:
    """The resource that a read answered, by itself or alone in a searchset. Raises FhirError if it is another type, as
    404 if the answer says with status 200 that there is none."""
    named = _decoded(_typed, body, "a FHIR resource").resource_type
    if named == "Bundle":
        page = search_page(resource_type, body)
        ours = [raw for raw in page.resources if type_of(raw) == resource_type]
        if len(ours) == 1:
            return ours[0]
        if not page.resources and not page.failed:
            raise _none()
        raise FhirError(Fault.ANSWER, f"the answer is a Bundle, and holds not one {resource_type}")
    if named == "OperationOutcome" and reports_none(body):
        raise _none()
    if named != resource_type:
        raise FhirError(Fault.ANSWER, f"the answer is {_plain_name(named)}, not {resource_type}")
    return body


def _none() -> FhirError:
    return FhirError(Fault.ANSWER, "the FHIR server answered that there is none", status=404)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """The decoded answer. Raises PassingError if it ends early, because it may come whole the next time, and FhirError
    if it is something else, such as a web page."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        ended_early = type(error) is msgspec.DecodeError and not body.lstrip().startswith(b"<")
        kind = PassingError if ended_early else FhirError
        raise kind(Fault.ANSWER, f"the answer is not {what}") from error


_NAMED = ("OperationOutcome", "CapabilityStatement", "Bundle", *STRUCTS)


def _plain_name(name: str) -> str:
    """The name of what a server sent in place of a Bundle, if it is a name that we know."""
    return name if name in _NAMED else "something else"
