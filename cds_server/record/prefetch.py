"""The data that the client sent along. An absent key, `null`, an OperationOutcome and a first page are four different
things.

Prefetch shows that a drug was given, never that it was not, unless it is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import msgspec

from cds_server.data_keys import DATA_KEYS, DataKey
from cds_server.outgoing.fhir_bundle import NO_RESOURCE
from cds_server.prefetch_parts import parts_sent
from cds_server.prefetch_room import Room, Wanted
from cds_server.record.prefetch_shapes import NULL, Sent, sent_in
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment, sorting_texts
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Json
from fhir_mappings.reading.searchset import Part


class Supplied(StrEnum):
    """The state of a key. A first page has more behind it, at the client or at the server; FAILED_IN_PART came with an
    OperationOutcome that says that results are missing; some of BROKEN cannot be read."""

    ABSENT = "absent"
    COMPLETE = "complete"
    FIRST_PAGE = "first page"
    BROKEN = "broken"
    FAILED_IN_PART = "failed in part at the client"
    FAILED = "failed at the client"


_SOME = (Supplied.COMPLETE, Supplied.FIRST_PAGE, Supplied.BROKEN)


@dataclass(frozen=True)
class KeyState:
    """The state in which one key came. A first page, newest first, is complete only after `since`, its oldest start."""

    supplied: Supplied
    since: datetime | None = None


class _Timed(fs.FhirStruct, frozen=True):
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: fs.Period | None = None


_timed = msgspec.json.Decoder(_Timed)
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_prefetch(prefetch: Mapping[str, msgspec.Raw], pool: ResourcePool, room: Room) -> dict[str, KeyState]:
    """Put every resource into the pool and return the state of each key of ours. Other keys are ignored. Raises
    TooManyError and OutOfTimeError."""
    return {key.key: _read_key(key, prefetch, pool, room) for key in DATA_KEYS}


def _read_key(key: DataKey, prefetch: Mapping[str, msgspec.Raw], pool: ResourcePool, room: Room) -> KeyState:
    """The state of a key, or of its parts together. A key that came whole needs no parts."""
    parts = {} if key.key in prefetch else parts_sent(prefetch, key.key)
    if not parts:
        return _read_value(key, key.key, prefetch.get(key.key), pool, room)
    return _together([_read_value(key, name, raw, pool, room) for name, raw in parts.items()])


def _together(parts: Sequence[KeyState]) -> KeyState:
    """The state of a key that came in parts. One that did not come, beside others that did, leaves it in part."""
    states = {part.supplied for part in parts}
    if len(states) == 1:
        (one,) = states
    elif states & {Supplied.FAILED, Supplied.FAILED_IN_PART}:
        one = Supplied.FAILED_IN_PART
    elif Supplied.BROKEN in states:
        one = Supplied.BROKEN
    else:
        one = Supplied.FIRST_PAGE
    since = [part.since for part in parts if part.supplied is not Supplied.COMPLETE]
    known = [at for at in since if at is not None]
    reached = max(known) if one is Supplied.FIRST_PAGE and known and len(known) == len(since) else None
    return KeyState(one, reached)


def _read_value(key: DataKey, name: str, raw: msgspec.Raw | None, pool: ResourcePool, room: Room) -> KeyState:
    if raw is None:
        return KeyState(Supplied.ABSENT)
    if raw == NULL:
        return KeyState(Supplied.COMPLETE)
    room.check_size(raw)
    sent = sent_in(raw, f"prefetch.{name}", Wanted(key.resource_type, room))
    if sent is None:
        return KeyState(Supplied.ABSENT)
    matches = _pooled(key, sent, pool)
    if key.kind is Kind.PATIENT and matches:
        return KeyState(Supplied.COMPLETE)
    if sent.failed:
        return KeyState(Supplied.FAILED_IN_PART if matches else Supplied.FAILED)
    return _state(key, sent, matches)


def _pooled(key: DataKey, sent: Sent, pool: ResourcePool) -> list[fs.FhirStruct | Json]:
    """Put the entries into the pool; the matches among them, scanned, or as bytes where they could not be."""
    matches: list[fs.FhirStruct | Json] = []
    kinds = frozenset({key.kind})
    for one in sent.entries:
        part, entry = one.part, one.entry
        if part is Part.MATCH or part is Part.INCLUDED:
            raw = entry.resource or NO_RESOURCE
            scanned = pool.add(raw, one.where, from_client=True, kinds=kinds, full_url=entry.full_url, named=one.type)
            if part is Part.MATCH:
                matches.append(scanned or raw)
    return matches


def _state(key: DataKey, sent: Sent, matches: list[fs.FhirStruct | Json]) -> KeyState:
    full = key.count is not None and len(matches) >= key.count
    broken = sent.broken or sent.is_of_another_type
    if not (sent.next or full or sent.short or broken):
        return KeyState(Supplied.COMPLETE)
    if broken:
        return KeyState(Supplied.BROKEN)
    is_page = key.sort and not (sent.short and not sent.next)
    return KeyState(Supplied.FIRST_PAGE, _oldest(matches) if is_page else None)


def _oldest(matches: list[fs.FhirStruct | Json]) -> datetime | None:
    """The moment after which a page that is truly newest first is complete; None if it is not, or a time cannot be
    read.

    `matches` holds the scanned resources, or the bytes of those that could not be scanned: they may still have a time.

    The next page may hold another record that starts in the same minute as the oldest here, so that minute is not
    covered.
    """
    try:
        texts = [_start_of(match) for match in matches]
        return moment(texts[-1], UTC).latest + timedelta(minutes=1) if texts and _are_newest_first(texts) else None
    except (*_BAD, BadTimeError):
        return None


def _are_newest_first(texts: Sequence[str]) -> bool:
    plain = sorting_texts(texts)
    if plain is not None and plain == sorted(plain, reverse=True):
        return True
    return all(later >= earlier for later, earlier in pairwise([moment(text, UTC).latest for text in texts]))


def _start_of(match: fs.FhirStruct | Json) -> str:
    """The time by which a page is sorted, as it is written; "" if there is none."""
    timed = match if isinstance(match, fs.FhirStruct) else _timed.decode(match)
    at: str | None = getattr(timed, "effective_date_time", None) or getattr(timed, "effective_instant", None)
    if at:
        return at
    period = getattr(timed, "effective_period", None)
    return (period.start if period else None) or ""


def coverage_of(states: Mapping[str, KeyState]) -> dict[Kind, Coverage]:
    """The coverage of each kind of data by prefetch alone."""
    found = {key.kind: _coverage(states[key.key]) for key in DATA_KEYS}
    found[Kind.MEDICATIONS] = Coverage(Completeness.COMPLETE)  # until one is missed
    recent, by_code = states["recentAdministrations"], states["crsDrugs"]
    if recent.supplied is Supplied.COMPLETE:
        found[Kind.RUNNING] = Coverage(Completeness.COMPLETE)
        found[Kind.CRS_DRUGS] = Coverage(Completeness.COMPLETE)
    elif by_code.supplied in _SOME and recent.supplied is Supplied.ABSENT:
        why = "only administrations found by code were supplied"
        found[Kind.ADMINISTRATIONS] = Coverage(Completeness.PART, why, gap=Gap.NOT_SUPPLIED)
    return found


def _coverage(state: KeyState) -> Coverage:
    match state.supplied:
        case Supplied.COMPLETE:
            return Coverage(Completeness.COMPLETE)
        case Supplied.FIRST_PAGE:
            return Coverage(Completeness.PART, "not all of it was supplied", state.since, Gap.SUPPLIED_IN_PART)
        case Supplied.BROKEN:
            return Coverage(Completeness.PART, "not all that was supplied could be read", gap=Gap.BROKEN)
        case Supplied.FAILED_IN_PART:
            return Coverage(Completeness.PART, "the client could not read all of it", gap=Gap.FAILED_AT_CLIENT)
        case Supplied.FAILED:
            return Coverage(Completeness.UNREAD, "the client could not read it", gap=Gap.FAILED_AT_CLIENT)
    return Coverage(Completeness.UNREAD, "not supplied", gap=Gap.NOT_SUPPLIED)
