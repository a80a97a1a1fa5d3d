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
    if not packaged_list("about").stands_in(text):
        return CarT.INFUSION
    return CarT.DOUBT if packaged_list("giving").stands_in(text) else CarT.AROUND


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
    for before, word, after, beyond in zip(("", *words), words, (*words[1:], ""), (*words[2:], "", ""), strict=False):
        if word == "CART" and (after in _TARGETS or _begins_with_cells(after)):
            return True
        if word == "CAR" and after == "T":
            return True
        if word.upper() == "CAR" and after.upper() == "T" and any(map(_begins_with_cells, (beyond, before))):
            return True
    return False


def _begins_with_cells(word: str) -> bool:
    cells, plain = packaged_list("cells"), folded(word)
    return plain in cells.words or plain.startswith(cells.runs)
