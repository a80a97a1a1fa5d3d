"""One page of a search: its resources, and whether it is what it says."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.read_resources import STRUCTS, header_of

NO_RESOURCE = b"null"
bundle_decoder = msgspec.json.Decoder(fs.Bundle)


class Match(NamedTuple):
    """A result of a search, as far as it takes to tell it from others: one without an id is known by its bytes."""

    resource_type: str
    id: str | bytes


_outcome = msgspec.json.Decoder(fs.OperationOutcome)


def is_failure(entry: fs.Entry) -> bool:
    """An OperationOutcome among the results that is not marked as a remark and says that something failed."""
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
    """The results of a page: neither what was included with them nor remarks."""
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
    """The resources of a page, remarks left out. An entry without one is one that cannot be read."""
    return [
        bytes(entry.resource) or NO_RESOURCE
        for entry in bundle.entry
        if not (entry.search and entry.search.mode == "outcome")
    ]


_NAMED = ("OperationOutcome", "CapabilityStatement", *STRUCTS)


def plain_name(name: str) -> str:
    """What a server sent in place of a Bundle, where it is a name that we know."""
    return name if name in _NAMED else "something else"
