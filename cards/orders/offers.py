"""The orders that each card of the table offers."""

from __future__ import annotations

from dataclasses import replace

from cards.deciding.conditions import Doses, FeverLasts, Il6, Infected, Situation
from cards.deciding.decision_table import ORDERS, RECOMMENDED, CardId, Order
from cards.deciding.offer import Offer
from cards.deciding.steroids.regimen import Regimen, is_no_better
from cards.orders.orders import SERVICES, Ordering, service_offer
from cards.orders.steroid_order import steroid_offer
from cards.orders.tocilizumab_order import TOCILIZUMAB, corrected_draft_offer, tocilizumab_offer
from cards.sentences.phrases import phrase


def offers_of(card: CardId, order: Ordering, cell: Situation) -> tuple[Offer, ...]:
    """The orders that a card would make, each with its suggestion or the reason for none."""
    return tuple(_offer(what, card, order, cell) for what in ORDERS.get(card, ()) if _is_wanted(what, order, cell))


def _is_wanted(what: Order, order: Ordering, cell: Situation) -> bool:
    match what:
        case Order.TOCILIZUMAB_FOR_LONG_FEVER:
            return cell.fever_lasts is FeverLasts.YES
        case Order.STEROID_WHERE_NO_BETTER:
            return is_no_better(order.facts, order.t)
        case Order.IL6:
            return cell.il6 is Il6.ASK and cell.doses is Doses.NONE
    return True


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
        case Order.STEROID | Order.STEROID_WHERE_NO_BETTER | Order.ICANS_STEROID:
            regimen = order.regimen or Regimen.DEXAMETHASONE
            return steroid_offer(order, regimen, icans=what is Order.ICANS_STEROID)
        case Order.IL6:
            return replace(service_offer(order, SERVICES[what]), beside=True)
    return service_offer(order, SERVICES[what])
