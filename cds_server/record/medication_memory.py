"""The Medications read before, for each server, for minutes. They are a formulary and no patient data; their number is
bounded.

Only what is sure is remembered: a Medication that names nothing, or could not be read, is asked for again at every
call, so that a correction counts at once. What is remembered and then corrected is believed until its minutes end.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

SECONDS = 300
LIMIT = 5000


class MedicationMemory:
    """A map of (FHIR base, `Medication/{id}`) to the bytes of the resource, each for `seconds`."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()
        self._seconds = seconds
        self._clock = clock

    def get(self, base: str, reference: str) -> bytes | None:
        with self._lock:
            found = self._known.get((base, reference))
            if found is None or self._clock() - found[0] >= self._seconds:
                return None
            return found[1]

    def put(self, base: str, reference: str, raw: bytes) -> None:
        with self._lock:
            self._known[(base, reference)] = (self._clock(), raw)
            self._known.move_to_end((base, reference))
            while len(self._known) > LIMIT:
                self._known.popitem(last=False)
