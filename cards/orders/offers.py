"""The orders that each card of the table offers."""

from __future__ import annotations

from cards.deciding.conditions import FeverLasts, Infected, Situation
from cards.deciding.decision_table import ORDERS, RECOMMENDED, CardId, Order
from cards.deciding.offer import Offer
from cards.deciding.steroids.regimen import Regimen
from cards.orders.orders import SERVICES, Ordering, service_offer
from cards.orders.steroid_order import steroid_offer
from cards.orders.tocilizumab_order import TOCILIZUMAB, corrected_draft_offer, tocilizumab_offer
from cards.sentences.phrases import phrase


def offers_of(card: CardId, order: Ordering, cell: Situation) -> tuple[Offer, ...]:
    """The orders that a card would make, each with its suggestion or the reason for none."""
    return tuple(_offer(what, card, order, cell) for what in ORDERS.get(card, ()) if _is_wanted(what, cell))


def _is_wanted(what: Order, cell: Situation) -> bool:
    return what is not Order.TOCILIZUMAB_FOR_LONG_FEVER or cell.fever_lasts is FeverLasts.YES


def _offer(what: Order, card: CardId, order: Ordering, cell: Situation) -> Offer:
    match what:
        case Order.TOCILIZUMAB:
            return tocilizumab_offer(order, recommended=card in RECOMMENDED)
        case Order.TOCILIZUMAB_FOR_LONG_FEVER:
            if cell.infected is Infected.YES:
                return Offer(TOCILIZUMAB, None, phrase("no_tocilizumab", "infection"))
            return tocilizumab_offer(order, recommended=False)
        case Order.CORRECTED_DRAFT:
            return corrected_draft_offer(order)
        case Order.STEROID | Order.ICANS_STEROID:
            regimen = order.regimen or Regimen.DEXAMETHASONE
            return steroid_offer(order, regimen, icans=what is Order.ICANS_STEROID)
    return service_offer(order, SERVICES[what])
