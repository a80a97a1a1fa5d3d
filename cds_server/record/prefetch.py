"""The data that the client sent along. An absent key, `null`, an OperationOutcome and a first page are four different
things.

Prefetch shows that a drug was given, never that it was not, unless it is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import msgspec

from cds_server.data_keys import DATA_KEYS, DataKey
from cds_server.outgoing.fhir_bundle import NO_RESOURCE
from fhir_mappings.facts.coverage import Completeness, Coverage, Gap, Kind
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.resources import Json


class Supplied(StrEnum):
    ABSENT = "absent"
    COMPLETE = "complete"
    FIRST_PAGE = "first page"
    FAILED = "failed at the client"


@dataclass(frozen=True)
class KeyState:
    """The state in which one key came. A first page, newest first, is complete only after `since`, its oldest start."""

    supplied: Supplied
    since: datetime | None = None


class _Timed(fs.FhirStruct, frozen=True):
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: fs.Period | None = None


class _Loose(fs.FhirStruct, frozen=True):
    entry: tuple[msgspec.Raw, ...]


class _Sent(fs.Bundle, frozen=True):
    """A Bundle, and the fields that a header must have, in one pass over its bytes."""

    id: str | None = None
    meta: fs.Meta | None = None


_bundle = msgspec.json.Decoder(_Sent)
_loose = msgspec.json.Decoder(_Loose)
_entry = msgspec.json.Decoder(fs.Entry)
_header = msgspec.json.Decoder(fs.Header)
_timed = msgspec.json.Decoder(_Timed)
_NULL = msgspec.Raw(b"null")
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_prefetch(prefetch: Mapping[str, msgspec.Raw], pool: ResourcePool) -> dict[str, KeyState]:
    """Put every resource into the pool and return the state of each key of ours. Other keys are ignored."""
    return {key.key: _read_key(key, prefetch.get(key.key), pool) for key in DATA_KEYS}


def _read_key(key: DataKey, raw: msgspec.Raw | None, pool: ResourcePool) -> KeyState:
    if raw is None:
        return KeyState(Supplied.ABSENT)
    if raw == _NULL:
        return KeyState(Supplied.COMPLETE)
    where = f"prefetch.{key.key}"
    bundle = _bundle_in(raw) if key.kind is not Kind.PATIENT else None
    if bundle is not None:
        return _read_bundle(key, bundle, where, pool)
    try:
        resource_type = _header.decode(raw).resource_type
        if resource_type == "OperationOutcome":
            return KeyState(Supplied.FAILED)
        if key.kind is Kind.PATIENT and resource_type == "Patient":
            pool.add(raw, where, from_client=True, kinds=frozenset({key.kind}))
            return KeyState(Supplied.COMPLETE)
    except _BAD:
        pass
    return KeyState(Supplied.ABSENT) if key.kind is Kind.PATIENT else _read_entries(key, raw, where, pool)


def _read_entries(key: DataKey, raw: msgspec.Raw, where: str, pool: ResourcePool) -> KeyState:
    """Read each whole entry of a Bundle that is broken somewhere. The key then came in part, and the FHIR server is
    asked for the rest."""
    entries: list[fs.Entry] = []
    try:
        for one in _loose.decode(raw).entry:
            try:
                entries.append(_entry.decode(one))
            except _BAD:  # no resource: it is set aside with all its bytes
                entries.append(fs.Entry(resource=one))
    except _BAD:
        return KeyState(Supplied.ABSENT)
    _read_bundle(key, fs.Bundle(entry=tuple(entries)), where, pool)
    return KeyState(Supplied.FIRST_PAGE)


def _bundle_in(raw: msgspec.Raw) -> fs.Bundle | None:
    try:
        found = _bundle.decode(raw)
    except _BAD:
        return None
    return found if found.resource_type == "Bundle" else None


def _read_bundle(key: DataKey, bundle: fs.Bundle, where: str, pool: ResourcePool) -> KeyState:
    matches: list[fs.FhirStruct | Json] = []
    kinds = frozenset({key.kind})
    for index, entry in enumerate(bundle.entry):
        raw = entry.resource or NO_RESOURCE
        mode = entry.search.mode if entry.search else None
        if mode == "outcome":
            continue
        scanned = pool.add(raw, f"{where}.entry[{index}]", from_client=True, kinds=kinds, full_url=entry.full_url)
        if mode != "include":
            matches.append(scanned or raw)
    more = any(link.relation == "next" for link in bundle.link)
    full = key.count is not None and len(matches) >= key.count
    short = bundle.total is not None and bundle.total != len(matches)
    if not (more or full or short):
        return KeyState(Supplied.COMPLETE)
    return KeyState(Supplied.FIRST_PAGE, _oldest(matches) if key.sort and not (short and not more) else None)


def _oldest(matches: list[fs.FhirStruct | Json]) -> datetime | None:
    """The moment after which a page that is truly newest first is complete; None if it is not, or a time cannot be
    read.

    `matches` holds the scanned resources, or the bytes of those that could not be scanned: they may still have a time.

    The next page may hold another record that starts in the same minute as the oldest here, so that minute is not
    covered.
    """
    try:
        starts = [moment(_start_of(match), UTC).latest for match in matches]
    except (*_BAD, BadTimeError):
        return None
    newest_first = all(later >= earlier for later, earlier in pairwise(starts))
    return starts[-1] + timedelta(minutes=1) if starts and newest_first else None


def _start_of(match: fs.FhirStruct | Json) -> str:
    """The time by which a page is sorted, as it is written; "" if there is none."""
    timed = _timed.decode(match) if isinstance(match, Json) else match
    period = getattr(timed, "effective_period", None)
    at = getattr(timed, "effective_date_time", None) or getattr(timed, "effective_instant", None)
    return at or (period.start if period else None) or ""


def coverage_of(states: Mapping[str, KeyState]) -> dict[Kind, Coverage]:
    """The coverage of each kind of data by prefetch alone."""
    found = {key.kind: _coverage(states[key.key]) for key in DATA_KEYS if key.key != "crsDrugs"}
    recent, by_code = states["recentAdministrations"], states["crsDrugs"]
    if recent.supplied is Supplied.COMPLETE:
        found[Kind.RUNNING] = Coverage(Completeness.COMPLETE)
    elif by_code.supplied in (Supplied.COMPLETE, Supplied.FIRST_PAGE) and recent.since is None:
        why = "only administrations found by code were supplied"
        found[Kind.ADMINISTRATIONS] = Coverage(Completeness.PART, why, gap=Gap.SUPPLIED_IN_PART)
    return found


def _coverage(state: KeyState) -> Coverage:
    match state.supplied:
        case Supplied.COMPLETE:
            return Coverage(Completeness.COMPLETE)
        case Supplied.FIRST_PAGE:
            return Coverage(Completeness.PART, "not all of it was supplied", state.since, Gap.SUPPLIED_IN_PART)
        case Supplied.FAILED:
            return Coverage(Completeness.UNREAD, "the client could not read it", gap=Gap.FAILED_AT_CLIENT)
    return Coverage(Completeness.UNREAD, "not supplied", gap=Gap.NOT_SUPPLIED)
