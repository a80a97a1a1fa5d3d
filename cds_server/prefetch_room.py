"""The room that prefetch has: how many values it may hold, and the time in which they are read.

Prefetch has no shape of its own, and a body of 20 MiB has room for seven million values, `{},{}`. Each of them would be
looked at, so they are counted before they are built, and while they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
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


@dataclass(frozen=True)
class Room:
    """The room of one call, for `most` resources."""

    most: int
    in_time: Callable[[], bool] = lambda: True
    _taken: Iterator[int] = field(default_factory=lambda: count(1))

    def check_size(self, raw: msgspec.Raw) -> None:
        """Raise TooManyError for JSON with far more parts than FHIR of its length has."""
        text = bytes(raw)
        for sign, size in ((b"{", BYTES_OF_AN_OBJECT), (b",", BYTES_OF_A_COMMA)):
            if text.count(sign) > max(NEVER_MANY, len(text) // size):
                raise TooManyError

    def each(self, values: Iterable[T]) -> Iterator[T]:
        """Each of the values, while there is room and time. Raises TooManyError and OutOfTimeError."""
        for value in values:
            taken = next(self._taken)
            if taken > LEVELS * self.most:
                raise TooManyError
            if taken % _BETWEEN == 0 and not self.in_time():
                raise OutOfTimeError
            yield value


@dataclass(frozen=True)
class Wanted:
    """The type of resource that a key is for, and the room for what it holds."""

    resource_type: str
    room: Room
