"""The comparison of texts: folded, and cut into words.

Latin letters lose case and accents; the marks of kana stay, because they make another letter. A word is a run of
letters or of digits; Chinese, Japanese and Korean are not cut into words, and come as one run without blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache

MOST_CHARS = 500  # of one text; what a longer one says beyond them is not read
_WRITTEN_OUT = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th"})
_WORDS = re.compile(r"[^\W\d_]+|\d+|%")
_RUN = "\u1100-\u11ff\u3005-\u3007\u3040-\u30fa\u30fc-\u318f\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUNS = re.compile(f"[{_RUN}]+")
_BETWEEN = re.compile(r"[\s・･·\-‐-―]+")
_KANA = re.compile(r"[\u30a1-\u30fa\u30fc]+")


class Script(Enum):
    """LATIN has columns in the table of names, and so has RUN (Chinese, Japanese, Korean); OTHER has none."""

    LATIN = auto()
    RUN = auto()
    OTHER = auto()


def folded(text: str) -> str:
    """NFKC, case folded, Latin letters without accents and written out."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept: list[str] = []
    base = ""
    for letter in letters:
        if unicodedata.combining(letter) and script_of(base) is Script.LATIN:
            continue
        base = letter if not unicodedata.combining(letter) else base
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_WRITTEN_OUT)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a folded text in Latin or any script but those of runs; numbers and "%" are words too."""
    return tuple(_WORDS.findall(text if text.isascii() else _RUNS.sub(" ", text)))


def runs_of(text: str) -> str:
    """A folded text without blanks, dots and hyphens, in which names of Chinese, Japanese and Korean are sought; ""
    where it has no letter of theirs."""
    return "" if text.isascii() or not _RUNS.search(text) else _BETWEEN.sub("", text)


def kana_words(run: str) -> Iterator[str]:
    """The runs of katakana in a run."""
    return (match.group() for match in _KANA.finditer(run))


@lru_cache(maxsize=4096)
def script_of(letter: str) -> Script:
    """The script of one letter; OTHER for "" too."""
    if letter.isascii():
        return Script.LATIN if letter.isalpha() else Script.OTHER
    if _RUNS.match(letter):
        return Script.RUN
    return Script.LATIN if unicodedata.name(letter, "").startswith("LATIN") else Script.OTHER


def without_accents_written_out(name: str) -> tuple[str, ...]:
    """A name folded, and with its umlauts as ae, oe, ue where it has any."""
    written = name.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return tuple(dict.fromkeys((folded(name), folded(written))))
