"""The choice of the cards for one call: situation → rows → offers → visible cards → words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cards.deciding.card import Card
from cards.deciding.card_modes import CardMode, CardModes
from cards.deciding.conditions import Situation, SteroidCheck
from cards.deciding.data_doubts import data_doubts
from cards.deciding.decision_table import (
    CardId,
    Rule,
    rows_for,
)
from cards.deciding.dismissed import Dismissed, state_of
from cards.deciding.drafts import drafted
from cards.deciding.protocol import PACKAGE_PROTOCOL, Protocol
from cards.deciding.situation import Verdicts, situation, verdicts
from cards.deciding.steroids.check import steroid_faults
from cards.deciding.steroids.regimen import strongest_regimen
from cards.deciding.visible import Silence, visible_cards
from cards.deciding.when_to_show import Call, Planned, in_order, softened
from cards.orders.offers import offers_of
from cards.orders.orders import Ordering
from cards.wording.compose import worded
from cards.wording.context import WordingContext, unread_kinds
from cards.wording.no_course import no_course_card
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.course import CourseDoubt, CourseSearch
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DrugClass


@dataclass(frozen=True)
class Advice:
    """The answer before JSON. Without cards, `silence` says why.

    `shadowed` are the cards that would have been shown but that the site tries unseen, `held` those that the user
    dismissed. `unreadable` is the reason why nothing may be said: data that are needed could not be read.
    """

    cards: tuple[Card, ...]
    rows: tuple[str, ...] = ()
    shadowed: tuple[CardId, ...] = ()
    cell: Situation | None = None
    verdicts: Verdicts | None = None
    silence: Silence | None = None
    state: str = ""
    held: tuple[CardId, ...] = ()
    unreadable: CourseDoubt | None = None


@dataclass(frozen=True)
class Choice:
    """The cards of an answer before they have words: `advice` holds all else, and `texts` what the words rest on."""

    advice: Advice
    shown: tuple[Planned, ...] = ()
    texts: WordingContext | None = None

    @property
    def in_words(self) -> Advice:
        return self.advice if self.texts is None else replace(self.advice, cards=worded(self.shown, self.texts))


def advice(
    facts: PatientFacts,
    call: Call,
    terms: Terminology,
    t: Thresholds,
    modes: CardModes,
    dismissed: tuple[Dismissed, ...] = (),
    protocol: Protocol = PACKAGE_PROTOCOL,
) -> Advice:
    """The cards for one call as far as the site shows them, critical cards first, each order once."""
    return choice(facts, call, terms, t, modes, dismissed, protocol).in_words


def choice(
    facts: PatientFacts,
    call: Call,
    terms: Terminology,
    t: Thresholds,
    modes: CardModes,
    dismissed: tuple[Dismissed, ...] = (),
    protocol: Protocol = PACKAGE_PROTOCOL,
) -> Choice:
    """The same cards without their words, for who only counts them: the words cost more than the choice."""
    if facts.deceased:
        return Choice(Advice((), silence=Silence.DECEASED))
    if facts.course is None:
        warning = _without_course(facts, call, modes)
        return Choice(warning, tuple(Planned(card.id, card.indicator, ()) for card in warning.cards))
    if facts.grade is None:
        return Choice(Advice((), silence=Silence.COURSE_ENDED))
    found = verdicts(facts, t)
    cell = situation(facts, facts.course, facts.grade, call.drafts, found, t)
    doubts = data_doubts(facts, call.drafts, cell, found, t)
    # the regimen that the other cards ask for is what a drafted corticosteroid is checked against
    regimen = strongest_regimen(_asking(rows_for(cell), modes), facts, t)
    faults = steroid_faults(facts, call.drafts, regimen, t)
    checked = SteroidCheck.DOUBTFUL if faults else SteroidCheck.FINE
    cell = replace(cell, data_doubt=doubts.level, steroid_check=checked)
    rows = rows_for(cell)
    state = _planned(rows, Ordering(facts, call.drafts, call.patient_id, terms, t, regimen), cell)
    seen = visible_cards(state, facts, call, modes, dismissed, state_of(facts, found))
    texts = WordingContext(
        facts, found, doubts, t, unread_kinds(facts, terms), call.drafts,
        protocol=protocol,
        switched_off=seen.off, held=seen.held, regimen=regimen,
    )  # fmt: skip
    decided = Advice(
        cards=(), rows=tuple(rule.id for rule in rows if rule.gives), shadowed=seen.shadowed,
        cell=cell, verdicts=found, silence=seen.silence, state=state_of(facts, found),
        held=tuple(one.card for one in seen.held),
    )  # fmt: skip
    return Choice(decided, seen.shown, texts)


def _asking(rows: tuple[Rule, ...], modes: CardModes) -> tuple[CardId, ...]:
    """The cards that may ask for an order: those of rows with orders that the site shows."""
    cards = (card for rule in rows if rule.orders for card, _ in rule.gives)
    return tuple(card for card in cards if modes.of(card) is CardMode.ACTIVE)


def _planned(rows: tuple[Rule, ...], order: Ordering, cell: Situation) -> tuple[Planned, ...]:
    """The cards of the rows with the orders that each would make, in the order of urgency."""
    planned = (
        Planned(card, indicator, offers_of(card, order, cell) if rule.orders else ())
        for rule in rows
        for card, indicator in rule.gives
    )
    return in_order(tuple(softened(p, cell.charted) for p in planned))


def _without_course(facts: PatientFacts, call: Call, modes: CardModes) -> Advice:
    """The advice if no infusion was found.

    A card warns if a record of an infusion was lost, if a diagnosis claims CAR-T cells, or if tocilizumab is drafted
    and the record was read in part. Otherwise nothing is said. A client takes an empty answer for "all well", and many
    sites chart the infusion as a Procedure alone, so any doubt is a 412. The answer stays empty only after a full page
    that nobody could be asked to go on from.
    """
    doubt = facts.course_doubt
    if facts.course_search is CourseSearch.UNREADABLE:
        return Advice((), unreadable=doubt)
    toci = bool(drafted(call.drafts, DrugClass.TOCILIZUMAB))
    lost = any(a.infusion for a in facts.set_aside)
    if lost or facts.recent_coded_claim or (toci and doubt is not None):
        if modes.of(CardId.DATA_QUALITY) is CardMode.ACTIVE:
            return Advice((no_course_card(facts),))
        return Advice((), silence=Silence.SWITCHED_OFF, unreadable=doubt)
    if doubt is None:
        return Advice((), silence=Silence.NO_COURSE)
    silence = Silence.NO_COURSE_IN_PART_READ
    return Advice((), silence=silence, unreadable=None if doubt is CourseDoubt.FIRST_PAGE else doubt)
