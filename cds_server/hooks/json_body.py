"""JSON from a client: the depth to which it nests, and the errors that a schema found in it."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from marshmallow import EXCLUDE, Schema

_BRACKETS = b"[]{}"
_OTHERS = bytes(c for c in range(256) if c not in _BRACKETS)


class LenientSchema(Schema):
    """A schema for which an unknown field is never an error."""

    class Meta:
        unknown = EXCLUDE


def depth_of(raw: bytes) -> int:
    """The depth to which JSON nests: its brackets outside strings, counted at the speed of bytes."""
    # Depth is counted outside prefetch only, because only there JSON becomes objects of any shape. Resources are
    # scanned by types that skip what they do not know, and validation refuses one that nests deeper than 200. Counting
    # the brackets of all of prefetch would cost more than reading it.
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(plain.split(b'"')[::2]).translate(None, _OTHERS)
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def values_of(raw: bytes) -> int:
    """The most values that JSON can hold, counted at the speed of bytes: no more than its commas and brackets."""
    return sum(map(raw.count, (b",", b"[", b"{")))


def flat_messages(messages: Any, path: str = "") -> dict[str, str]:
    """The errors that marshmallow found: path → what is wrong."""
    if isinstance(messages, dict):
        found: dict[str, str] = {}
        for key, value in messages.items():
            step = f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
            found.update(flat_messages(value, f"{path}{step}"))
        return found
    return {path.removesuffix("._schema"): " ".join(str(m) for m in messages)}
