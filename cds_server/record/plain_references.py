"""References between the entries of one Bundle, written as the record writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.reading.resources import Json, header_of

_UUID = re.compile(rb'"(urn:uuid:[^"\\]{1,100})"')


def with_plain_references(entries: Iterable[tuple[str | None, Json]]) -> list[Json]:
    """The resources of entries, given by their fullUrl, with each `urn:uuid` reference to another as `Type/id`.

    An entry that has no id yet, because it is to be created, goes by its uuid.
    """
    listed = [*entries]
    plain: dict[bytes, bytes] = {}
    for full_url, raw in listed:
        if full_url is None or not full_url.startswith("urn:uuid:"):
            continue
        header = header_of(raw)
        if header.resource_type:
            resource_id = header.id or full_url.removeprefix("urn:uuid:")
            plain[full_url.encode()] = msgspec.json.encode(f"{header.resource_type}/{resource_id}")
    if not plain:
        return [raw for _, raw in listed]
    return [_UUID.sub(lambda m: plain.get(m[1], m[0]), bytes(raw)) for _, raw in listed]
