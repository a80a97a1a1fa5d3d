"""The value sets: the codes and texts that stand for each concept. They are read once at start.

A value set is a FHIR ValueSet resource in `value_sets/`; its file name is its id. Each code states its source and, for
a drug, the ingredient. A concept's designations are texts that mean the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Any

from fhir_mappings.codes.code_systems import ATC, FORMS, LOCAL, LOINC, canonical_system, is_address
from fhir_mappings.codes.drug_names import DrugNames
from fhir_mappings.codes.drug_texts import text_reading
from fhir_mappings.codes.packaged_names import PackagedName, packaged_names
from fhir_mappings.codes.word_lists import word_list
from fhir_mappings.facts.treatment import Drug, DrugClass, DrugTraits

DRUG_SETS = tuple(c.value for c in DrugClass if c not in (DrugClass.OTHER, DrugClass.UNIDENTIFIED))
NOT_COUNTED = "not-a-vasopressor"
ANTI_INFECTIVE_SETS = ("antibacterial", "antifungal", "antiviral")
# an evaluation alone reads them: to the rules their codes are those of something else, which nobody asks for
RETROSPECTIVE_SETS = ("crs-grade", "ferritin")
# extensions of a concept that state traits of its ingredient
ALSO_PUSHED, CARRY_TIME, TREATED_EARLY, PROPHYLACTIC = (
    "urn:crs-cds:also-pushed", "urn:crs-cds:carry-time", "urn:crs-cds:treated-early", "urn:crs-cds:prophylactic",
)  # fmt: skip

Code = tuple[str, str]
LEAST_WORD = 3  # letters of a route that counts in a name: "PR" is rectal as a route, and prolonged release in a name
READINGS = 4096  # texts that are remembered with what was read of them


@dataclass(frozen=True)
class Concept:
    system: str
    code: str
    display: str
    ingredient: str | None
    texts: tuple[str, ...]
    source: str = ""
    display_unconfirmed: bool = False
    traits: DrugTraits = DrugTraits()


def normalised(text: str) -> str:
    """The form in which texts are compared: lower case, single spaces."""
    return " ".join(text.lower().split())


class Terminology:
    """The value sets by id, and the look-ups built from them."""

    def __init__(self, value_sets: Mapping[str, tuple[Concept, ...]], titles: Mapping[str, str]) -> None:
        self.value_sets = value_sets
        self.titles = titles
        self._sets_by_code: dict[Code, frozenset[str]] = {}
        self._sets_by_text: dict[str, frozenset[str]] = {}
        self._drug_by_code: dict[Code, Drug] = {}
        self._drug_by_ingredient: dict[str, Drug] = {}
        self._traits = _traits_by_ingredient(value_sets)
        for set_id, concepts in value_sets.items():
            for concept in concepts if set_id not in RETROSPECTIVE_SETS else ():
                self._add(set_id, concept)
        for name in packaged_names():
            self._drug_by_ingredient.setdefault(name.ingredient, Drug(_class_of(name), name.ingredient))
        names = DrugNames(self._names())
        local = word_list(t for c in value_sets.get("local-route", ()) for t in c.texts if len(t) >= LEAST_WORD)
        # a chart has few texts, each of them many times
        self.read = lru_cache(maxsize=READINGS)(lambda text: text_reading(text, names, local))

    def _names(self) -> Iterator[tuple[str, str]]:
        """Every name with its ingredient: those of the value sets in force first, for a site's own rule."""
        for set_id in (*DRUG_SETS, NOT_COUNTED):
            for concept in self.value_sets.get(set_id, ()):
                yield from ((text, concept.ingredient or concept.display) for text in concept.texts)
        yield from ((name.name, name.ingredient) for name in packaged_names())

    @cached_property
    def infusion_marks(self) -> re.Pattern[bytes]:
        """The pattern for a CAR-T product or its administration in the bytes of a resource that cannot be read.

        A code must be a whole JSON string; a name may stand anywhere.
        """
        concepts = [c for set_id in ("car-t-product", "car-t-administration") for c in self.value_sets[set_id]]
        marks = {f'"{c.code}"' for c in concepts if c.system != LOCAL} | {'"CAR-T"', '"CAR T"'}
        for c in concepts:
            marks |= {f'"{text}"' if c.system == LOCAL else text for text in c.texts}
        products = (n for n in packaged_names() if self.drug_named(n.ingredient).drug_class is DrugClass.CAR_T)
        marks |= {n.name for n in products}
        return re.compile("|".join(map(re.escape, sorted(marks))).encode(), re.IGNORECASE)

    def _add(self, set_id: str, concept: Concept) -> None:
        code = (concept.system, concept.code)
        self._sets_by_code[code] = self._sets_by_code.get(code, frozenset()) | {set_id}
        for text in map(normalised, concept.texts):
            self._sets_by_text[text] = self._sets_by_text.get(text, frozenset()) | {set_id}
        if set_id not in (*DRUG_SETS, NOT_COUNTED):
            return
        drug_class = DrugClass.OTHER if set_id == NOT_COUNTED else DrugClass(set_id)
        ingredient = concept.ingredient or concept.display
        drug = Drug(drug_class, ingredient, self.traits(ingredient))
        self._drug_by_code[code] = drug
        self._drug_by_ingredient[ingredient] = drug

    def traits(self, ingredient: str) -> DrugTraits:
        """The traits that the value sets state for one ingredient."""
        return self._traits.get(ingredient, DrugTraits())

    def codes(self, *set_ids: str) -> tuple[Code, ...]:
        """The codes of some value sets as a search needs them, without texts that have no code system."""
        return tuple((c.system, c.code) for set_id in set_ids for c in self.value_sets[set_id] if c.system != LOCAL)

    def texts(self, set_id: str) -> tuple[str, ...]:
        """The texts of a value set in the form in which they are compared."""
        return tuple(normalised(text) for c in self.value_sets[set_id] for text in c.texts)

    def first(self, set_id: str) -> Concept:
        """The concept of a value set that our own orders carry."""
        return self.value_sets[set_id][0]

    def sets_of(self, codings: Iterable[tuple[str | None, str | None]]) -> frozenset[str]:
        """The ids of every value set that holds one of the codings."""
        found: frozenset[str] = frozenset()
        for system, code in codings:
            if system and code:
                found |= self._sets_by_code.get((canonical_system(system), code), frozenset())
        return found

    def name_something(self, codings: Iterable[tuple[str | None, str | None]]) -> bool:
        """Tell whether codings say what is meant, be it nothing of ours.

        A LOINC code of ours under another system, or a text in place of a code, does not.
        """
        return any(self._says_what(canonical_system(system), code) for system, code in codings if system and code)

    def resemble_ours(self, codings: Iterable[tuple[str | None, str | None]]) -> bool:
        """Tell whether a coding has a system that our codes have, or a LOINC code of ours under any system."""
        return any(
            canonical_system(system or "") in FORMS or (LOINC, code) in self._sets_by_code for system, code in codings
        )

    def _says_what(self, system: str, code: str) -> bool:
        form = FORMS.get(system)
        if form is not None:
            return form.fullmatch(code) is not None
        known = is_address(system) and code.strip() != ""
        return known and (LOINC, code) not in self._sets_by_code

    def sets_of_text(self, text: str | None) -> frozenset[str]:
        """The ids of every value set that lists this whole text as a synonym."""
        return self._sets_by_text.get(normalised(text), frozenset()) if text else frozenset()

    def drug_coded(self, codings: Iterable[tuple[str | None, str | None]]) -> Drug | None:
        """The drug of the first coding that is one of ours."""
        for system, code in codings:
            drug = self._drug_by_code.get((canonical_system(system), code)) if system and code else None
            if drug is not None:
                return drug
        return None

    def drug_named(self, ingredient: str) -> Drug:
        """The drug of an ingredient that a text names."""
        return self._drug_by_ingredient[ingredient]

    def name_another(self, codings: Iterable[tuple[str | None, str | None]]) -> bool:
        """Tell whether a code names an ingredient by itself: one of ATC, or that of an anti-infective.

        A product that we do not list may hold any drug.
        """
        codings = tuple(codings)
        if any(canonical_system(system) == ATC and len(code) == 7 for system, code in codings if system and code):
            return True
        return not self.sets_of(codings).isdisjoint(ANTI_INFECTIVE_SETS)


def _class_of(name: PackagedName) -> DrugClass:
    """The class of a packaged name whose ingredient no value set in force holds."""
    return DrugClass.CAR_T if name.part == DrugClass.CAR_T.value else DrugClass.OTHER


def _traits_by_ingredient(value_sets: Mapping[str, tuple[Concept, ...]]) -> dict[str, DrugTraits]:
    """The traits of each ingredient. One code that states a trait is enough; of two carry times the last one wins."""
    found: dict[str, DrugTraits] = {}
    sets = (*DRUG_SETS, *ANTI_INFECTIVE_SETS)
    for concept in (c for set_id in sets for c in value_sets.get(set_id, ()) if c.traits != DrugTraits()):
        known, own = found.get(concept.ingredient or concept.display, DrugTraits()), concept.traits
        found[concept.ingredient or concept.display] = DrugTraits(
            also_pushed=known.also_pushed or own.also_pushed,
            carry=own.carry or known.carry,
            treated_early=known.treated_early or own.treated_early,
            prophylactic=known.prophylactic or own.prophylactic,
        )
    return found


def concepts_of(value_set: Mapping[str, Any]) -> tuple[Concept, ...]:
    """The concepts that a ValueSet resource lists."""
    found = []
    for include in value_set.get("compose", {}).get("include", ()):
        for concept in include["concept"]:
            extensions = {e["url"]: e for e in concept.get("extension", ())}
            ingredient = extensions.get("urn:crs-cds:ingredient", {}).get("valueString")
            texts = tuple(d["value"] for d in concept.get("designation", ()))
            source = extensions.get("urn:crs-cds:code-source", {}).get("valueString", "")
            doubtful = bool(extensions.get("urn:crs-cds:display-unconfirmed", {}).get("valueBoolean"))
            code, display = concept["code"], concept["display"]
            traits = DrugTraits(
                also_pushed=bool(extensions.get(ALSO_PUSHED, {}).get("valueBoolean")),
                carry=_hours(extensions.get(CARRY_TIME, {}).get("valueDuration")),
                treated_early=bool(extensions.get(TREATED_EARLY, {}).get("valueBoolean")),
                prophylactic=bool(extensions.get(PROPHYLACTIC, {}).get("valueBoolean")),
            )
            found.append(Concept(include["system"], code, display, ingredient, texts, source, doubtful, traits))
    return tuple(found)


def _hours(duration: Mapping[str, Any] | None) -> timedelta | None:
    """A FHIR Duration in hours; None if there is none or it has another unit."""
    if duration is None or duration.get("code") != "h" or "value" not in duration:
        return None
    return timedelta(hours=float(duration["value"]))


@cache
def packaged_terminology() -> Terminology:
    """The value sets that come with the package."""
    folder = files("fhir_mappings.codes") / "value_sets"
    sets, titles = {}, {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".json"):
            value_set = json.loads(file.read_text(encoding="utf-8"))
            sets[value_set["id"]] = concepts_of(value_set)
            titles[value_set["id"]] = value_set["title"]
    return Terminology(sets, titles)
