"""The Observations that an evaluation alone reads, by the value sets that no rule knows."""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import lru_cache

from fhir_mappings.codes.code_systems import canonical_system
from fhir_mappings.codes.meanings import Meaning, Meanings
from fhir_mappings.codes.terminology import RETROSPECTIVE_SETS, Terminology, normalised
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.observations import Observations, sort_observations
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.resource_pool import ResourcePool


def retrospective(pool: ResourcePool, terms: Terminology, zone: tzinfo, until: datetime, t: Thresholds) -> Observations:
    """The Observations of a final chart by the value sets of an evaluation. What they hold leaves no hole: no rule
    rests on it."""
    return sort_observations(
        pool.of_type(fs.Observation), terms, zone, until, t.future_tolerance, meanings=_meanings(terms)
    )


class _Retrospective(Meanings):
    """The meaning of a code by those value sets alone: a code of theirs, or the whole text of one."""

    def __init__(self, terms: Terminology) -> None:
        super().__init__(terms)
        concepts = [(set_id, one) for set_id in RETROSPECTIVE_SETS for one in terms.value_sets.get(set_id, ())]
        self._by_code = {(one.system, one.code): set_id for set_id, one in concepts}
        self._by_text = {normalised(text): set_id for set_id, one in concepts for text in one.texts}

    def __missing__(self, code: fs.CodeableConcept) -> Meaning:
        codings = fs.codings_of(code)
        found = {self._by_code.get((canonical_system(system or ""), one or "")) for system, one in codings}
        found.add(self._by_text.get(normalised(code.text or "")))
        sets = frozenset(set_id for set_id in found if set_id is not None)
        self[code] = meaning = Meaning(codings, sets, named=True, is_foreign=not sets, is_panel=False)
        return meaning


@lru_cache(maxsize=8)
def _meanings(terms: Terminology) -> Meanings:
    return _Retrospective(terms)
