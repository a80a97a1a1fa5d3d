"""The spelling of a unit made comparable: case, blanks, dots, µ, "per", plurals, brackets and annotations do not count.

`Mg/L`, `MG / l` and "milligrams per liter" differ in the table's words only: folding never makes a mega of an M.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

MOST_CHARS = 60  # no unit is longer; what is, is a remark
# signs that are typed for a degree sign, a minus, a times sign or a slash; the escape of ^ in HL7 v2
_KIN = str.maketrans({"º": "°", "˚": "°", "∘": "°", "ᵒ": "°", "−": "-", "–": "-", "×": "x", "✕": "x", "∗": "*",
                      "⁄": "/", "∕": "/", "÷": "/", "每": "/"})  # fmt: skip
_KANA_DEGREE = re.compile("[ﾟ゜](?=[CFcf])")
# UCUM's "mg/(kg.h)" is "mg/kg/h"
_BRACKETED = re.compile(r"/\(([^()]*)\)")
_DOT_OF_WORDS = re.compile(r"(?<=[a-z])[.·*](?=[a-z])")
_PARTS = re.compile(r"[^\W\d_]+|\d+|\S|\s+")
_SAYS_NOTHING = frozenset(" .,·・･_^*[]()'`´’\"°+\\")
_INVERSE = (("-", "1"), ("^", "-", "1"))  # what makes "L" a "/L"
_DOUBLED = re.compile("//+")
_LEAST_PLURAL = 3  # letters of a word that may end in the s of a plural
_WRITTEN_OUT = str.maketrans({"μ": "u", "ı": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ß": "ss"})


def folded_unit(text: str, per: Container[str], units: Container[str]) -> str:
    """A unit as the table has it. `per` are the words for a stroke, `units` those that are units by themselves, which
    stay when they are written as an annotation."""
    if len(text) > MOST_CHARS:
        return ""
    plain = _plain(text)
    if "{" in plain:
        plain = _without_annotations(plain, per, units)
    if "/(" in plain:
        plain = _BRACKETED.sub(lambda found: "/" + _DOT_OF_WORDS.sub("/", found[1]), plain)
    return _joined(_PARTS.findall(plain), per)


def _plain(text: str) -> str:
    """NFKC, case folded, without the accents of Latin letters, with one sign for each of its kin."""
    kin = _KANA_DEGREE.sub("°", text).translate(_KIN)
    plain = unicodedata.normalize("NFKC", kin).translate(_KIN).casefold().replace("\\s\\", "^").translate(_WRITTEN_OUT)
    if plain.isascii():
        return plain
    apart = unicodedata.normalize("NFD", plain)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


def _without_annotations(plain: str, per: Container[str], units: Container[str]) -> str:
    """The unit without what stands in braces. "mg/{kg}" and "{pg}/mL" say a unit there, and so does a whole unit."""
    found, rest = "", plain
    while "{" in rest:
        before, _, rest = rest.partition("{")
        said, closed, after = rest.partition("}")
        if not closed:
            return f"{found}{before}{{{said}"
        found += before
        alone = found[-1:] in ("", "/", ".", " ") and after[:1] in ("", "/", ".", " ")
        word = _joined(_PARTS.findall(said), per)
        if "/" in word or (alone and word in units) or not (found.strip() or after.strip()):
            found += said
        rest = after
    return found + rest


def _joined(parts: list[str], per: Container[str]) -> str:
    """The parts as one word, with a slash where one is meant: "per L", "L-1", "L⁻¹" are all "/l"."""
    found: list[str] = []
    place = 0
    while place < len(parts):
        part, after = parts[place], parts[place + 1 : place + 4]
        place += 1
        if part.isalpha():
            power = next((len(p) for p in _INVERSE if tuple(after[: len(p)]) == p), 0)
            place += power
            is_stroke = part in per and len(parts) > 1
            found += ["/", part] if power else ["/"] if is_stroke else [_singular(part)]
        elif part == "-":
            found += ["-"] if after and after[0].isdigit() else []
        elif part not in _SAYS_NOTHING and not part.isspace():
            found.append(part)
    return _DOUBLED.sub("/", "".join(found)).rstrip("/")


def _singular(word: str) -> str:
    return word[:-1] if len(word) >= _LEAST_PLURAL and word.endswith("s") and word.isascii() else word
