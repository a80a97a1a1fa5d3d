"""The cards of a state that the hook, the site's modes and the user's dismissals leave visible."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cards.deciding.card_modes import CardMode, CardModes
from cards.deciding.decision_table import CardId
from cards.deciding.dismissed import Dismissed, held_back
from cards.deciding.when_to_show import Call, Planned, spoken
from fhir_mappings.facts.patient import PatientFacts


class Silence(StrEnum):
    """The reason why an answer holds no card. It never means "all well"."""

    DECEASED = "deceased"
    NO_COURSE = "no_course"
    NO_COURSE_IN_PART_READ = "no_course_in_part_read"
    COURSE_ENDED = "course_ended"
    SHADOWED = "shadowed"
    SWITCHED_OFF = "switched_off"
    NOTHING_TO_SAY = "nothing_to_say"


@dataclass(frozen=True)
class VisibleCards:
    """The cards of a state by what becomes of them.

    `active` are those that the site shows at all, `shown` those of this answer. `shadowed` would have been shown but
    are only logged; `off` are switched off although their row is met, which crs-grade says; `held` were dismissed.
    """

    active: tuple[Planned, ...]
    shown: tuple[Planned, ...]
    shadowed: tuple[CardId, ...]
    off: tuple[CardId, ...]
    held: tuple[Dismissed, ...]

    @property
    def silence(self) -> Silence | None:
        if self.shown:
            return None
        if self.shadowed:
            return Silence.SHADOWED
        return Silence.SWITCHED_OFF if self.off else Silence.NOTHING_TO_SAY


def visible_cards(
    state: tuple[Planned, ...],
    facts: PatientFacts,
    call: Call,
    modes: CardModes,
    dismissed: tuple[Dismissed, ...],
    state_text: str,
) -> VisibleCards:
    """The cards that the hook, the site and what the user dismissed leave to be seen."""
    active = tuple(p for p in state if modes.of(p.id) is CardMode.ACTIVE)
    tried = tuple(p for p in state if modes.of(p.id) is not CardMode.OFF)
    shown = spoken(call.showing, call.drafts, active, facts)
    # without the state of CRS in sight, what was dismissed would turn into silence
    held = held_back(shown, dismissed, state_text) if any(p.id is CardId.CRS_GRADE for p in active) else ()
    if held:
        waiting = {one.card for one in held}
        # crs-grade goes out even if this hook would not show it, and names the dismissed cards
        shown = tuple(p for p in active if p.id is CardId.CRS_GRADE or (p in shown and p.id not in waiting))
    seen = {p.id for p in shown} | {one.card for one in held}
    shadowed = tuple(p.id for p in spoken(call.showing, call.drafts, tried, facts) if p.id not in seen)
    off = tuple(p.id for p in state if modes.of(p.id) is CardMode.OFF)
    return VisibleCards(active, shown, shadowed, off, held)
