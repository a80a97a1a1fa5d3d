"""The Medications read before, for each server, for a day. They are a formulary and no patient data; their number is
bounded."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

DAY_SECONDS = 24 * 3600
LIMIT = 5000


class MedicationMemory:
    """A map of (FHIR base, Medication id) to the bytes of the resource."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()
        self._clock = clock

    def get(self, base: str, medication_id: str) -> bytes | None:
        with self._lock:
            found = self._known.get((base, medication_id))
            if found is None or self._clock() - found[0] > DAY_SECONDS:
                return None
            return found[1]

    def put(self, base: str, medication_id: str, raw: bytes) -> None:
        with self._lock:
            self._known[(base, medication_id)] = (self._clock(), raw)
            self._known.move_to_end((base, medication_id))
            while len(self._known) > LIMIT:
                self._known.popitem(last=False)
