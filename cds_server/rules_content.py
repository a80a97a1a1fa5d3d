"""The content of the rules in force, section by section and row by row: what a signature covers and the hash names.

Everything of the decision page that acts is here, so that two pages with the same hash give the same answers. The
statements on evidence beside each card are not: they may be corrected without a new signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from importlib.resources import files

from cards.deciding.card_modes import CardMode, CardModes
from cards.deciding.decision_table import ORDERS, PARTS, CardId
from cards.deciding.protocol import Protocol
from cards.deciding.rules_version import CITED_RULES
from cards.pages.rows_in_words import conditions
from cards.sentences.phrases import PHRASES
from cards.wording.wording import WORDING, Wording
from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.terminology import Concept, Terminology
from fhir_mappings.facts.thresholds import Thresholds, in_unit, numbers
from fhir_mappings.facts.treatment import DrugTraits
from fhir_mappings.facts.weight import MEDIAN_WEIGHTS

RulesContent = Mapping[str, Mapping[str, str]]

_WORDS = {
    "fhir_mappings.codes": ("delivery_words.json", "drug_names.json", "drug_words.json"),
    "fhir_mappings.codes.devices": ("device_vocabulary.json",),
    "fhir_mappings.reading": ("unit_factors.json", "unit_names.json"),
}


def rules_content(t: Thresholds, terms: Terminology, modes: CardModes, protocol: Protocol) -> RulesContent:
    """Every row of the rules by its section and name. The same rules, written otherwise, give the same content."""
    return {
        "version": {"rules": CITED_RULES},
        "numbers": {n.name: f"{in_unit(getattr(t, n.name), n.unit).normalize():f} {n.unit}" for n in numbers()},
        "median weights": {f"from {years} years": f"{kg} kg" for years, kg in MEDIAN_WEIGHTS},
        "card modes": {card: mode.value for card, mode in modes.modes.items() if mode is not CardMode.ACTIVE},
        "protocol": dict(_protocol(protocol)),
        "rows": dict(_rows(t)),
        "cards": {card.value: _words(card, wording) for card, wording in WORDING.items()},
        "sentences": {f"{part}, {name}": text for part, texts in PHRASES.items() for name, text in texts.items()},
        "codes": _codes(terms),
        "lists of words": dict(_lists_of_words()),
    }


def _protocol(protocol: Protocol) -> Iterator[tuple[str, str]]:
    yield "name", protocol.name
    yield "third line", "; ".join(protocol.third_line)
    for number, line in enumerate(protocol.lines, 1):
        said = f"{line.text}; {line.source}, read {line.read.isoformat()}; {line.status.value}"
        yield f"{line.product}, {line.situation}, {number}", said


def hash_of(content: RulesContent) -> str:
    """The first 16 hexadecimal digits of the SHA-256 over a content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _rows(t: Thresholds) -> Iterator[tuple[str, str]]:
    for part, rules in PARTS.items():
        for rule in rules:
            gives = ", ".join(f"{card} ({indicator})" for card, indicator in rule.gives) or "no card"
            without = "" if rule.orders else ", without orders"
            yield rule.id, f"{part}: {conditions(rule, t) or 'always'} → {gives}{without}; {rule.source}"


def _words(card: CardId, wording: Wording) -> str:
    orders = ", ".join(order.name for order in ORDERS.get(card, ()))
    said = (wording.display, wording.summary, *wording.every_line)
    return "\n".join([*said, f"orders: {orders}", f"source: {wording.source.label}"])


@lru_cache(maxsize=8)
def _codes(terms: Terminology) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for set_id, concepts in terms.value_sets.items():
        for concept in concepts:
            name = concept.display if concept.system == LOCAL else f"{concept.system}|{concept.code}"
            found.setdefault(f"{set_id}: {name}", []).append(_meaning(concept))
    return {name: "\n".join(meanings) for name, meanings in found.items()}


def _meaning(concept: Concept) -> str:
    return "; ".join(filter(None, [concept.display, concept.ingredient, *concept.texts, *_traits(concept.traits)]))


def _traits(traits: DrugTraits) -> list[str]:
    """The numbers that a drug itself states, as text."""
    return [f"{f.name} {getattr(traits, f.name)}" for f in fields(traits) if getattr(traits, f.name)]


def _lists_of_words() -> Iterator[tuple[str, str]]:
    """The digest of each list by which texts, devices and units are read. A site cannot change them."""
    for package, names in _WORDS.items():
        for name in names:
            yield name, hashlib.sha256((files(package) / name).read_bytes()).hexdigest()[:16]
