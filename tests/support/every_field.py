"""Every place of a JSON document, and copies of it in which one place is another."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Step = str | int
Way = tuple[Step, ...]
MISSING = object()


def places(document: Any, path: Way = ()) -> Iterator[Way]:
    """The way to every value, objects and lists included, from the outside in."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, value in inner:
        yield (*path, step)
        yield from places(value, (*path, step))


def value_at(document: Any, path: Way) -> Any:
    for step in path:
        document = document[step]
    return document


def leaves(document: Any) -> Iterator[Way]:
    """The way to every value that holds no others."""
    for path in places(document):
        value = value_at(document, path)
        if not (value and isinstance(value, dict | list)):
            yield path


def pattern(path: Way) -> tuple[str, ...]:
    """A way without the places in lists: the same for every entry."""
    return tuple("*" if isinstance(step, int) else step for step in path)


def each_field(document: Any) -> list[Way]:
    """One way to each field, whichever entry of a list it is of."""
    fields: dict[tuple[str, ...], Way] = {}
    for path in leaves(document):
        fields.setdefault(pattern(path), path)
    return list(fields.values())


def with_value(document: Any, path: Way, value: Any) -> Any:
    """A copy with another value at one place, or with nothing there. What does not lie on the way is shared."""
    if not path:
        return value
    step, *rest = path
    changed = copy.copy(document)
    if not rest and value is MISSING:
        del changed[step]
    else:
        changed[step] = with_value(document[step], tuple(rest), value)
    return changed
