"""The flow and the FiO2 of a device text, where each of its numbers is accounted for.

A number is a flow or an FiO2 by its unit or its name. A pressure or a size changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fhir_mappings.codes.devices.device_amounts import Amount, Unit
from fhir_mappings.codes.devices.device_spans import Span
from fhir_mappings.codes.devices.device_terms import Sense
from fhir_mappings.codes.devices.device_vocabulary import DeviceWords, Meaning
from fhir_mappings.facts.signs import ROW_OF, Device

_MOST_WITHOUT_NAME = Decimal("0.6")  # a higher percentage that is not named, and not of a mask, is a saturation
_ROOM_AIR_FIO2 = Decimal("0.21")
_LARGEST_OF_TUBE = 40  # cm of depth; the size in mm is smaller
_NO_MASK = (None, Device.CANNULA, Device.BLOW_BY)

Numbers = tuple[Decimal | None, Decimal | None]
"""Flow in L/min, and FiO2 as a fraction."""


class UnaccountedError(Exception):
    """A number of a text says something that is not understood."""


def numbers(spans: Sequence[Span], words: DeviceWords, device: Device | None) -> Numbers:
    """The highest flow and FiO2. Raises UnaccountedError."""
    found = _Numbers(spans, words, device)
    for place, span in enumerate(spans):
        if isinstance(span.part, Amount):
            found.take(span.part, place)
    if device is Device.ROOM_AIR and any(flow > 0 for flow in found.flows):
        raise UnaccountedError
    return max(found.flows, default=None), max(found.fractions, default=None)


class _Numbers:
    def __init__(self, spans: Sequence[Span], words: DeviceWords, device: Device | None) -> None:
        self._spans, self._words, self._device = spans, words, device
        self._tube = any(isinstance(s.part, Meaning) and s.part.sense is Sense.TUBE for s in spans)
        self.flows: list[Decimal] = []
        self.fractions: list[Decimal] = []

    def take(self, amount: Amount, place: int) -> None:
        before, after = self._words_at(place - 1), self._words_at(place + 1)
        labelled = before in self._words.numbered
        named = before in self._words.fio2 or (after in self._words.fio2 and not labelled)
        if amount.is_chain and amount.flow is None:
            self._take_chain(amount)
        elif amount.flow is not None:
            self.flows.append(amount.flow)
        elif amount.unit is Unit.PERCENT or named:
            self._take_fraction(amount, named=named)
        elif amount.unit is None and not (labelled or after in self._words.numbered or self._is_of_tube(amount)):
            raise UnaccountedError

    def _words_at(self, place: int) -> str:
        return self._spans[place].words if 0 <= place < len(self._spans) else ""

    def _take_chain(self, amount: Amount) -> None:
        """`12/6` are pressures, and `12/6 40%` and `30/40%` end with an FiO2."""
        if self._device is None or ROW_OF[self._device] < ROW_OF[Device.MASK_OR_HIGH_FLOW]:
            raise UnaccountedError
        fraction = amount.fraction(named=False)
        self.fractions += [fraction] if fraction is not None and amount.unit is Unit.PERCENT else []

    def _take_fraction(self, amount: Amount, *, named: bool) -> None:
        fraction = amount.fraction(named=named)
        if fraction is None:
            raise UnaccountedError
        if self._device is Device.ROOM_AIR and fraction > _ROOM_AIR_FIO2:
            raise UnaccountedError
        if not named and self._device in _NO_MASK and fraction > _MOST_WITHOUT_NAME:
            raise UnaccountedError
        self.fractions.append(fraction)

    def _is_of_tube(self, amount: Amount) -> bool:
        """`ETT 7.5 @ 22`: the size and the depth of a tube."""
        return self._tube and max(amount.numbers) <= _LARGEST_OF_TUBE
