"""The resources of one JSON text: a resource, a Bundle of any type, a CDS Hooks call, or a list of these."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from cds_server.exports.unread import Why
from cds_server.record.plain_references import with_plain_references
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import Json, is_fhir_type, type_of

MOST_CHARS_OF_TYPE = 64
MOST_NESTED = 4  # Bundles in Bundles: the answers of a batch are searchsets
BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A resource with its type and the place that it stands at."""

    raw: Json
    type: str
    place: str


class Deleted(msgspec.Struct, frozen=True, gc=False):
    """A resource that an export says is gone, as `Type/id`."""

    reference: str


class _Entries(fs.FhirStruct, frozen=True):
    entry: tuple[msgspec.Raw, ...] = ()


class _Context(fs.FhirStruct, frozen=True):
    draft_orders: msgspec.Raw = msgspec.Raw(b"")


class _Call(fs.FhirStruct, frozen=True):
    hook: str
    prefetch: dict[str, msgspec.Raw] | None = None
    context: _Context = _Context()


_raw = msgspec.json.Decoder(msgspec.Raw)
_list = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entries = msgspec.json.Decoder(_Entries)
_entry = msgspec.json.Decoder(fs.Entry)
_call = msgspec.json.Decoder(_Call)
Found = Placed | Deleted | tuple[str, Why]
"""A resource, one that is gone, or a place that cannot be read."""


def resources_of(text: Json, place: str, nested: int = 0) -> Iterator[Found]:
    """The resources of a JSON text, and the places in it that cannot be read."""
    if not is_json(text):
        yield place, Why.NOT_JSON
    elif nested > MOST_NESTED:
        yield place, Why.NOT_FHIR
    elif bytes(memoryview(text)[:1]) == b"[":
        for number, one in enumerate(_list.decode(text)):
            yield from resources_of(one, f"{place}[{number}]", nested + 1)
    elif (resource_type := type_of(text)) == "Bundle":
        yield from _of_bundle(text, place, nested)
    elif _is_type(resource_type) and not _is_utf_8(text):
        yield place, Why.NOT_UTF_8
    elif _is_type(resource_type):
        yield Placed(text, resource_type, place)
    elif resource_type:
        yield place, Why.NOT_FHIR
    else:
        yield from _of_call(text, place, nested)


@lru_cache(maxsize=256)
def _is_type(name: str) -> bool:
    return len(name) <= MOST_CHARS_OF_TYPE and is_fhir_type(name)


def is_json(text: Json) -> bool:
    try:
        _raw.decode(text)
    except BAD:
        return False
    return True


def _is_utf_8(text: Json) -> bool:
    """Tell whether every text in JSON can be read, those in fields that are not looked at too."""
    content = bytes(text)
    try:
        return content.isascii() or bool(content.decode())
    except UnicodeDecodeError:
        return False


def _of_call(text: Json, place: str, nested: int) -> Iterator[Found]:
    """The prefetch and the drafts of a recorded call."""
    try:
        call = _call.decode(text)
    except BAD:
        yield place, Why.NOT_FHIR
        return
    sent = {f"prefetch.{key}": raw for key, raw in (call.prefetch or {}).items()}
    for key, raw in {**sent, "draftOrders": call.context.draft_orders}.items():
        if bytes(raw) not in (b"", b"null"):
            yield from resources_of(raw, f"{place} {key}".strip(), nested + 1)


def _of_bundle(text: Json, place: str, nested: int) -> Iterator[Found]:
    """The entries of a Bundle; one that deletes names what is gone, and an answer without a resource holds none."""
    try:
        entries = _entries.decode(text).entry
    except BAD:
        yield place, Why.NOT_FHIR
        return
    read: list[tuple[str, fs.Entry]] = []
    for index, raw in enumerate(entries):
        where = f"{place} entry[{index}]".strip()
        try:
            entry = _entry.decode(raw)
        except BAD:
            yield where, Why.NOT_FHIR
            continue
        if entry.request is not None and entry.request.method == "DELETE":
            yield Deleted((entry.request.url or "").strip("/"))
        elif bytes(entry.resource) not in (b"", b"null"):
            read.append((where, entry))
        elif entry.request is None and entry.response is None:
            yield where, Why.NOT_FHIR
    resources = with_plain_references([(entry.full_url, entry.resource) for _, entry in read])
    for (where, _), resource in zip(read, resources, strict=True):
        yield from resources_of(resource, where, nested + 1)
