"""The room that prefetch has: how many values it may hold, and the time in which they are read.

Prefetch has no shape of its own, and a body of 20 MiB has room for seven million values, `{},{}`. Each of them would be
looked at, so they are counted before they are built, and while they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from fhir_mappings.reading.resource_pool import OutOfTimeError

T = TypeVar("T")
# A resource has an object for 30 to 60 of its bytes, and a comma for 15 and more. What has far more of them is made to
# be built.
BYTES_OF_AN_OBJECT, BYTES_OF_A_COMMA = 24, 8
NEVER_MANY = 100_000
LEVELS = 2  # a list of pages, or Bundles within a Bundle: what is in them is counted once more
_BETWEEN = 100  # two looks at the clock


class TooManyError(Exception):
    """More in prefetch than one call may hold."""


@dataclass
class Room:
    """The room of one call, for `most` resources."""

    most: int
    in_time: Callable[[], bool] = lambda: True
    taken: int = 0

    def check_size(self, raw: msgspec.Raw) -> None:
        """Raise TooManyError for JSON with far more parts than FHIR of its length has."""
        if len(memoryview(raw)) <= 2 * NEVER_MANY:  # a comma has a value beside it, an object two brackets
            return
        text = bytes(raw)
        for sign, size in ((b"{", BYTES_OF_AN_OBJECT), (b",", BYTES_OF_A_COMMA)):
            if text.count(sign) > max(NEVER_MANY, len(text) // size):
                raise TooManyError

    def each(self, values: Sequence[T]) -> Iterator[T]:
        """Each of the values, while there is room and time. Raises TooManyError and OutOfTimeError."""
        for begin in range(0, len(values), _BETWEEN):
            some = values[begin : begin + _BETWEEN]
            looks = self.taken // _BETWEEN
            self.taken += len(some)
            if self.taken > LEVELS * self.most:
                raise TooManyError
            if self.taken // _BETWEEN > looks and not self.in_time():
                raise OutOfTimeError
            yield from some


@dataclass(frozen=True)
class Wanted:
    """The type of resource that a key is for, and the room for what it holds."""

    resource_type: str
    room: Room
