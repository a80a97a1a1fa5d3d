"""The example patients on a FHIR server: written under fixed ids in transactions, and removed again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urljoin

import requests

from example_patients.client.http_calls import FHIR_JSON, NoAnswerError, RefusedError, json_of, sent
from example_patients.stories.chart import Resource
from example_patients.stories.stories import SCENES, record

# two hours after the moment to which the stories were moved, the first card changes
HOLD = timedelta(hours=2)
# younger examples stay as they are: another hour is left before the first card changes, when the interval of a dose
# ends
KEPT = timedelta(hours=1)
IDS_OF_A_SEARCH = 50
LEAST_BATCH = 25  # resources of a transaction, where a server refuses larger ones
PATIENTS = len(SCENES)
ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # the ids and the distances in time are the same at every moment


@dataclass(frozen=True)
class Seeded:
    """The result of a seeding: the moment of the examples, and how many of their resources were written."""

    moved_to: datetime
    written: int
    total: int


def reference_of(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def examples(moved_to: datetime, zone: tzinfo) -> dict[str, Resource]:
    """Every resource of the example patients by its reference. A resource comes before those that refer to it."""
    return {reference_of(r): r for story, scene in SCENES for r in record(story, scene, moved_to, zone)}


def seed(fhir_base: str, session: requests.Session, now: datetime, zone: tzinfo, batch: int | None = None) -> Seeded:
    """Make the server hold the examples, moved to now. Examples younger than KEPT keep their moment.

    They are written in transactions of `batch` resources; without one in a single transaction, or in smaller ones if
    the server refuses that. Raises NoAnswerError.
    """
    here = fetch_examples(fhir_base, session)
    moved_to = _moved_to(here)
    if moved_to is None or not timedelta() <= now - moved_to <= KEPT:
        moved_to = now.astimezone(UTC).replace(second=0, microsecond=0)
    wanted = examples(moved_to, zone)
    written = [r for reference, r in wanted.items() if content_of(here.get(reference)) != r]
    transact_in_parts("writing the examples", fhir_base, session, [*map(put_entry, written)], batch)
    return Seeded(moved_to, len(written), len(wanted))


def remove(fhir_base: str, session: requests.Session, batch: int | None = None) -> int:
    """Delete the examples that are there, each before those that it refers to; their number. Raises NoAnswerError."""
    here = fetch_examples(fhir_base, session)
    order = [reference for reference in reversed(examples(ANY_MOMENT, UTC)) if reference in here]
    transact_in_parts("removing the examples", fhir_base, session, [*map(delete_entry, order)], batch)
    return len(order)


def fetch_examples(fhir_base: str, session: requests.Session) -> dict[str, Resource]:
    """The resources of the examples that the server has, by reference. Raises NoAnswerError."""
    ids: dict[str, list[str]] = defaultdict(list)
    for resource in examples(ANY_MOMENT, UTC).values():
        ids[resource["resourceType"]].append(resource["id"])
    found: dict[str, Resource] = {}
    for resource_type, all_ids in ids.items():
        for start in range(0, len(all_ids), IDS_OF_A_SEARCH):
            some = all_ids[start : start + IDS_OF_A_SEARCH]
            for resource in searched(fhir_base, session, resource_type, f"_id={','.join(some)}"):
                found[reference_of(resource)] = resource
    return found


def fetch_moment(fhir_base: str, session: requests.Session) -> datetime | None:
    """The moment to which the examples on a server were moved; None if they are not there. Raises NoAnswerError."""
    step, reference = "looking for the examples", reference_of(_last_of_the_first(ANY_MOMENT))
    response = sent(step, session, "GET", f"{fhir_base}/{reference}", headers=FHIR_JSON)
    return None if response.status_code in (404, 410) else _moved_to({reference: json_of(step, response)})


def _moved_to(here: Mapping[str, Resource]) -> datetime | None:
    """The moment of the examples that a server has, told by one entry of the first scene; None if that is missing."""
    entry = _last_of_the_first(ANY_MOMENT)
    try:
        charted = datetime.fromisoformat(here[reference_of(entry)]["effectiveDateTime"])
        return ANY_MOMENT + (charted - datetime.fromisoformat(entry["effectiveDateTime"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _last_of_the_first(moved_to: datetime) -> Resource:
    """The last sign before the call of the first scene."""
    return record(*SCENES[0], moved_to, UTC)[-1]


def content_of(resource: Resource | None) -> Resource:
    """A resource without the parts that a server adds by itself."""
    return {name: value for name, value in (resource or {}).items() if name not in ("meta", "text")}


def searched(fhir_base: str, session: requests.Session, resource_type: str, query: str) -> Iterator[Resource]:
    """The resources of a type that a search finds, on all its pages. Raises NoAnswerError."""
    step = f"looking for the examples ({resource_type})"
    url: str | None = f"{fhir_base}/{resource_type}?{query}&_count={IDS_OF_A_SEARCH}"
    seen: set[str] = set()
    while url is not None:
        if url in seen or not url.startswith((f"{fhir_base}/", f"{fhir_base}?")):
            raise NoAnswerError(step, "the next page is not on the same FHIR server, or the pages do not end")
        seen.add(url)
        bundle = json_of(step, sent(step, session, "GET", url, headers=FHIR_JSON))
        try:
            for entry in bundle.get("entry", ()):
                if entry["resource"]["resourceType"] == resource_type:  # others are remarks
                    yield {**entry["resource"], "id": entry["resource"]["id"]}
            link = next((link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"), None)
            url = None if link is None else urljoin(url, link)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise NoAnswerError(step, "the server's answer is not a FHIR searchset") from error


def put_entry(resource: Resource) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "PUT", "url": reference_of(resource)}}


def delete_entry(reference: str) -> dict[str, Any]:
    return {"request": {"method": "DELETE", "url": reference}}


def transact(step: str, fhir_base: str, session: requests.Session, entries: Iterable[dict[str, Any]]) -> None:
    """Write all of the entries or none. Raises NoAnswerError."""
    entry = list(entries)
    if not entry:
        return
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entry})
    headers = {**FHIR_JSON, "Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
    answer = json_of(step, sent(step, session, "POST", fhir_base, data=body.encode(), headers=headers))
    if answer.get("type") != "transaction-response":
        raise NoAnswerError(step, "the server did not take a transaction")


def transact_in_parts(
    step: str, fhir_base: str, session: requests.Session, entries: Sequence[dict[str, Any]], batch: int | None
) -> None:
    """Write the entries in transactions of `batch`, in their order. Without a `batch` halve the transaction for as long
    as the server refuses it, down to LEAST_BATCH. Raises NoAnswerError."""
    size, start = batch or max(len(entries), 1), 0
    while start < len(entries):
        try:
            transact(step, fhir_base, session, entries[start : start + size])
        except RefusedError:
            if batch is not None or size <= LEAST_BATCH:
                raise
            size = max(LEAST_BATCH, size // 2)
            continue
        start += size
