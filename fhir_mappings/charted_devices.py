"""One Observation or Procedure → the device that it charts, by code, else by words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from fhir_mappings.codes.devices.device_texts import UNREAD, DeviceText, device_text, is_of_respiratory_support
from fhir_mappings.codes.devices.device_vocabulary import DeviceWords, device_words
from fhir_mappings.codes.observed_sets import DEVICE_OF_PROCEDURE, ROW_NOT_KNOWN
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.signs import Device
from fhir_mappings.observations import Observed
from fhir_mappings.reading import fhir_structs as fs

REMEMBERED = 16_384  # values, and texts; no chart has so many


@dataclass(frozen=True, slots=True)
class ChartedDevice:
    """A device, UNKNOWN with its text where it is not recognised; None where only numbers are stated."""

    device: Device | None
    text: str = ""
    flow: Decimal | None = None
    fio2: Decimal | None = None


class DeviceReader:
    """Reads the devices of one chart; each distinct value and text is worked out once."""

    def __init__(self, terms: Terminology) -> None:
        self._terms = terms
        self._words = device_words(terms)
        self._texts = _Texts(self._words)
        self._values: dict[tuple[object, ...], ChartedDevice | None] = {}

    def of_device(self, o: Observed) -> ChartedDevice | None:
        """The device that an Observation names, by its value or by its code; None where it names none in use."""
        return self.of_value(o) if "oxygen-delivery-device" in o.sets else self.of_code(o)

    def of_value(self, o: Observed) -> ChartedDevice | None:
        """The device that is the value of an Observation; None where it has no value and says why."""
        value = (o.concept, o.text, o.quantity, o.absent)
        if value in self._values:
            return self._values[value]
        found = self._of_value(o)
        if len(self._values) < REMEMBERED:
            self._values[value] = found
        return found

    def _of_value(self, o: Observed) -> ChartedDevice | None:
        own, displays = _own_texts(o), _displays(o.concept)
        if o.concept is None and not own and o.absent:
            return None
        return self._charted(self._device(o.concept), own, displays, _codes(o.concept))

    def of_number(self, o: Observed) -> ChartedDevice | None:
        """The numbers in the words of an Observation of flow or FiO2: "2 liters/min", "28% mask", "100 %"."""
        if o.quantity is not None or not (o.text or o.concept):
            return None
        name = "FiO2 " if "inhaled-oxygen-concentration" in o.sets else ""
        own, displays = ([f"{name}{text}" for text in texts] for texts in (_own_texts(o), _displays(o.concept)))
        charted = self._charted(None, own, displays, [])
        return replace(charted, device=None) if charted.device is not Device.UNKNOWN else None

    def of_code(self, o: Observed) -> ChartedDevice | None:
        """A device coded as the Observation itself; None where its value says that it is not in use."""
        device = _of_sets(o.sets)
        valued = self._device(o.concept)
        own, displays = ([o.text] if o.text else []), _displays(o.concept)
        if o.concept is not None and o.concept.text:
            own.append(o.concept.text)
        said = self._said(own, displays)
        if device is None or o.absent or o.denied or Device.ROOM_AIR in (valued, said.device):
            return None
        if (own or displays) and valued is None and not said.whole:
            name = next((code for _, code in o.codings if code), "")
            return ChartedDevice(Device.UNKNOWN, f"{name}: {(own + displays)[0]}")
        return ChartedDevice(_highest(device, valued, said.device), "", said.flow, said.fio2)

    def of_procedure(self, data: fs.Procedure) -> ChartedDevice | None:
        """The respiratory support that a Procedure is; None for another procedure, and for none in use."""
        own, displays = ([data.code.text] if data.code.text else []), _displays(data.code)
        device, said = self._device(data.code), self._said(own, displays)
        device = _highest(device, said.device)
        if device is Device.ROOM_AIR:
            return None
        if device is not None:
            return ChartedDevice(device, "", said.flow, said.fio2)
        if not self._is_respiratory(data, [*own, *displays]):
            return None
        return ChartedDevice(Device.UNKNOWN, next(iter([*own, *displays, *_codes(data.code)]), ""))

    def _is_respiratory(self, data: fs.Procedure, texts: Iterable[str]) -> bool:
        if ROW_NOT_KNOWN in self._terms.sets_of(fs.codings_of(data.code)):
            return True
        categories = data.category if isinstance(data.category, tuple) else (data.category,)
        for category in categories:
            if self._terms.sets_of(fs.codings_of(category)) & {*DEVICE_OF_PROCEDURE, ROW_NOT_KNOWN}:
                return True
        return any(is_of_respiratory_support(text, self._words) for text in texts)

    def _device(self, concept: fs.CodeableConcept | None) -> Device | None:
        return _of_sets(self._terms.sets_of(fs.codings_of(concept)))

    def _charted(self, by_code: Device | None, own: list[str], displays: list[str], codes: list[str]) -> ChartedDevice:
        said = self._said(own, displays) if own or displays else self._said(codes)
        device = _highest(by_code, said.device)
        if device is not None:
            return ChartedDevice(device, "", said.flow, said.fio2)
        if said.whole and not said.airway and (said.flow is not None or said.fio2 is not None):
            return ChartedDevice(None, "", said.flow, said.fio2)
        return ChartedDevice(Device.UNKNOWN, next(iter([*own, *displays, *codes]), ""), said.flow, said.fio2)

    def _said(self, *groups: Iterable[str]) -> DeviceText:
        """The meaning of texts: those of the first group that names a device or a number. One that cannot be read, in a
        group that names none, leaves all UNREAD: "BiPAP off" is not made good by the display "BiPAP"."""
        neutral = UNREAD
        for group in groups:
            said = [self._texts[text] for text in group]
            telling = [s for s in said if s.device is not None or s.flow is not None or s.fio2 is not None]
            if telling:
                return max(telling, key=lambda s: (-1 if s.device is None else s.device, s.flow or 0, s.fio2 or 0))
            if not all(s.whole for s in said):
                return UNREAD
            neutral = next((s for s in said if s.airway), said[0] if said else neutral)
        return neutral


class _Texts(dict[str, DeviceText]):
    """The texts that were read, so that each is worked out once."""

    def __init__(self, words: DeviceWords) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, text: str) -> DeviceText:
        found = device_text(text, self._words)
        if len(self) < REMEMBERED:
            self[text] = found
        return found


def _of_sets(sets: frozenset[str]) -> Device | None:
    """The highest device of some value sets; room air only by itself."""
    return _highest(*(device for set_id, device in DEVICE_OF_PROCEDURE.items() if set_id in sets))


def _highest(*devices: Device | None) -> Device | None:
    return max((device for device in devices if device is not None), default=None)


def _own_texts(o: Observed) -> list[str]:
    texts = [o.text, o.concept.text if o.concept is not None else None]
    if o.quantity is not None and o.quantity.value is not None:
        texts.append(f"{o.quantity.value:f} {o.quantity.unit or o.quantity.code or ''}")
    return [text for text in texts if text and text.strip()]


def _displays(concept: fs.CodeableConcept | None) -> list[str]:
    return [c.display for c in concept.coding if c.display and c.display.strip()] if concept is not None else []


def _codes(concept: fs.CodeableConcept | None) -> list[str]:
    return [c.code for c in concept.coding if c.code and c.code.strip()] if concept is not None else []
