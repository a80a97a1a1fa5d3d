"""The events that cards preceded: each event of a course, each episode of a card, and how long lay between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from cards.deciding.decision_table import ORDERS, CardId, Order
from cards.orders.steroid_order import KEY as STEROID
from cards.orders.tocilizumab_order import TOCILIZUMAB
from cds_server.evaluation.moments import WrittenOrder
from cds_server.evaluation.protocol import Cards
from cds_server.evaluation.rows.moments import (
    CardRow,
    EpisodeRow,
    EventKind,
    EventRow,
    MomentKind,
    Preceded,
)
from cds_server.evaluation.treatments import GivenDose
from cds_server.evaluation.what_was import WhatWas
from cds_server.evaluation.what_was_said import Said
from fhir_mappings.facts.treatment import DrugClass

BEFORE_GRADE_3 = frozenset({
    CardId.TOCI_RECOMMENDED, CardId.TOCI_GUIDELINE, CardId.STEROID_EARLY_LOW_IL6, CardId.STEROID_AFTER_2_TOCI,
    CardId.REASSESS_WINDOW,
})  # fmt: skip
_STEROIDS = (Order.STEROID, Order.ICANS_STEROID)
CARDS_OF_EVENT = {
    EventKind.TOCILIZUMAB: frozenset(card for card, orders in ORDERS.items() if Order.TOCILIZUMAB in orders),
    EventKind.STEROID: frozenset(card for card, orders in ORDERS.items() if set(_STEROIDS) & set(orders)),
    EventKind.GRADE_3: BEFORE_GRADE_3,
    EventKind.ICU: BEFORE_GRADE_3 | {CardId.SEVERE_CRS},
}
CLASS_OF_EVENT = {EventKind.TOCILIZUMAB: DrugClass.TOCILIZUMAB, EventKind.STEROID: DrugClass.STEROID}
KEY_OF_EVENT = {EventKind.TOCILIZUMAB: TOCILIZUMAB, EventKind.STEROID: STEROID}  # of the offers of cards
_SEVERE = 3


@dataclass(frozen=True)
class Event:
    """Something that happened in a course, at the time that counts for what preceded it."""

    kind: EventKind
    number: int
    at: datetime
    by_order: bool = False
    standing_order: bool = False


def events_of(was: WhatWas, orders: Sequence[WrittenOrder], icu: Iterable[datetime], cards: Cards) -> tuple[Event, ...]:
    """The events of a course: doses, the first grade of 3 or more, and transfers to intensive care."""
    doses = ((EventKind.TOCILIZUMAB, was.tocilizumab), (EventKind.STEROID, was.steroids))
    found = [_dose(kind, number, dose, orders, cards) for kind, given in doses for number, dose in enumerate(given, 1)]
    if was.row.first_grade_3 is not None:
        found.append(Event(EventKind.GRADE_3, 1, was.row.first_grade_3))
    found += [Event(EventKind.ICU, number, at) for number, at in enumerate(sorted(icu), 1)]
    return tuple(found)


def _dose(kind: EventKind, number: int, dose: GivenDose, orders: Sequence[WrittenOrder], cards: Cards) -> Event:
    """A dose counts from its order, if that was written in the hours before; an earlier order is a standing one."""
    named = {reference.split("/_history/")[0].rpartition("MedicationRequest/")[2] for reference in dose.requests}
    of_drug = [o for o in orders if CLASS_OF_EVENT[kind] in o.classes and o.at <= dose.start]
    by_name = [o for o in of_drug if o.reference.removeprefix("MedicationRequest/") in named]
    since = dose.start - timedelta(hours=cards.order_before_start_hours)
    recent = [o for o in (by_name or of_drug) if o.at >= since]
    if recent:
        return Event(kind, number, recent[0].at, by_order=True)
    return Event(kind, number, dose.start, standing_order=bool(by_name))


@dataclass(frozen=True)
class Spoken:
    """The cards of one replay of a course, as far as they were shown."""

    said: Sequence[Said]
    cards: Cards

    def showings(self, kind: EventKind, *, on_orders: bool) -> list[tuple[CardRow, int | None]]:
        """The showings of the cards that fit an event, each with the grade of its moment."""
        return [
            (card, said.moment.grade)
            for said in self.said
            if (said.moment.kind is MomentKind.ORDER) is on_orders
            for card in said.cards
            if card.shown in self.cards.counted and card.card in CARDS_OF_EVENT[kind]
            and not (kind is EventKind.GRADE_3 and (said.moment.grade or 0) >= _SEVERE)
        ]  # fmt: skip


def event_row(was: WhatWas, event: Event, spoken: Spoken, rules: int, would_speak: Callable[[Event], bool]) -> EventRow:
    """The row of one event. `would_speak` is asked of an event that no card preceded or followed."""
    least = timedelta(minutes=spoken.cards.preceded_at_least_minutes)
    most = timedelta(hours=spoken.cards.preceded_at_most_hours)
    fits = [card for card, _ in spoken.showings(event.kind, on_orders=False)]
    before = [card for card in fits if least <= event.at - card.at <= most]
    later = [card for card in fits if -most <= event.at - card.at < least]
    on_order = any(abs(card.at - event.at) <= least for card, _ in spoken.showings(event.kind, on_orders=True))
    known = [said.moment.grade for said in spoken.said if said.moment.at < event.at]
    row = EventRow(
        was.row.patient, was.row.course, rules, event.kind, event.number, event.at, event.by_order,
        event.standing_order, known[-1] if known else None, Preceded.NEVER, "", None, None, on_order, None,
    )  # fmt: skip
    if before:
        episodes = {(card.card, card.episode) for card in before}
        first = min((card for card in fits if (card.card, card.episode) in episodes), key=lambda c: (c.at, c.card))
        lead = in_hours(event.at - first.at)
        return replace(row, preceded=Preceded.BEFORE, card=first.card, first_card_at=first.at, lead_hours=lead)
    if later:
        return replace(row, preceded=Preceded.AT_OR_AFTER, card=later[0].card, first_card_at=later[0].at)
    return replace(row, would_have_spoken=would_speak(event))


def episode_rows(was: WhatWas, spoken: Spoken, orders: Sequence[WrittenOrder], rules: int) -> Iterator[EpisodeRow]:
    """The episodes of each card: what was ordered or given after it, and whether CRS became severe."""
    episodes: dict[tuple[str, int], list[tuple[CardRow, Said]]] = {}
    for said in spoken.said:
        for card in said.cards:
            if card.shown in spoken.cards.counted:
                episodes.setdefault((card.card, card.episode), []).append((card, said))
    for (card_id, number), showings in episodes.items():
        first, said = showings[0]
        drugs: list[EventKind | None] = [kind for kind in CLASS_OF_EVENT if card_id in CARDS_OF_EVENT[kind]]
        severe = was.row.first_grade_3
        already = severe is not None and severe <= first.at
        for kind in drugs or [None]:
            answered = _answered(was, orders, kind, first.at) if kind is not None else None
            yield EpisodeRow(
                was.row.patient, was.row.course, rules, card_id, number, first.at, showings[-1][0].at, len(showings),
                kind.value if kind is not None else "",
                in_hand=kind is not None and (card_id, KEY_OF_EVENT[kind]) in said.in_hand,
                order_within_hours=in_hours(answered - first.at) if answered is not None else None,
                severe_within_hours=in_hours(severe - first.at) if severe is not None and not already else None,
                severe_already=already,
            )  # fmt: skip


def _answered(was: WhatWas, orders: Sequence[WrittenOrder], kind: EventKind, since: datetime) -> datetime | None:
    """The first order or dose of a drug from a moment on."""
    doses = was.tocilizumab if kind is EventKind.TOCILIZUMAB else was.steroids
    times = [o.at for o in orders if CLASS_OF_EVENT[kind] in o.classes] + [dose.start for dose in doses]
    return min((at for at in times if at >= since), default=None)


def in_hours(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(seconds=36)).scaleb(-2).quantize(Decimal("0.01"), ROUND_HALF_UP)
