"""The section of the page to sign that holds the rows of the products and the third line."""

from __future__ import annotations

from cards.deciding.protocol import Protocol
from cards.wording.protocol_words import third_line


def protocol_section(protocol: Protocol) -> str:
    """The rows as a table, with the third line under it."""
    named = f" of {protocol.name}" if protocol.name.strip("-") else ""
    head = "| product | situation | text | source | read | status |\n|---|---|---|---|---|---|\n"
    rows = "".join(
        f"| {_cell(line.product)} | {line.situation} | {_cell(line.text)} | {_cell(line.source)} | "
        f"{line.read.isoformat()} | {line.status.value} |\n"
        for line in protocol.lines
    )
    said = (
        "What is said of a product beside a card, without an order; `*` is any product. The first three situations "
        "hold at grade 1 before the first dose, the last two at every grade. A site replaces rows "
        "(`CRS_CDS_PROTOCOL`)."
    )
    return f"## Protocol{_cell(named)}\n\n{said}\n\n{head}{rows}\n{_cell(third_line(protocol))}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
