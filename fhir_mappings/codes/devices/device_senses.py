"""The words of a device text that may stand together: of one language, as they were charted, about one device.

A word of another language must not account for one that means something else: "tot 3 l" is Dutch and no orotracheal
tube, "right arm" is no "ARM", and the Danish "måske" is "perhaps" and no mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fhir_mappings.codes.devices.device_terms import ENGLISH, Sense, TermKind, false_friends
from fhir_mappings.codes.devices.device_vocabulary import DeviceWords, Meaning
from fhir_mappings.codes.folded_text import accented_words, written_words
from fhir_mappings.facts.signs import Device

Said = tuple[str, Meaning]
"""The folded words of a term in a text, and its meaning."""

_LOW = frozenset({Device.CANNULA, Device.BLOW_BY, Device.ROOM_AIR})
# the devices beside which a word of this sense speaks of something else: "RA pressure", "femoral cannula"
_NEVER_BESIDE: Mapping[Sense, frozenset[Device]] = {
    Sense.SIDE: frozenset({Device.ROOM_AIR}),
    Sense.TUBE: _LOW,
    Sense.CIRCULATION: _LOW | {Device.MASK_OR_HIGH_FLOW, Device.CPAP_BIPAP},
    Sense.MODE: _LOW | {Device.MASK_OR_HIGH_FLOW},
    Sense.MACHINE: _LOW,
    Sense.EQUIPMENT: frozenset({Device.ROOM_AIR}),
}
_VALVE = "venturi"  # its valves are called by their colours
_LABELS = (TermKind.FIO2, TermKind.NUMBER)


def belong_together(said: Sequence[Said], charted: str, device: Device | None, words: DeviceWords) -> bool:
    spelled = accented_words(charted) <= words.accented and _in_capitals(said, charted)
    return spelled and _of_one_language(said) and _about_one_device(said, device)


def _in_capitals(said: Sequence[Said], charted: str) -> bool:
    """Tell whether each word that counts in capitals alone is written so, and stands among words of its language."""
    capitals = [(words, meaning) for words, meaning in said if meaning.capitals]
    written = set(written_words(charted)) if capitals else set()
    return all(words.upper() in written and _is_among_its_own(meaning, said) for words, meaning in capitals)


def _is_among_its_own(meaning: Meaning, said: Iterable[Said]) -> bool:
    return all(other.kind in _LABELS or not meaning.own.isdisjoint(other.own) for _, other in said)


def _of_one_language(said: Sequence[Said]) -> bool:
    """Tell whether a language has all the words; one beside English must show in a word that is none of English."""
    common = frozenset.intersection(*(meaning.counts_in for _, meaning in said)) if said else frozenset({ENGLISH})
    if not common or ENGLISH in common:
        return bool(common)
    return any(ENGLISH not in meaning.counts_in and words not in false_friends(ENGLISH) for words, meaning in said)


def _about_one_device(said: Sequence[Said], device: Device | None) -> bool:
    senses = {meaning.sense for _, meaning in said}
    if any(device in devices for sense, devices in _NEVER_BESIDE.items() if sense in senses):
        return False
    if device is Device.ROOM_AIR and any(meaning.kind is TermKind.NUMBER for _, meaning in said):
        return False
    if Sense.HAND_BAG in senses and Sense.PRESENCE in senses:
        return False  # "ambu bag in place" is a check of the room
    if Sense.COLOUR in senses and not any(_VALVE in words for words, _ in said):
        return False  # "yellow mask" is one of isolation
    return Sense.BARE not in senses or senses <= {Sense.BARE, Sense.OXYGEN}
