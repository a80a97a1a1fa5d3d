"""Tables of the page. It imports nothing, because the benchmark measures imports too."""

from __future__ import annotations


def aim_row(says: str, aim: float, found: float | None) -> str:
    """One row of a table of aims; empty if `found` was not measured."""
    return "" if found is None else f"| {says} | {found:.2f} | {'met' if found <= aim else 'not met'} |"


def table(*rows: str) -> str:
    """A Markdown table from its rows; the first row is the head."""
    return "\n".join((rows[0], "|---" * (rows[0].count("|") - 1) + "|", *(row for row in rows[1:] if row)))
