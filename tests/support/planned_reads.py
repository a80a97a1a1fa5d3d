"""The reads of one call, from the search plan itself: a read that is added to the plan has a name here, and thereby a
place in the fault matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from urllib.parse import parse_qsl, urlsplit

from cds_server.data_keys import DATA_KEYS
from cds_server.limits import CourseLookup
from cds_server.record.patient_forms import PatientForm
from cds_server.record.prefetch import KeyState, Supplied
from cds_server.record.search_plan import Hint, Need, Plan
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.reading.resources import OF_NO_PATIENT
from tests.support.tables import NOW, TERMS, T, facts_of, patient

Form = tuple[str, frozenset[tuple[str, str]]]
_OF_ANY_SEARCH = frozenset({"patient", "_count", "_sort"})
_KEY_OF_KIND = {key.kind: key.key for key in DATA_KEYS}
_BY_MOMENT = frozenset({"date", "effective-time"})


@cache
def planned_reads() -> Mapping[Form, str]:
    """The name of each read by its form: the Patient, the searches of the plan, and what stands behind references."""
    found: dict[Form, str] = {("Patient", frozenset()): "patient"}
    for need in _searches():
        found[_form(need.search.resource_type, need.search.params)] = _name(need)
    found |= {(name, frozenset({("_id", "")})): name for name in OF_NO_PATIENT if name}
    return found


def _searches() -> Iterator[Need]:
    """The searches of a call that brings nothing, for a patient with a course."""
    plan = Plan("p", PatientForm.ID, NOW, TERMS, T, CourseLookup.HISTORY)
    yield from plan.first_round({key.key: KeyState(Supplied.ABSENT) for key in DATA_KEYS})
    recent = Coverage(Completeness.COMPLETE, since=NOW - timedelta(hours=48))
    yield from plan.next_round(dict.fromkeys(Kind, recent), facts_of(patient("")).course, set(), {})


def _name(need: Need) -> str:
    """The prefetch keys that hold the same data, and what tells the search from another one for them."""
    keys = "-".join(_KEY_OF_KIND[kind] for kind in need.kinds)
    if need.hint is Hint.BEHIND_REFERENCES:
        return f"{keys}-behind"
    return keys if need.until is None else f"{keys}-earlier"


def read_of(address: str) -> str:
    """The name of the read that asks for an address: path and query under the base. KeyError if none is planned."""
    parts = urlsplit(address)
    resource_type, _, resource_id = parts.path.strip("/").partition("/")
    params = () if resource_id else tuple(parse_qsl(parts.query))
    return planned_reads()[_form(resource_type, params)]


def _form(resource_type: str, params: tuple[tuple[str, str], ...]) -> Form:
    """The type and the parameters, of a moment its comparator only, of ids nothing."""
    plain = ((name, _plain(name, value)) for name, value in params if name not in _OF_ANY_SEARCH)
    return resource_type, frozenset(plain)


def _plain(name: str, value: str) -> str:
    if name == "_id":
        return ""
    return value[:2] if name in _BY_MOMENT else value
