"""Times and numbers as the ward writes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal


def when(at: datetime) -> str:
    """A time as the ward writes it, in the facility's zone: 9 Mar 06:00."""
    return f"{at.day} {at:%b %H:%M}"


def number(value: Decimal) -> str:
    """Without trailing zeros and never in exponents."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
