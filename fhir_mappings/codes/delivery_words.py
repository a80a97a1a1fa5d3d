"""The way a drug is given, by the words of its route, method and dosage text: as an infusion, as a push, elsewhere.

`delivery_words.json` holds the words by language. Words of both, or a word that denies or allows ("do not bolus"),
leave it open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from fhir_mappings.codes.folded_text import MOST_CHARS, is_unspaced, words_of
from fhir_mappings.facts.treatment import Delivery


@cache
def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(
        (files("fhir_mappings.codes") / "delivery_words.json").read_text(encoding="utf-8")
    )
    return document


@cache
def _words(kind: str) -> tuple[str, ...]:
    """The folded words of one kind in every language, longest first; those of a spaced script between blanks."""
    found = set()
    for text in (text for texts in _document()["words"][kind].values() for text in texts):
        parts = text.split("-")
        for joints in product((" ", ""), repeat=len(parts) - 1):
            words = words_of("".join(part + joint for part, joint in zip(parts, (*joints, ""), strict=True)))
            found.add(words if is_unspaced(words[0]) else f" {words} ")
    return tuple(sorted(found, key=len, reverse=True))


@cache
def _push_codes() -> frozenset[tuple[str, str]]:
    return frozenset((code["system"], code["code"]) for code in _document()["codes"]["push"])


@dataclass(frozen=True, slots=True)
class SaidOfDelivery:
    """The codings of a method, and the texts of route, method and dosage."""

    method: tuple[tuple[str | None, str | None], ...] = ()
    texts: tuple[str, ...] = ()


class Deliveries(dict[SaidOfDelivery, Delivery]):
    """The way each drug of a chart was given; what is said of many is worked out once."""

    def __missing__(self, said: SaidOfDelivery) -> Delivery:
        self[said] = found = delivery(said)
        return found


def delivery(of: SaidOfDelivery) -> Delivery:
    """The way a drug is given, by code, else by words."""
    if any(coding in _push_codes() for coding in of.method):
        return Delivery.PUSH
    said = " ".join(f" {words_of(text[:MOST_CHARS])} " for text in of.texts)
    if not said.strip():
        return Delivery.NOT_STATED
    infusion = False
    for word in _words("infusion"):  # one of infusion may hold one of a push
        if word in said:
            infusion, said = True, said.replace(word, "  ")
    push, elsewhere, denied = (any(word in said for word in _words(kind)) for kind in ("push", "elsewhere", "denial"))
    if infusion:
        return Delivery.NOT_STATED if push or elsewhere else Delivery.INFUSION
    if denied:
        return Delivery.NOT_STATED
    return Delivery.ELSEWHERE if elsewhere else Delivery.PUSH if push else Delivery.NOT_STATED
