"""A device text, read only where every word of it is accounted for.

Terms and amounts are taken out of the folded text, longest first. Where a word is left the device is not recognised:
so removal, refusal, plans and other senses need no list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.codes.devices.device_amounts import Amount, Unit, amount_at
from fhir_mappings.codes.devices.device_vocabulary import DeviceWords, Meaning, TermKind
from fhir_mappings.codes.folded_text import MOST_CHARS, is_unspaced, words_of
from fhir_mappings.facts.signs import ROW_OF, Device

_MOST_BY_CANNULA = Decimal("0.6")  # a higher bare percentage beside a cannula is a saturation
_ROOM_AIR_FIO2 = Decimal("0.21")


@dataclass(frozen=True, slots=True)
class DeviceText:
    """The meaning of a text. `whole`: every word is accounted for; without that it says nothing. `airway`: it names an
    airway, which is neither oxygen nor a ventilator. Flow in L/min, FiO2 as a fraction."""

    whole: bool
    device: Device | None = None
    flow: Decimal | None = None
    fio2: Decimal | None = None
    airway: bool = False


UNREAD = DeviceText(whole=False)


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    part: Meaning | Amount
    words: str


def device_text(text: str, words: DeviceWords) -> DeviceText:
    """The device, its flow and its FiO2 that a text states; UNREAD where a word of it is not accounted for."""
    if len(text) > MOST_CHARS:
        return UNREAD
    said = words_of(text)
    spans = _chosen(said, words)
    accounted = sum(span.end - span.start - said.count(" ", span.start, span.end) for span in spans)
    return _said(spans, words) if spans and accounted == len(said) - said.count(" ") else UNREAD


def is_of_respiratory_support(text: str, words: DeviceWords) -> bool:
    """Tell whether a word of a text begins as those of oxygen and ventilation do."""
    said = " " + words_of(text[:MOST_CHARS])
    return any((stem if is_unspaced(stem[0]) else f" {stem}") in said for stem in words.stems)


def _chosen(said: str, words: DeviceWords) -> list[_Span]:
    """Terms and amounts that do not overlap, the longest first, in their order."""
    taken = bytearray(len(said))
    chosen = []
    for span in sorted(_spans(said, words), key=lambda s: (s.start - s.end, s.start)):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\x01" * (span.end - span.start)
            chosen.append(span)
    return sorted(chosen, key=lambda s: s.start)


def _spans(said: str, words: DeviceWords) -> Iterator[_Span]:
    for start, char in enumerate(said):
        if char == " " or not (start == 0 or said[start - 1] == " " or is_unspaced(char)):
            continue
        for length in words.lengths.get(char, ()):
            end = start + length
            if end > len(said):
                break
            if _ends(said, end) and (meaning := words.meanings.get(said[start:end])) is not None:
                yield _Span(start, end, meaning, said[start:end])
        found = amount_at(said, start) if char.isascii() and char.isdigit() else None
        if found is not None:
            yield _Span(start, found[1], found[0], "")


def _ends(said: str, end: int) -> bool:
    """Tell whether a word may end here: before a blank, at the end, or inside a script without blanks."""
    return end == len(said) or said[end] == " " or is_unspaced(said[end])


def _said(spans: list[_Span], words: DeviceWords) -> DeviceText:
    kinds = {span.part.kind for span in spans if isinstance(span.part, Meaning)}
    devices = {s.part.device for s in spans if isinstance(s.part, Meaning) and s.part.device is not None}
    in_use = devices - {Device.ROOM_AIR}
    if in_use and TermKind.NO_OXYGEN in kinds:
        return UNREAD  # "BiPAP: none"
    if TermKind.HOME in kinds:
        if not in_use or in_use - {Device.CPAP_BIPAP, Device.HOME_CPAP}:
            return UNREAD
        in_use = {Device.HOME_CPAP}
    at_rest = Device.ROOM_AIR if devices or TermKind.NO_OXYGEN in kinds else None
    device = max(in_use) if in_use else at_rest
    amounts = _amounts(spans, words, device)
    if amounts is None:
        return UNREAD
    return DeviceText(True, device, *amounts, airway=TermKind.AIRWAY in kinds)


def _amounts(
    spans: list[_Span], words: DeviceWords, device: Device | None
) -> tuple[Decimal | None, Decimal | None] | None:
    """The highest flow and FiO2; None where a number is not accounted for."""
    flows: list[Decimal] = []
    fractions: list[Decimal] = []
    for place, span in enumerate(spans):
        if not isinstance(span.part, Amount):
            continue
        amount = span.part
        before, after = (spans[n].words if 0 <= n < len(spans) else "" for n in (place - 1, place + 1))
        named = before in words.fio2 or (after in words.fio2 and before not in words.numbered)
        fraction = amount.fraction(named=named)
        if amount.is_chain and amount.flow is None:
            if device is None or ROW_OF[device] < 3:
                return None
            fractions += [fraction] if fraction is not None and amount.unit is Unit.PERCENT else []
        elif amount.flow is not None:
            flows.append(amount.flow)
        elif amount.unit is Unit.PERCENT or named:
            if fraction is None or not _can_be(fraction, device, named=named):
                return None
            fractions.append(fraction)
        elif amount.unit is None and not {before, after} & words.numbered:
            return None
    if device is Device.ROOM_AIR and any(flow > 0 for flow in flows):
        return None
    return max(flows, default=None), max(fractions, default=None)


def _can_be(fraction: Decimal, device: Device | None, *, named: bool) -> bool:
    """Tell whether a device can give this FiO2; a percentage beside it may also be a saturation."""
    if device is Device.ROOM_AIR:
        return fraction <= _ROOM_AIR_FIO2
    return named or device not in (Device.CANNULA, Device.BLOW_BY) or fraction <= _MOST_BY_CANNULA
