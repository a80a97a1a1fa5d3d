"""The escaping of text from a record for Markdown and HTML."""

from __future__ import annotations

import re

ZERO_WIDTH_SPACE = "\u200b"


_AUTOLINK = re.compile(r"://|[wW]\.|@")  # GitHub-flavoured Markdown makes links of bare addresses


_LITERAL = re.compile(r"[A-Za-z]{1,40}/[A-Za-z0-9._~-]{1,255}")


_PLACE = re.compile(r"[A-Za-z0-9 .\[\]]{1,60}(?:\[\d+\]|, result \d+)")


_IN_A_SUMMARY = 40


_MARKUP = frozenset("<>&\\`*_{}[]()!|~#")


_SPECIAL = re.compile(r"([\\`*_{}\[\]()!|~])")


def escaped(text: str) -> str:
    """Text from a record, safe in Markdown and in HTML, on one line and cut to 200 characters."""
    flat = " ".join(text.split())[:200]
    html = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _without_links(_SPECIAL.sub(r"\\\1", html))


def _without_links(text: str) -> str:
    return _AUTOLINK.sub(lambda m: m.group()[0] + ZERO_WIDTH_SPACE + m.group()[1:], text)


def short(text: str) -> str:
    """Text from a record as a summary holds it: on one line, its beginning, without the signs of any markup.

    A summary is plain text, in which an escape would be seen; but some clients render it all the same.
    """
    flat = " ".join("".join(c if c.isprintable() and c not in _MARKUP else " " for c in text).split())
    shown = flat if len(flat) <= _IN_A_SUMMARY else f"{flat[:_IN_A_SUMMARY]}…"
    return _without_links(shown)


def plain_reference(reference: str) -> str:
    """A reference as a page shows it: `Type/id` if the id holds only what an address may hold, or the place in the
    request; else no id at all."""
    shown = _LITERAL.fullmatch(reference) or _PLACE.fullmatch(reference)
    return reference if shown else "a resource without a usable id"


def reference_text(reference: str) -> str:
    """A reference as a card shows it. The signs of Markdown that an id may hold are escaped."""
    shown = plain_reference(reference)
    return _without_links(_SPECIAL.sub(r"\\\1", shown)) if _LITERAL.fullmatch(shown) else shown


def escaped_words(text: str) -> str:
    """Our own words with numbers, in which only the signs that HTML would read as markup are escaped."""
    return text.replace("<", "&lt;").replace(">", "&gt;")
