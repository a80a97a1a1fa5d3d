"""The rows on what was said: the moments of the policy, the cards at them, and the events that cards preceded.

They rest on the record as it was known at each moment. `rules` is 1 for the site's rules and 2 for those of
`--compare`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class MomentKind(StrEnum):
    """The reason for which an EHR would have made a call at a moment."""

    CHART = "chart-opened"
    RESULT = "result"
    GRADE = "grade-changed"
    ORDER = "order-sign"
    HOURLY = "every"


class Shown(StrEnum):
    """The becoming of a card at a moment. `off` cards are never counted as shown."""

    ACTIVE = "active"
    SHADOW = "shadow"
    OFF = "off"
    HELD = "held"


class EventKind(StrEnum):
    """An event that a card may have preceded."""

    TOCILIZUMAB = "tocilizumab"
    STEROID = "steroid"
    GRADE_3 = "grade-3"
    ICU = "icu"


class Preceded(StrEnum):
    """The time of the first card that fits an event. The three shares add up to one."""

    BEFORE = "preceded"
    AT_OR_AFTER = "only-at-or-after"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class MomentRow:
    """One moment at which the rules were asked."""

    patient: str
    course: int
    rules: int
    at: datetime
    date: date
    hour: int  # of the local day
    kind: MomentKind
    grade: int | None
    grade_is_minimum: bool
    provisional: int | None
    no_grade: str
    il6: str
    crp: str
    cards: int  # shown as if live, crs-grade and crs-grade-unknown included
    silence: str
    unreadable: bool
    set_aside: int


@dataclass(frozen=True, slots=True)
class CardRow:
    """One card at one moment. `is_new`: not shown in the 12 h before with this indicator.

    `episode` numbers the episodes of this card in this course: showings no more than 24 h apart.
    """

    patient: str
    course: int
    rules: int
    at: datetime
    date: date
    hour: int
    kind: MomentKind
    card: str
    indicator: str
    shown: Shown
    at_risk: bool
    is_new: bool
    episode: int


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One episode of a card, and what was ordered or given after its first showing, in hours; None where nothing was.

    `in_hand`: the order that the card suggests was already active, running or drafted. `severe_within_hours`: the
    time to the first grade of 3 or more; with `severe_already` it came before the card, or with it.
    """

    patient: str
    course: int
    rules: int
    card: str
    episode: int
    first: datetime
    last: datetime
    showings: int
    drug: str  # tocilizumab, steroid; "" where the card suggests neither
    in_hand: bool
    order_within_hours: Decimal | None
    severe_within_hours: Decimal | None
    severe_already: bool = False


@dataclass(frozen=True, slots=True)
class EventRow:
    """A dose, a first grade of 3 or more, or an ICU transfer, and the first card of the episode that came before it.

    `lead_hours`: from the first card to the event, where one preceded it. `on_the_order`: a card of order-sign at the
    order itself, counted apart. `would_have_spoken`: for a never, whether an hourly replay of the 24 h before holds
    such a card.
    """

    patient: str
    course: int
    rules: int
    event: EventKind
    number: int  # n-th of its kind in the course
    at: datetime
    by_order: bool  # the time is that of the order, not of the start
    standing_order: bool
    grade: int | None  # known just before
    preceded: Preceded
    card: str
    first_card_at: datetime | None
    lead_hours: Decimal | None
    on_the_order: bool
    would_have_spoken: bool | None
