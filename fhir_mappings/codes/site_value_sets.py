"""The mapping from a site's ValueSet resources to the terminology in force, or a refusal that names file and field.

A file adds its concepts to the value set with its id. With the extension `urn:crs-cds:replaces` it replaces that set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from fhir.resources.R4B.valueset import ValueSet
from pydantic import ValidationError

from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.observed_sets import DEVICE_SETS, KIND_OF_SET
from fhir_mappings.codes.site_concepts import check_concept, ingredient_of, system_of
from fhir_mappings.codes.terminology import (
    ANTI_INFECTIVE_SETS,
    DRUG_SETS,
    NOT_COUNTED,
    RETROSPECTIVE_SETS,
    Concept,
    Terminology,
    concepts_of,
    normalised,
    packaged_terminology,
)
from fhir_mappings.facts.site_thresholds import SiteRuleError

REPLACES = "urn:crs-cds:replaces"
_OBSERVED = (*(s for s in KIND_OF_SET if s not in DEVICE_SETS), *RETROSPECTIVE_SETS)
_CODED = ("coded-crs", "coded-icans", "car-t-history", "coded-infection")
# Groups of value sets that exclude each other: a code or text in two of a group would say two things of one patient,
# so it stops the start.
_ONE_OF = (
    (*DRUG_SETS, NOT_COUNTED, *ANTI_INFECTIVE_SETS),
    DEVICE_SETS,
    ("negative-result", "positive-result"),
    _OBSERVED,
    _CODED,
    ("intravenous-route", "subcutaneous-route", "local-route", "other-systemic-route"),
)


_ORDERED = (
    "tocilizumab", "interleukin-6", "blood-culture", "urine-culture", "complete-blood-count", "c-reactive-protein",
    "chest-imaging",
)  # fmt: skip


def site_terminology(files: Mapping[str, bytes]) -> Terminology:
    """The packaged value sets with a site's own added. `files` are their contents by name. Raises SiteRuleError."""
    return _terminology(tuple(files.items()))


@lru_cache(maxsize=8)  # the same files give the same terminology, so that what is worked out from it is shared too
def _terminology(files: tuple[tuple[str, bytes], ...]) -> Terminology:
    packaged = packaged_terminology()
    sets = dict(packaged.value_sets)
    seen: dict[str, bool] = {}
    for name, content in files:
        set_id, own, replaces = site_concepts(name, content)
        if set_id in seen and (replaces or seen[set_id]):
            raise SiteRuleError(f"{name}: another file has the id {set_id}, and one of them replaces it; join them.")
        seen[set_id] = replaces
        mine = {(c.system, c.code) for c in own}
        kept = () if replaces else tuple(c for c in sets[set_id] if (c.system, c.code) not in mine)
        # the package's concepts stand first because our orders carry the first code
        sets[set_id] = (*kept, *own)
    found = Terminology(sets, packaged.titles)
    if files:
        _check_contradictions(found)
        _check_orders(found)
    return found


def site_concepts(name: str, content: bytes) -> tuple[str, tuple[Concept, ...], bool]:
    """The value set that a file is for, its concepts, and whether they take the place of the package's. Raises
    SiteRuleError."""
    document = _document(name, content)
    set_id, known = document["id"], packaged_terminology().value_sets
    if set_id not in known:
        near = get_close_matches(set_id, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "its id must be that of a value set of this service."
        raise SiteRuleError(f"{name}: {set_id} is no value set of this service; {hint}")
    return set_id, _concepts(name, set_id, document), _replaces(name, document)


def _replaces(name: str, document: Mapping[str, Any]) -> bool:
    for extension in document.get("extension", ()):
        if extension["url"] == REPLACES and isinstance(extension.get("valueBoolean"), bool):
            return bool(extension["valueBoolean"])
        if extension["url"].startswith("urn:crs-cds:"):
            raise SiteRuleError(f'{name}: extension must be {REPLACES} with "valueBoolean".')
    return False


def _document(name: str, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SiteRuleError(f"{name}: not readable as JSON; correct the file or remove it.") from error
    if not isinstance(document, dict) or document.get("resourceType") != "ValueSet":
        raise SiteRuleError(f"{name}: must be one FHIR ValueSet.")
    try:
        ValueSet.model_validate(document)
    except ValidationError as error:
        path = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise SiteRuleError(f"{name}: not a valid FHIR R4 ValueSet at {path or 'its top'}.") from error
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise SiteRuleError(f"{name}: not a valid FHIR R4 ValueSet.") from error
    document = dict(_without_nulls(document))
    if "id" not in document:
        raise SiteRuleError(f"{name}: id is missing; it says which value set the file adds to.")
    return document


def _without_nulls(value: Any) -> Any:
    """A copy without null, which FHIR does not allow but clients write."""
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value if v is not None] if isinstance(value, list) else value


def _concepts(name: str, set_id: str, document: Mapping[str, Any]) -> tuple[Concept, ...]:
    compose = document.get("compose", {})
    if compose.get("exclude"):
        raise SiteRuleError(f"{name}: compose.exclude is not read; replace the value set with {REPLACES} instead.")
    for number, include in enumerate(compose.get("include", ())):
        where = f"{name}: compose.include[{number}]"
        if "system" not in include or not include.get("concept") or include.get("filter") or include.get("valueSet"):
            raise SiteRuleError(f"{where} must list concepts of one system, without filter or valueSet.")
        include["system"] = system_of(where, include["system"])
        for place, concept in enumerate(include["concept"]):
            check_concept(f"{where}.concept[{place}]", concept, include["system"], set_id)
    found = tuple(replace(c, ingredient=ingredient_of(name, set_id, c)) for c in concepts_of(document))
    if not found:
        raise SiteRuleError(f"{name}: compose.include lists no concept.")
    for one in found:
        if set_id in DRUG_SETS and one.ingredient is None:
            raise SiteRuleError(f"{name}: {one.code} needs the extension urn:crs-cds:ingredient with its ingredient.")
    return found


def _check_contradictions(terms: Terminology) -> None:
    for group in _ONE_OF:
        seen: dict[tuple[str, str], str] = {}
        for set_id in group:
            for concept in terms.value_sets.get(set_id, ()):
                words = [(LOCAL, normalised(text)) for text in concept.texts]
                for key in [(concept.system, concept.code), *words]:
                    other = seen.setdefault(key, set_id)
                    if other != set_id:
                        raise SiteRuleError(f"{key[1]} is in both {other} and {set_id}; it can be in one only.")


def _check_orders(terms: Terminology) -> None:
    """Raises SiteRuleError if something that our suggestions order has no code left that an EHR can read."""
    for set_id in _ORDERED:
        if terms.first(set_id).system == LOCAL:
            raise SiteRuleError(f"{set_id}: its first concept must have a code system, for orders carry it.")
    steroids = {c.ingredient for c in terms.value_sets["systemic-corticosteroid"] if c.system != LOCAL}
    for ingredient in ("dexamethasone", "methylprednisolone"):
        if ingredient not in steroids:
            raise SiteRuleError(f"systemic-corticosteroid: needs a code for {ingredient}, for orders carry it.")
