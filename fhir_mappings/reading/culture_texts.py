"""The text of a culture or PCR, read as words: does all of it say that nothing was found?

No pattern reads it. Laboratories write lines of dashes, dots and blanks, on which a pattern with overlapping
repetitions may need longer than the world is old.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

Words = tuple[str, ...]
MOST_CHARS = 300  # a longer text is more than a way to say "nothing": it counts as a finding
_LONG_WORD = 4  # letters; two such words side by side are a sentence, and no value with its unit
# what may stand between words and says nothing, beside blanks
_BETWEEN = frozenset(",.:;()[]_=*|-–—‐‑−・、。，：；（）")
# what may stand before a known way to say "negative", and after it, without adding anything
_BEFORE: tuple[Words, ...] = (
    ("final",), ("preliminary",), ("prelim",), ("report",), ("result",), ("culture",), ("blood", "culture"),
    ("urine", "culture"), ("cmv",), ("dna",), ("pcr",),
)  # fmt: skip
_AFTER: tuple[Words, ...] = (("to", "date"), ("so", "far"), ("final",), ("after",), ("at",), ("for",), ("x",), ("in",))
_TIME_UNITS = frozenset({"h", "hr", "hrs", "hour", "hours", "d", "day", "days"})


def says_nothing_found(text: str, known: tuple[str, ...]) -> bool:
    """Tell whether the whole text is a known way to say "negative" or "pending", or a value below a limit. `known` are
    these ways, in lower case with single blanks.

    "No growth to date" is one; "no growth aerobic; anaerobic bottle: Escherichia coli" says more and is none.
    """
    if len(text) > MOST_CHARS:
        return False
    plain = " ".join(text.lower().split())
    return plain in known or _says_negative(plain, known) or _is_below(plain)


def _says_negative(text: str, known: tuple[str, ...]) -> bool:
    words = _words(text)
    starts, ends = _starts(words), _ends(words)
    return any(
        words[start : start + len(phrase)] == phrase and start + len(phrase) in ends
        for start in starts
        for phrase in _phrases(known)
    )


def _words(text: str) -> Words:
    """Runs of letters and runs of digits; every other sign that may say something is a word by itself."""
    found: list[str] = []
    last = ""
    for char in text:
        kind = "letter" if char.isalpha() else "digit" if char.isdigit() else "sign"
        if char.isspace() or char in _BETWEEN:
            kind = "between"
        elif kind == last and kind != "sign":
            found[-1] += char
        else:
            found.append(char)
        last = kind
    return tuple(found)


@lru_cache(maxsize=8)
def _phrases(known: tuple[str, ...]) -> tuple[Words, ...]:
    return tuple(dict.fromkeys(filter(None, map(_words, known))))


def _starts(words: Words) -> set[int]:
    """The places that only words of `_BEFORE` stand before."""
    found = {0}
    for place in range(len(words)):
        if place in found:
            found |= {place + len(said) for said in _BEFORE if words[place : place + len(said)] == said}
    return found


def _ends(words: Words) -> set[int]:
    """The places that only words of `_AFTER` and lengths of time ("48 h") follow."""
    found = {len(words)}
    for place in reversed(range(len(words))):
        lengths = {len(said) for said in _AFTER if words[place : place + len(said)] == said}
        if words[place].isdigit() and not _TIME_UNITS.isdisjoint(words[place + 1 : place + 2]):
            lengths.add(2)
        if any(place + length in found for length in lengths):
            found.add(place)
    return found


def _is_below(text: str) -> bool:
    """Tell whether a text in lower case is a value below a limit, or zero, and no sentence: "<20 copies/mL"."""
    words = text.split(" ")
    if any(map(_are_long_words, pairwise(words))):
        return False
    return _begins_with_below(text) or _is_zero(words[0]) or _ends_with_below_in_brackets(text)


def _are_long_words(pair: tuple[str, str]) -> bool:
    parts = (pair[0][-_LONG_WORD:], pair[1][:_LONG_WORD])
    return all(len(part) == _LONG_WORD and part.isascii() and part.isalpha() for part in parts)


def _begins_with_below(text: str) -> bool:
    limit = text[1:].removeprefix("=").lstrip()
    return text[:1] in ("<", "≤") and limit[:1] in {*"0123456789.,"}


def _is_zero(word: str) -> bool:
    whole, point, decimals = word.replace(",", ".").partition(".")
    return set(whole) == {"0"} and (not point or set(decimals) == {"0"})


def _ends_with_below_in_brackets(text: str) -> bool:
    inside = text[:-1].rpartition(")")[2].split("(")[1:]
    return text.endswith(")") and any(part.lstrip()[:1] == "<" and _begins_with_below(part.lstrip()) for part in inside)
