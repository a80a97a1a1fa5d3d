"""The value of a prefetch key as one searchset, whatever its shape.

A key takes its resource or a Bundle of it wherever that can mean only one thing:

| value                                        | read as                                                         |
|----------------------------------------------|-----------------------------------------------------------------|
| a searchset, a collection, a Bundle untyped  | as it stands                                                    |
| a resource of the key's type                 | a searchset of one                                              |
| a list of resources, or of pages             | one searchset; more follow only if the last page says so        |
| a batch-response, Bundles inside a Bundle    | their entries together, each Bundle counted by itself           |
| a history, a transaction, a document         | what is in force in it, in part: it answers another question    |
| an entry, `{"resource": …}`                  | its resource                                                    |
| an OperationOutcome                          | a search that failed                                            |

Anything else was not asked for and counts as not supplied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from cds_server.prefetch_room import Wanted
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resources import header_of, is_fhir_type, type_of
from fhir_mappings.reading.searchset import Part, part_of

DEEPEST = 3
NULL = msgspec.Raw(b"null")
_ANSWERS = (None, "searchset", "collection", "batch-response", "transaction-response")
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class SentEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry with its place in the request, the part that it plays, and the type of its resource if it is known.

    It is a Struct because a long chart has one for each entry.
    """

    where: str
    entry: fs.Entry
    part: Part
    type: str = ""


@dataclass(frozen=True)
class Sent:
    """One searchset. `next`: a next page is named. `broken`: something of it could not be read, or it answers another
    question. `short`: its total is another number than its matches. `failed`: results are missing, as an
    OperationOutcome in it says."""

    entries: tuple[SentEntry, ...] = ()
    next: bool = False
    broken: bool = False
    short: bool = False
    failed: bool = False
    total: int | None = None

    @property
    def matches(self) -> list[fs.Entry]:
        return [one.entry for one in self.entries if one.part is Part.MATCH]

    @property
    def is_of_another_type(self) -> bool:
        return bool(self.entries) and all(one.part is Part.INCLUDED for one in self.entries)


class _Loose(fs.FhirStruct, frozen=True):
    entry: tuple[msgspec.Raw, ...]


class _Wrapped(fs.FhirStruct, frozen=True):
    resource: msgspec.Raw


_bundle = msgspec.json.Decoder(fs.Bundle)
_loose = msgspec.json.Decoder(_Loose)
_wrapped = msgspec.json.Decoder(_Wrapped)
_entry = msgspec.json.Decoder(fs.Entry)
_list = msgspec.json.Decoder(tuple[msgspec.Raw, ...])


def sent_in(raw: msgspec.Raw, where: str, wanted: Wanted, depth: int = 0) -> Sent | None:
    """The searchset in a value that was sent for resources of the type `wanted`; None if it holds none. Raises
    TooManyError and OutOfTimeError."""
    if depth > DEEPEST:
        return None
    if bytes(memoryview(raw)[:1]) == b"[":
        return _sent_list(raw, where, wanted, depth)
    named = type_of(raw)
    if named == "Bundle":
        return _sent_bundle(raw, where, wanted, depth)
    if named == "OperationOutcome":
        return Sent(failed=True)
    if named == wanted.resource_type:
        return Sent((SentEntry(where, fs.Entry(resource=raw), Part.MATCH),))
    return None if is_fhir_type(named) else _untyped(raw, where, wanted, depth)


def _untyped(raw: msgspec.Raw, where: str, wanted: Wanted, depth: int) -> Sent | None:
    """A value of no type of FHIR's: the entry around a resource, or a Bundle that lost its type."""
    try:
        return sent_in(_wrapped.decode(raw).resource, f"{where}.resource", wanted, depth + 1)
    except _BAD:
        return _sent_loosely(raw, where, wanted, depth)


def _sent_list(raw: msgspec.Raw, where: str, wanted: Wanted, depth: int) -> Sent | None:
    """A list of resources or of pages. An empty one says nothing: some serializers write it for an empty object."""
    try:
        values = _list.decode(raw)
    except _BAD:
        return None
    found = [_sent_one(one, f"{where}[{n}]", wanted, depth) for n, one in enumerate(wanted.room.each(values))]
    if not found:
        return None
    totals = {one.total for one in found if one.total is not None}
    together = _together(found)
    total = sum(totals) if totals else None
    return _counted(together.entries, total, next_page=found[-1].next, broken=together.broken, failed=together.failed)


def _sent_one(raw: msgspec.Raw, where: str, wanted: Wanted, depth: int) -> Sent:
    """One of several values. What is of another type is kept too, so that nobody else's data slips in with it."""
    found = sent_in(raw, where, wanted, depth + 1)
    if found is not None:
        return found
    part = Part.INCLUDED if type_of(raw) else Part.MATCH
    return Sent((SentEntry(where, fs.Entry(resource=raw), part),))


def _sent_bundle(raw: msgspec.Raw, where: str, wanted: Wanted, depth: int) -> Sent | None:
    try:
        bundle = _bundle.decode(raw)
    except _BAD:
        return _sent_loosely(raw, where, wanted, depth)
    kind = bundle.type.lower() if bundle.type else None
    entries = _in_force(bundle.entries, newest_first=kind == "history")
    found = _sent_entries(entries, where, wanted, depth)
    # `null` for the entries is nothing on record only if the total says so too
    broken = found.broken or kind not in _ANSWERS or (bundle.entry is None and bundle.total != 0)
    return _counted(
        found.entries, bundle.total, next_page=found.next or bundle.next_url is not None, broken=broken,
        failed=found.failed, short=found.short,
    )  # fmt: skip


def _sent_loosely(raw: msgspec.Raw, where: str, wanted: Wanted, depth: int) -> Sent | None:
    """Each whole entry of a Bundle that is broken somewhere. One without a resource is set aside with all its bytes."""
    entries: list[fs.Entry] = []
    try:
        for one in wanted.room.each(_loose.decode(raw).entry):
            try:
                entries.append(_entry.decode(one))
            except _BAD:
                entries.append(fs.Entry(resource=one))
    except _BAD:
        return None
    found = _sent_entries(list(enumerate(entries)), where, wanted, depth)
    return Sent(found.entries, found.next, broken=True, failed=found.failed)


def _sent_entries(entries: Sequence[tuple[int, fs.Entry]], where: str, wanted: Wanted, depth: int) -> Sent:
    plain: list[SentEntry] = []
    inner: list[Sent] = []
    asked_for = (wanted.resource_type, "")
    failed = False
    for n, entry in wanted.room.each(entries):
        named = type_of(entry.resource)
        place = f"{where}.entry[{n}]"
        if named == "Bundle":
            nested = sent_in(entry.resource, f"{place}.resource", wanted, depth + 1)
            inner.append(nested if nested is not None else Sent(broken=True))
            continue
        part = part_of(entry, named)
        if part is Part.MATCH and named not in asked_for:
            part = Part.INCLUDED
        failed = failed or part is Part.FAILURE
        plain.append(SentEntry(place, entry, part, named))
    return _together([Sent(tuple(plain), failed=failed), *inner])


def _together(found: list[Sent]) -> Sent:
    if len(found) == 1:
        return found[0]
    return Sent(
        tuple(one for sent in found for one in sent.entries),
        next=any(sent.next for sent in found),
        broken=any(sent.broken for sent in found),
        short=any(sent.short for sent in found),
        failed=any(sent.failed for sent in found),
    )


def _counted(
    entries: tuple[SentEntry, ...],
    total: int | None,
    *,
    next_page: bool,
    broken: bool,
    failed: bool,
    short: bool = False,
) -> Sent:
    matches = len([one for one in entries if one.part is Part.MATCH])
    return Sent(entries, next_page, broken, short or total not in (None, matches), failed, total)


def _in_force(entries: tuple[fs.Entry, ...], *, newest_first: bool) -> list[tuple[int, fs.Entry]]:
    """The entries that are no deletions; of a history, whose versions stand newest first, only the first of each."""
    numbered = list(enumerate(entries))
    if newest_first:
        numbered = list(_first_of_each(numbered))
    return [one for one in numbered if one[1].request is None or one[1].request.method.upper() != "DELETE"]


def _first_of_each(numbered: Iterable[tuple[int, fs.Entry]]) -> Iterator[tuple[int, fs.Entry]]:
    seen: set[str] = set()
    for n, entry in numbered:
        one = _identity(entry)
        if one not in seen:
            yield n, entry
        seen.update((one,) if one else ())


def _identity(entry: fs.Entry) -> str:
    """The resource that an entry is a version of, `Type/id`; "" if it does not say."""
    header = header_of(entry.resource) if entry.resource else fs.Header()
    if header.id:
        return f"{header.resource_type}/{header.id}"
    url = (entry.request.url if entry.request else None) or entry.full_url or ""
    return "/".join(url.partition("/_history")[0].rsplit("/", 2)[-2:])
