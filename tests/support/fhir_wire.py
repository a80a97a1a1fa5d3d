"""The FHIR server of the tests: `responses` answers on the wire as HAPI does, from a list of resources.

A search by code finds neither a drug behind a reference nor a component; an unknown parameter is a 400; `next` is
on the base itself. A search by POST is written down, and answered, as the GET of the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import responses
from requests import PreparedRequest

BASE = "https://fhir.example.org/r4"
Resource = dict[str, Any]
Answer = tuple[int, dict[str, str], str]

_CODED = {"code", "status", "_id"}
_DATED = {"date", "effective-time"}
_KNOWN = {"patient", "_count", "_sort", "medication.code", "_getpages", "_getpagesoffset", *_CODED, *_DATED}


class FhirWire:
    """Answers GET, and searches by POST, under BASE. `fault` may answer first, and `on_post` before that to a POST; `asked` are the
    paths and queries asked for, `posted` those of them that came by POST."""

    def __init__(self, found: Iterable[Resource], page: int = 500) -> None:
        self.resources = list(found)
        self.page = page
        self.asked: list[str] = []
        self.posted: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.fault: Callable[[str], Answer | None] = lambda _: None
        self.on_post: Callable[[str], Answer | None] = lambda _: None
        self._searches: dict[str, list[Resource]] = {}

    def on(self, mock: responses.RequestsMock) -> FhirWire:
        mock.add_callback(responses.GET, re.compile(re.escape(BASE) + r".*"), callback=self._answer)
        mock.assert_all_requests_are_fired = False  # few calls ask by both methods
        mock.add_callback(responses.POST, re.compile(re.escape(BASE) + r"/[A-Za-z]+/_search"), callback=self._answer)
        return self

    def _answer(self, request: PreparedRequest) -> Answer:
        url = as_get(str(request.url), request.body)
        self.asked.append(url.removeprefix(BASE))
        self.headers.append(dict(request.headers))
        if request.method == "POST":
            self.posted.append(self.asked[-1])
        fault = (self.on_post(url) if request.method == "POST" else None) or self.fault(url)
        return fault if fault is not None else self.answer(url)

    def answer(self, url: str) -> Answer:
        """What the server says to a GET."""
        path, params = urlsplit(url).path.removeprefix(urlsplit(BASE).path), parse_qsl(urlsplit(url).query)
        unknown = {name for name, _ in params} - _KNOWN
        if unknown:
            return outcome(400, f"Unknown search parameter {min(unknown)}")
        parts = path.strip("/").split("/")
        if len(parts) == 2:
            found = next((r for r in self.resources if [r["resourceType"], r["id"]] == parts), None)
            return (200, {}, json.dumps(found)) if found else outcome(404, "not known")
        return self._search(parts[0], params)

    def _search(self, resource_type: str, params: list[tuple[str, str]]) -> Answer:
        plain = dict(params)
        offset = int(plain.get("_getpagesoffset", "0"))
        if "_getpages" in plain:
            matches, key = self._searches[plain["_getpages"]], plain["_getpages"]
        else:
            conditions = [self._condition(name, value) for name, value in params]
            of_type = (r for r in self.resources if r["resourceType"] == resource_type)
            matches = [r for r in of_type if all(meets(r) for meets in conditions)]
            if plain.get("_sort", "").startswith("-"):
                matches.sort(key=lambda r: _span(r)[0], reverse=True)
            key = f"search-{len(self._searches)}"
            self._searches[key] = matches
        count = min(int(plain.get("_count", "20")), self.page)
        page = matches[offset : offset + count]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(matches)}
        bundle["link"] = [{"relation": "self", "url": f"{BASE}/{resource_type}?{urlencode(params)}"}]
        if offset + count < len(matches):
            link = f"{BASE}?_getpages={quote(key)}&_getpagesoffset={offset + count}&_count={count}"
            bundle["link"].append({"relation": "next", "url": link})
        if page:
            bundle["entry"] = [{"resource": r, "search": {"mode": "match"}} for r in page]
        return 200, {}, json.dumps(bundle)

    def _condition(self, name: str, value: str) -> Callable[[Resource], bool]:
        """A parameter as a question to each resource: some charts hold tens of thousands."""
        wanted = frozenset(value.split(","))
        if name == "patient":
            reference = f"Patient/{value.removeprefix('Patient/')}"
            return lambda r: bool((r.get("subject") or r.get("patient") or {}).get("reference") == reference)
        if name == "code":
            return lambda r: _has_code(r.get("code") or r.get("medicationCodeableConcept") or {}, wanted)
        if name == "medication.code":
            medications = (r for r in self.resources if r["resourceType"] == "Medication")
            drugs = {f"Medication/{r['id']}" for r in medications if _has_code(r["code"], wanted)}
            return lambda r: r.get("medicationReference", {}).get("reference", "") in drugs
        if name == "status":
            return lambda r: r.get("status") in wanted
        if name == "_id":
            return lambda r: r["id"] in wanted
        if name in _DATED:
            return partial(_in_time, comparator=value[:2], at=datetime.fromisoformat(value[2:]))
        return lambda _: True


def as_get(address: str, form: bytes | str | None) -> str:
    """The GET that asks for the same as a request."""
    if not form:
        return address
    return f"{address.removesuffix('/_search')}?{form.decode() if isinstance(form, bytes) else form}"


def outcome(status: int, text: str) -> Answer:
    issue = {"severity": "error", "code": "processing", "diagnostics": text}
    return status, {}, json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def _has_code(concept: Resource, wanted: frozenset[str]) -> bool:
    own = [f"{c.get('system', '')}|{c.get('code', '')}" for c in concept.get("coding", ())]
    return not wanted.isdisjoint(own)


def _span(r: Resource) -> tuple[datetime, datetime]:
    period = r.get("effectivePeriod", {})
    start = r.get("effectiveDateTime") or period.get("start")
    if start is None:
        return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    first = datetime.fromisoformat(start)
    if first.tzinfo is None:  # a date stands for its whole day, in the server's zone
        first = first.replace(tzinfo=UTC)
        return first, first + timedelta(days=1)
    if "effectivePeriod" in r and "end" not in period:
        return first, datetime.max.replace(tzinfo=UTC)
    return first, datetime.fromisoformat(period["end"]) if period else first


def _in_time(r: Resource, comparator: str, at: datetime) -> bool:
    first, last = _span(r)
    return {"ge": last >= at, "gt": last > at, "lt": first < at, "le": first <= at}[comparator]
