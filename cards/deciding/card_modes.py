"""The mode of each card at a site: `active`, `shadow` (worked out and logged, not shown) or `off`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cards.deciding.decision_table import CardId


class CardMode(StrEnum):
    ACTIVE = "active"
    SHADOW = "shadow"
    OFF = "off"


# Silence about these could kill or look like "all well", so a site may try them in shadow but never switch them off.
NEVER_OFF = frozenset(
    {
        CardId.SEVERE_CRS,
        CardId.CRS_GRADE_UNKNOWN,
        CardId.CRS_POSSIBLE_MASKED,
        CardId.INFECTION_FIRST,
        CardId.OTHER_CAUSE_FIRST,
        CardId.STEROID_CHECK,
    }
    | {c for c in CardId if c.startswith("toci-")}
) - {
    CardId.TOCI_RECOMMENDED,
    CardId.TOCI_GUIDELINE,
}


class CardModeError(ValueError):
    """A mode that cannot be used. The message names the card, the mistake and what to write."""


@dataclass(frozen=True)
class CardModes:
    """The mode of each card: active unless the site says otherwise."""

    modes: Mapping[CardId, CardMode] = field(default_factory=dict)

    def of(self, card: CardId) -> CardMode:
        return self.modes.get(card, CardMode.ACTIVE)


def card_modes(table: Mapping[str, Any]) -> CardModes:
    """The modes in the `[cards]` table of a site's file. Raises CardModeError."""
    modes: dict[CardId, CardMode] = {}
    for name, mode in table.items():
        if name not in set(CardId):
            raise CardModeError(f"[cards] {name} is no card; the cards are {', '.join(CardId)}.")
        if not isinstance(mode, str) or mode not in set(CardMode):
            raise CardModeError(f'[cards] {name} must be "active", "shadow" or "off".')
        card = CardId(name)
        if mode == CardMode.OFF and card in NEVER_OFF:
            raise CardModeError(f'[cards] {name} cannot be off; write "shadow" to try it unseen, or leave it out.')
        modes[card] = CardMode(mode)
    return CardModes(modes)
