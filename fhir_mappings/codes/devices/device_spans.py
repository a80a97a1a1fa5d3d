"""The terms and amounts of a folded device text, taken out longest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_mappings.codes.devices.device_amounts import Amount, amount_at
from fhir_mappings.codes.devices.device_vocabulary import DeviceWords, Meaning
from fhir_mappings.codes.folded_text import is_unspaced


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text; `words` are those of a term, "" for an amount."""

    start: int
    end: int
    part: Meaning | Amount
    words: str


def chosen_spans(said: str, words: DeviceWords) -> list[Span]:
    """Terms and amounts that do not overlap, the longest first, in their order."""
    taken = bytearray(len(said))
    chosen = []
    for span in sorted(_spans(said, words), key=lambda s: (s.start - s.end, s.start)):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\x01" * (span.end - span.start)
            chosen.append(span)
    return sorted(chosen, key=lambda s: s.start)


def account_for(spans: list[Span], said: str) -> bool:
    """Tell whether no word of a text is left."""
    accounted = sum(span.end - span.start - said.count(" ", span.start, span.end) for span in spans)
    return bool(spans) and accounted == len(said) - said.count(" ")


def _spans(said: str, words: DeviceWords) -> Iterator[Span]:
    for start, char in enumerate(said):
        if char == " " or not (start == 0 or said[start - 1] == " " or is_unspaced(char)):
            continue
        for length in words.lengths.get(char, ()):
            end = start + length
            if end > len(said):
                break
            if _ends(said, end) and (meaning := words.meanings.get(said[start:end])) is not None:
                yield Span(start, end, meaning, said[start:end])
        found = amount_at(said, start) if char.isascii() and char.isdigit() else None
        if found is not None:
            yield Span(start, found[1], found[0], "")


def _ends(said: str, end: int) -> bool:
    """Tell whether a word may end here: before a blank, at the end, or inside a script without blanks."""
    return end == len(said) or said[end] == " " or is_unspaced(said[end])
