"""Parts of records as they may be shown: without what steers a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from textwrap import wrap
from typing import Any


def safe(text: str) -> str:
    """A text in one line; a sign that is not printed, a control or a mark of direction, as its code point."""
    return "".join(c if c.isprintable() else " " if c in "\t\r\n" else f"\\u{{{ord(c):x}}}" for c in text)


def json_text(value: Mapping[str, Any], *, indent: int | None = None) -> str:
    """JSON in any script; a sign that is not printed is written as JSON writes it, so it stays what it is."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def day(at: datetime | None, zone: tzinfo) -> str:
    """The local date of a moment."""
    return at.astimezone(zone).date().isoformat() if at is not None else ""


def wrapped(text: str, before: str) -> Iterator[str]:
    """A list in our own words over as many lines as it needs; none for ""."""
    margin = " " * (len(before) - len(before.lstrip()) + 4)
    yield from wrap(text, 116, initial_indent=before, subsequent_indent=margin, break_on_hyphens=False)
