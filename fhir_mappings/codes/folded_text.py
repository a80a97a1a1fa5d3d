"""Charted words made comparable: one case, no accents, one blank between words, numbers apart from letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache

MOST_CHARS = 200  # what a device needs; the rest of a longer text is nothing that a table could account for
_WRITTEN_OUT = {
    "ı": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ß": "ss",
}  # fmt: skip
# what may stand between words and says nothing; an arrow, a question mark, < and > do not
_BETWEEN = frozenset(" \t\r\n()[]{},;:=+&@#*_|\\/\"'`´‘’“”.·•・、。，；：-–—‐‑‒−~〜…!®™。「」【】©°")
# a sign in brackets says that something is absent
_ABSENT_SIGNS = ("(-)", "(ー)", "( - )")
_TURKISH = str.maketrans({"İ": "I", "ı": "i"})  # letters without an accent
# one sign for its typographic kin
_SIGNS = str.maketrans({"’": "'", "‘": "'", "´": "'", "`": "'", "⁄": "/", "〜": "~", "–": "-", "−": "-"})
# the formulas in words, so that their digits are no numbers; a zero is often typed for the letter
_FORMULAS = (("h2o", "hho"), ("h20", "hho"), ("fi02", "fio2"), ("o2", "oxy"))


def folded(text: str) -> str:
    """NFKC, case folded, without the accents of Latin letters; a mark of kana is no accent."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return plain if plain.isascii() else "".join(map(_plain, plain))


@cache
def _plain(char: str) -> str:
    if char in _WRITTEN_OUT:
        return _WRITTEN_OUT[char]
    if "\u0300" <= char <= "\u036f":
        return ""
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else char


@cache
def is_unspaced(char: str) -> bool:
    """Tell whether a character is of a script whose words stand side by side: kana, kanji, hangul."""
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" or char == "々"


def words_of(text: str) -> str:
    """A folded text as words with one blank between them: `2 l min`, `oxy`, `12/6`, `2-4`, `高流量`.

    A number is one word, with its point, its range or its pair; a percent sign is a word; a script without blanks has
    none.
    """
    plain = folded(text).translate(_SIGNS) + " "
    for sign in _ABSENT_SIGNS:
        plain = plain.replace(sign, " ¬ ")
    for formula, word in _FORMULAS:
        plain = plain.replace(formula, word)
    plain = plain.replace("'s ", "s ").replace(" / ", "/").replace("/ ", "/").replace(" /", "/")
    found: list[str] = []
    last = ""
    for place, char in enumerate(plain):
        after = plain[place + 1 : place + 2]
        kind = _kind(char, last, after)
        if kind == " ":
            last = " " if last else ""
            continue
        if kind != last and found and not (kind == "字" and last == " " and is_unspaced(found[-1])):
            found.append(" ")
        if kind == "0" and char in ".," and last != "0":
            found.append("0")
        found.append("." if char == "," else "-" if kind == "0" and char in "–~〜" else char)
        last = kind
    return "".join(found).rstrip()


def written_words(text: str) -> Iterator[str]:
    """The words of scripts with blanks, as they are written."""
    plain = unicodedata.normalize("NFKC", text).translate(_TURKISH)
    yield from "".join(char if char.isalpha() and not is_unspaced(char) else " " for char in plain).split()


def accented_words(text: str) -> frozenset[str]:
    """The words of a text that have a letter with an accent, in small letters."""
    return (
        frozenset(w.casefold() for w in written_words(text) if not w.isascii()) if not text.isascii() else frozenset()
    )


def _kind(char: str, last: str, after: str) -> str:
    """`a` a Latin letter, `0` a number, `%`, `字` a script without blanks, ` ` between words, `?` anything else."""
    if char.isascii():
        if char.isalpha():
            return "a"
        if char.isdigit():
            return "0"
    digit_after = after.isascii() and after.isdigit()
    if (char in ".,/-~" and last == "0" and digit_after) or (char == "." and last in ("", " ") and digit_after):
        return "0"
    if char == "%":
        return "%"
    if char in _BETWEEN or char.isspace():
        return " "
    return "字" if is_unspaced(char) else "?"
