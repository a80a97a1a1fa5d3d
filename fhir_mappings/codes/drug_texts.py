"""One text that names a medication → the ingredients it names, what it says of them, and what it may be meant for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from fhir_mappings.codes.drug_names import DrugNames, Named, abbreviations
from fhir_mappings.codes.folding import MOST_CHARS, Script, folded, script_of, words_of
from fhir_mappings.codes.word_lists import Text, WordList, listed, packaged_list, text_of

MOST_WORDS_OF_SHORT = 5  # a bedside abbreviation counts in a text of at most so many words
_LEAST_FOREIGN = 3  # letters of another script in a text
_LEAST_READABLE = 5  # letters of a Latin word that says something; units and manufacturers are shorter
_LONGEST_NUMBER = 8
_PERCENT = frozenset({"%", "percent", "prozent", "pct", "procent", "procento", "prosenttia"})


class Mark(Enum):
    """The other words of a text, beside the names."""

    ANAESTHETIC = auto()
    LOCAL = auto()
    COLD = auto()
    ASSAY = auto()
    RECEPTOR = auto()


class Doubt(Enum):
    """The reason why a text is not read as a drug, and not as another either."""

    BESIDE_ASSAY = auto()
    MISSPELT = auto()
    ABBREVIATION = auto()
    SCRIPT = auto()
    TOO_LONG = auto()
    AROUND_CELLS = auto()


@dataclass(frozen=True)
class MayMean:
    """The drug that a text may be meant for: the ingredient, None for any drug."""

    doubt: Doubt
    ingredient: str | None = None


@dataclass(frozen=True)
class TextReading:
    """`ingredients` in their order, `percent` those followed by a strength in percent of themselves; `may_mean` is for
    a text that names none of ours. `says` is False for a text without a letter."""

    says: bool
    ingredients: tuple[str, ...] = ()
    percent: frozenset[str] = frozenset()
    marks: frozenset[Mark] = frozenset()
    may_mean: tuple[MayMean, ...] = ()


def text_reading(written: str, names: DrugNames, local: WordList) -> TextReading:
    """The reading of one text. Beyond the first characters it is not read, and said so.

    `local` are a site's own words.
    """
    shown = written[:MOST_CHARS]
    if not any(letter.isalpha() for letter in shown):
        return TextReading(says=False)
    plain = text_of(shown)
    text = Text(tuple(part for word in plain.words for part in names.spelled_out(word)), plain.run)
    found = tuple(names.found_in(text))
    percent = frozenset(one.ingredient for one in found if _is_followed_by_percent(text, one))
    too_long = (MayMean(Doubt.TOO_LONG),) if len(written) > MOST_CHARS else ()
    return TextReading(
        says=True,
        ingredients=tuple(dict.fromkeys(one.ingredient for one in found)),
        percent=percent,
        marks=frozenset(_marks(text, local)),
        may_mean=(*_guesses(shown, _without(text, found), names), *too_long),
    )


def _without(text: Text, found: Iterable[Named]) -> Text:
    """The text without the words of its names: "Pred Forte" is known, and no abbreviation."""
    named = {at for one in found if not one.in_run for at in range(one.start, one.end)}
    return Text(tuple(word for at, word in enumerate(text.words) if at not in named), text.run)


def _marks(text: Text, local: WordList) -> Iterator[Mark]:
    endings = listed("anaesthetics", "endings")
    if any(word.endswith(endings) and len(word) > len("cocaine") - 1 for word in text.words) or packaged_list(
        "anaesthetics", "brands", "ja", "ko", "zh"
    ).stands_in(text):
        yield Mark.ANAESTHETIC
    without_rate = packaged_list("not local").left_out_of(text)
    if packaged_list("local").stands_in(without_rate) or local.stands_in(without_rate):
        yield Mark.LOCAL
    for mark, name in ((Mark.COLD, "cold"), (Mark.ASSAY, "assay"), (Mark.RECEPTOR, "receptors")):
        if packaged_list(name).stands_in(text):
            yield mark


def _is_followed_by_percent(text: Text, name: Named) -> bool:
    """`hydrocortisone acetate 2.5 %`: a number of one or two parts and a percent sign right after the name."""
    end, words = name.end, text.words
    if name.in_run:
        number, percent, _ = text.run[end : end + _LONGEST_NUMBER].partition("%")
        return bool(percent) and number.replace(".", "").isdigit()
    salts = packaged_list("salts").words
    while end < len(words) and words[end] in salts:
        end += 1
    numbers = 0
    while end < len(words) and words[end].isdigit() and numbers < 2:
        end, numbers = end + 1, numbers + 1
    return numbers > 0 and end < len(words) and words[end] in _PERCENT


def _guesses(shown: str, text: Text, names: DrugNames) -> Iterator[MayMean]:
    for _, ingredient in names.near(text):
        yield MayMean(Doubt.MISSPELT, ingredient)
    units = packaged_list("units").words
    short = abbreviations()
    counted = [word for word in _whole_words(shown) if not word.isdigit() and word not in units]
    if len(counted) <= MOST_WORDS_OF_SHORT:
        written = words_of(unicodedata.normalize("NFKC", shown).casefold())
        for word in text.words:  # "před" is Czech, and no "pred"
            if word in short and word in written and not _is_joined(word, shown):
                yield MayMean(Doubt.ABBREVIATION, short[word])
        apart = words_of(folded(shown))
        for word in words_of(folded(shown).replace("-", "")):  # "Nor-Epi"
            if word in short and word not in apart:
                yield MayMean(Doubt.ABBREVIATION, short[word])
    if _has_no_column(text):
        yield MayMean(Doubt.SCRIPT)


def _is_joined(word: str, shown: str) -> bool:
    """Tell whether a hyphen joins the word to another: "epi-doxorubicin" and "Levo-T" are other drugs."""
    plain = folded(shown)
    return f"-{word}" in plain or f"{word}-" in plain


def _whole_words(shown: str) -> list[str]:
    """Runs of letters and digits together: "D5W" is one word."""
    return "".join(letter if letter.isalnum() else " " for letter in folded(shown)).split()


def _has_no_column(text: Text) -> bool:
    """Tell whether a text is in a script that the table has no names in.

    Units and short words beside it do not count.
    """
    if text.run:
        return False
    latin = [sum(script_of(letter) is Script.LATIN for letter in word) for word in text.words]
    letters = sum(len(word) for word in text.words if word.isalpha())
    return letters - sum(latin) >= _LEAST_FOREIGN and max(latin, default=0) < _LEAST_READABLE
