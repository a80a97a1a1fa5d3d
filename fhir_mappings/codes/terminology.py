"""The value sets: the codes and texts that stand for each concept. They are read once at start.

A value set is a FHIR ValueSet resource in `value_sets/`; its file name is its id. Each code states its source and, for
a drug, the ingredient. A concept's designations are texts that mean the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from fhir_mappings.facts.treatment import Drug, DrugClass, DrugTraits

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
LOCAL = "urn:crs-cds:local"

SAME_SYSTEM = {
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,  # Epic writes RxNorm this way
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
}

DRUG_SETS = tuple(c.value for c in DrugClass if c not in (DrugClass.OTHER, DrugClass.UNIDENTIFIED))
NOT_COUNTED = "not-a-vasopressor"
# extensions of a concept that state traits of its ingredient
ALSO_PUSHED, CARRY_TIME, TREATED_EARLY = (
    "urn:crs-cds:also-pushed", "urn:crs-cds:carry-time", "urn:crs-cds:treated-early",
)  # fmt: skip

# The form of a code in each system. Anything else under that system is a mapping mistake and names nothing.
_FORMS = {
    LOINC: re.compile(r"\d{1,8}-\d|L[A-Z]\d+-\d"),
    SNOMED: re.compile(r"\d{6,18}"),
    RXNORM: re.compile(r"\d{1,8}"),
    ATC: re.compile(r"[A-Z]\d\d[A-Z]{0,2}(?:\d\d)?"),
    "http://www.ama-assn.org/go/cpt": re.compile(r"\d{4}[0-9A-Z]"),
    "http://www.cms.gov/Medicare/Coding/ICD10": re.compile(r"[0-9A-Z]{3,7}"),
    "http://hl7.org/fhir/sid/icd-10-cm": re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
}

_SYSTEM = re.compile(r"[A-Za-z][\w+.-]*:\S+")  # an absolute URI

Code = tuple[str, str]


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
        self._whole_texts: dict[str, Drug] = {}
        drug_words: dict[str, Drug] = {}
        self._traits = _traits_by_ingredient(value_sets)
        for set_id, concepts in value_sets.items():
            for concept in concepts:
                self._add(set_id, concept, drug_words)
        self._drug_words = drug_words
        longest_first = sorted(map(re.escape, drug_words), key=len, reverse=True)
        self._drug_pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(longest_first)})(?![\w])")

    @cached_property
    def infusion_marks(self) -> re.Pattern[bytes]:
        """The pattern for a CAR-T product or its administration in the bytes of a resource that cannot be read.

        A code must be a whole JSON string; a name may stand anywhere.
        """
        concepts = [c for set_id in ("car-t-product", "car-t-administration") for c in self.value_sets[set_id]]
        marks = {f'"{c.code}"' for c in concepts if c.system != LOCAL}
        for c in concepts:
            marks |= {f'"{text}"' if c.system == LOCAL else text for text in c.texts}
        return re.compile("|".join(map(re.escape, sorted(marks))).encode(), re.IGNORECASE)

    def _add(self, set_id: str, concept: Concept, drug_words: dict[str, Drug]) -> None:
        code = (concept.system, concept.code)
        self._sets_by_code[code] = self._sets_by_code.get(code, frozenset()) | {set_id}
        texts = [normalised(text) for text in concept.texts]
        for text in texts:
            self._sets_by_text[text] = self._sets_by_text.get(text, frozenset()) | {set_id}
        if set_id not in (*DRUG_SETS, NOT_COUNTED):
            return
        drug_class = DrugClass.OTHER if set_id == NOT_COUNTED else DrugClass(set_id)
        ingredient = concept.ingredient or concept.display
        drug = Drug(drug_class, ingredient, self.traits(ingredient))
        self._drug_by_code[code] = drug
        if drug_class is DrugClass.CAR_T and concept.system == LOCAL:
            # inside a longer text "CAR-T" may announce a premedication, so it counts as the whole text only
            self._whole_texts |= dict.fromkeys(texts, drug)
            return
        for text in texts:
            drug_words[text] = drug

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
                found |= self._sets_by_code.get((SAME_SYSTEM.get(system, system), code), frozenset())
        return found

    def name_something(self, codings: Iterable[tuple[str | None, str | None]]) -> bool:
        """Tell whether a coding names anything, known here or not.

        A LOINC code of ours under another system does not, nor does a text in place of a code.
        """
        return any(self._names(SAME_SYSTEM.get(system, system), code) for system, code in codings if system and code)

    def resemble_ours(self, codings: Iterable[tuple[str | None, str | None]]) -> bool:
        """Tell whether a coding has a system that our codes have, or a LOINC code of ours under any system."""
        return any(
            SAME_SYSTEM.get(system or "", system) in _FORMS or (LOINC, code) in self._sets_by_code
            for system, code in codings
        )

    def _names(self, system: str, code: str) -> bool:
        form = _FORMS.get(system)
        if form is not None:
            return form.fullmatch(code) is not None
        known = _SYSTEM.fullmatch(system) is not None and code.strip() != ""
        return known and (LOINC, code) not in self._sets_by_code

    def sets_of_text(self, text: str | None) -> frozenset[str]:
        """The ids of every value set that lists this whole text as a synonym."""
        return self._sets_by_text.get(normalised(text), frozenset()) if text else frozenset()

    def drug(self, codings: Iterable[tuple[str | None, str | None]], texts: Iterable[str]) -> Drug | None:
        """The drug of any coding, else of any text. OTHER is a drug that is named but not ours, None an unnamed one.

        A code without a text names a drug only if the codes of its system are ingredients (ATC). A product code that
        is not listed may stand for any drug, so it leaves a gap in the history.
        """
        codings = list(codings)
        for system, code in codings:
            if system and code:
                drug = self._drug_by_code.get((SAME_SYSTEM.get(system, system), code))
                if drug is not None:
                    return drug
        named = [normalised(text) for text in texts if text and text.strip()]
        for text in named:
            drug = self._whole_texts.get(text) or self._drug_in(text)
            if drug is not None:
                return drug
        if named or any(system == ATC and code and len(code) == 7 for system, code in codings):
            return Drug(DrugClass.OTHER, "other")
        return None

    def _drug_in(self, text: str) -> Drug | None:
        """The drug that a normalised text names.

        A CAR-T product counts only if no other drug is named and the text begins with it: "Kymriah fever protocol:
        acetaminophen" is no infusion.
        """
        matches = list(self._drug_pattern.finditer(text))
        drugs = [(m.start(), self._drug_words[m.group()]) for m in matches]
        others = [drug for _, drug in drugs if drug.drug_class is not DrugClass.CAR_T]
        if others:
            return others[0]
        return drugs[0][1] if drugs and drugs[0][0] == 0 else None


def _traits_by_ingredient(value_sets: Mapping[str, tuple[Concept, ...]]) -> dict[str, DrugTraits]:
    """The traits of each ingredient. One code that states a trait is enough; of two carry times the last one wins."""
    found: dict[str, DrugTraits] = {}
    for concept in (c for set_id in DRUG_SETS for c in value_sets.get(set_id, ()) if c.traits != DrugTraits()):
        known, own = found.get(concept.ingredient or concept.display, DrugTraits()), concept.traits
        found[concept.ingredient or concept.display] = DrugTraits(
            known.also_pushed or own.also_pushed, own.carry or known.carry, known.treated_early or own.treated_early
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
