"""The memory of one chart that is asked about at many moments: what does not depend on the moment is read once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeVar

Of = TypeVar("Of")
T = TypeVar("T")


class ChartMemory:
    """The readings of the objects of a chart. It lives as long as the chart does, and no call of the service has one.

    An object is known by its identity, because the same resource stands in the record of every moment. `what` names
    the reading and everything else that it depends on: codes, zone, numbers.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, dict[int, tuple[object, Any]]] = {}
        self._last: dict[Hashable, tuple[tuple[object, ...], Any]] = {}

    def each(self, what: Hashable, objects: Iterable[Of], make: Callable[[Of], T]) -> Iterator[T]:
        """The reading of each object, made the first time that it is asked for."""
        kept = self._kept.setdefault(what, {})
        for one in objects:
            known = kept.get(id(one))
            if known is None or known[0] is not one:  # an id is given again once its object is gone
                known = kept[id(one)] = (one, make(one))
            yield known[1]

    def once(self, what: Hashable, of: Of, make: Callable[[Of], T]) -> T:
        return next(self.each(what, (of,), make))

    def once_for(self, what: Hashable, of: tuple[object, ...], make: Callable[[], T]) -> T:
        """The reading of several objects together, made anew when they are not those of the last time."""
        known = self._last.get(what)
        if known is None or len(known[0]) != len(of) or any(a is not b for a, b in zip(known[0], of, strict=True)):
            known = self._last[what] = (of, make())
        found: T = known[1]
        return found


def each(memory: ChartMemory | None, what: Hashable, objects: Iterable[Of], make: Callable[[Of], T]) -> Iterator[T]:
    """The reading of each object, remembered where there is a memory."""
    return map(make, objects) if memory is None else memory.each(what, objects, make)
