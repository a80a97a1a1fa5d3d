"""A device text, read only where every word of it is accounted for.

Terms and amounts are taken out of the folded text, longest first. Where a word is left the device is not recognised:
so removal, refusal, plans and other senses need no list. Words that are all known and do not belong together are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from fhir_mappings.codes.devices.device_numbers import UnaccountedError, numbers
from fhir_mappings.codes.devices.device_senses import Said, belong_together
from fhir_mappings.codes.devices.device_spans import account_for, chosen_spans
from fhir_mappings.codes.devices.device_terms import TermKind
from fhir_mappings.codes.devices.device_vocabulary import DeviceWords, Meaning
from fhir_mappings.codes.folded_text import MOST_CHARS, is_unspaced, words_of
from fhir_mappings.facts.signs import Device


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


class _ContradictionError(Exception):
    """The words of a text name devices that cannot be in use together, or one and none."""


def device_text(text: str, words: DeviceWords) -> DeviceText:
    """The device, its flow and its FiO2 that a text states; UNREAD where a word of it is not accounted for."""
    if len(text) > MOST_CHARS:
        return UNREAD
    folded = words_of(text)
    spans = chosen_spans(folded, words)
    if not account_for(spans, folded):
        return UNREAD
    said = [(span.words, span.part) for span in spans if isinstance(span.part, Meaning)]
    try:
        device = _device(said)
        flow, fio2 = numbers(spans, words, device)
    except (_ContradictionError, UnaccountedError):
        return UNREAD
    if not belong_together(said, text, device, words):
        return UNREAD
    return DeviceText(True, device, flow, fio2, airway=any(m.kind is TermKind.AIRWAY for _, m in said))


def is_of_respiratory_support(text: str, words: DeviceWords) -> bool:
    """Tell whether a word of a text begins as those of oxygen and ventilation do."""
    said = " " + words_of(text[:MOST_CHARS])
    return any((stem if is_unspaced(stem[0]) else f" {stem}") in said for stem in words.stems)


def _device(said: Iterable[Said]) -> Device | None:
    """The highest device; None for words without one. Raises _ContradictionError."""
    kinds = {meaning.kind for _, meaning in said}
    devices = {meaning.device for _, meaning in said if meaning.device is not None}
    in_use = devices - {Device.ROOM_AIR}
    if in_use and TermKind.NO_OXYGEN in kinds:
        raise _ContradictionError  # "BiPAP: none"
    if TermKind.HOME in kinds:
        if not in_use or in_use - {Device.CPAP_BIPAP, Device.HOME_CPAP}:
            raise _ContradictionError
        return Device.HOME_CPAP
    at_rest = Device.ROOM_AIR if devices or TermKind.NO_OXYGEN in kinds else None
    return max(in_use) if in_use else at_rest
