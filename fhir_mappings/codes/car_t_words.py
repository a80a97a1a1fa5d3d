"""The words of a CAR-T infusion, and of what happens around one: clinical specification, and its class 3.

`CAR` and `T` count in capitals, because "car T 39" of a French note is a temperature; in any case they count beside a
word for cells. `CART` counts only before a target or cells: a crash cart is none, and cART treats HIV.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto

from fhir_mappings.codes.folding import MOST_CHARS, folded
from fhir_mappings.codes.word_lists import Text, listed, packaged_list, text_of

_AS_WRITTEN = re.compile(r"[A-Za-z\u00c0-\u024f]+|[^\W\d_A-Za-z\u00c0-\u024f]+|\d+")
_TARGETS = frozenset({"19", "22", "BCMA", "CD"})
_MIXED_CART = frozenset({"CarT", "CARt"})  # "cART" treats HIV
_TEMPERATURES = range(34, 44)  # °C
_MOST_BETWEEN = 5  # words from CAR to the word for cells
_JOINING = ("de", "nl", "sv", "da", "no", "fi")  # languages that write two words as one
_LEAST_JOINED = 7  # letters of a word that is found inside another
PRODUCT_ENDING = "cabtagene"
_PRODUCT_RUNS = ("カブタゲン", "캅타진", "캅타겐", "基奥仑赛", "基奧侖賽")


class CarT(Enum):
    """The sayings of a text about CAR-T cells."""

    NOTHING = auto()
    AROUND = auto()  # a consult, a collection, a consent: no infusion
    DOUBT = auto()  # words of both
    INFUSION = auto()


def car_t_reading(written: str, *, product: bool) -> CarT:
    """The meaning of a text about CAR-T cells; `product`: it names one of the products."""
    shown = written[:MOST_CHARS]
    text = text_of(shown)
    if not (product or has_car_t_words(shown, text)):
        return CarT.NOTHING
    if not _says(text, "about"):
        return CarT.INFUSION
    return CarT.DOUBT if _says(text, "giving") else CarT.AROUND


def _says(text: Text, name: str) -> bool:
    """Tell whether a word of a list stands in a text: as a word, or, in a language that joins words, in one."""
    if packaged_list(name).stands_in(text):
        return True
    parts = [entry for entry in listed(name, *_JOINING) if len(entry) >= _LEAST_JOINED]
    return any(part in word for word in text.words if len(word) > _LEAST_JOINED for part in parts)


def has_car_t_words(shown: str, text: Text) -> bool:
    return (
        any(word.endswith(PRODUCT_ENDING) for word in text.words)
        or any(run in text.run for run in _PRODUCT_RUNS)
        or _names_the_receptor(text)
        or _names_car_t(shown)
    )


def _names_the_receptor(text: Text) -> bool:
    """ "Chimeric antigen receptor" in any order of its words."""
    if any(run in text.run for run in listed("antigen", "ja", "ko", "zh")):
        return True
    return all(
        any(word.startswith(listed("antigen", group)) for word in text.words)
        or any(part in word for word in text.words for part in listed("antigen", group) if group != "chimeric")
        for group in ("chimeric", "antigen", "receptor")
    )


def _names_car_t(shown: str) -> bool:
    words = _AS_WRITTEN.findall(unicodedata.normalize("NFKC", shown))
    for at, word in enumerate(words):
        before, after, beyond = (words[n] if 0 <= n < len(words) else "" for n in (at - 1, at + 1, at + 2))
        if word.upper() == "CAR":
            if after == "T" and word == "CAR" and not _is_temperature(beyond):
                return True
            if after.upper() == "T" and any(map(_begins_with_cells, (beyond, before))):
                return True
            if _is_t_cells(after) or (word == "CAR" and _are_modified(words[at + 1 : at + 1 + _MOST_BETWEEN])):
                return True
        if word == "CART" and (after in _TARGETS or _begins_with_cells(after)):
            return True
        if word in _MIXED_CART and _begins_with_cells(after):
            return True
        if word.startswith("CART") and _begins_with_cells(word.removeprefix("CART")):
            return True
    return False


def _is_temperature(word: str) -> bool:
    """ "CAR T 39" of a French note in capitals."""
    return word.isdigit() and int(word) in _TEMPERATURES


def _are_modified(words: list[str]) -> bool:
    """ "CAR-positive viable T cells", "CAR gene-modified T cells": T and cells at the end, words of making between."""
    for at, word in enumerate(words[:-1]):
        if word == "T" and _begins_with_cells(words[at + 1]):
            return at > 0 and all(folded(between) in packaged_list("making").words for between in words[:at])
    return False


def _is_t_cells(word: str) -> bool:
    """ "Tcells" in one word."""
    return word[:1].upper() == "T" and _begins_with_cells(word[1:])


def _begins_with_cells(word: str) -> bool:
    cells, plain = packaged_list("cells"), folded(word)
    return plain in cells.words or plain.startswith(cells.runs)
