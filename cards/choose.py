"""Facts and drafts → the cards of the answer: table, orders, when we speak, words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cards.deciding.card import Card, Suggestion, joined, shortened
from cards.deciding.card_modes import CardMode, CardModes
from cards.deciding.data_doubts import data_doubts
from cards.deciding.decision_table import (
    CARD_ORDER,
    CRITICAL_ORDER,
    ORDERS,
    RECOMMENDED,
    CardId,
    Indicator,
    Order,
    rows_for,
)
from cards.deciding.dismissed import Dismissed, held_back, state_of
from cards.deciding.offer import Offer
from cards.deciding.situation import Grade, Situation, Verdicts, drafted, situation, verdicts
from cards.deciding.when_to_show import Planned, Showing, spoken
from cards.orders.orders import SERVICES, service_offer
from cards.orders.steroid_order import icans_steroid_offer, steroid_offer
from cards.orders.tocilizumab_order import corrected_draft_offer, tocilizumab_offer
from cards.sentences.escaping import escaped, reference_text
from cards.sentences.phrases import phrase
from cards.wording.compose import composed
from cards.wording.context import Texts
from cards.wording.wording import NO_COURSE_DETAIL, NO_COURSE_SUMMARY, OVERRIDE_REASONS, PROTOCOL, WORDING
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.course import CourseSearch
from fhir_mappings.facts.coverage import Completeness, Kind
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass


@dataclass(frozen=True)
class Call:
    """A patient, how much is to be shown, and the orders that are drafted."""

    showing: Showing
    patient_id: str
    drafts: tuple[DraftOrder, ...] = ()


@dataclass(frozen=True)
class Advice:
    """The answer before JSON. Without cards, `silence` says why; it is never "all well". `shadowed` are the cards that
    the site tries unseen and that would have been shown."""

    cards: tuple[Card, ...]
    rows: tuple[str, ...] = ()
    shadowed: tuple[CardId, ...] = ()
    cell: Situation | None = None
    verdicts: Verdicts | None = None
    silence: str | None = None
    state: str = ""
    held: tuple[CardId, ...] = ()
    unreadable: bool = False


def advice(
    facts: PatientFacts,
    call: Call,
    terms: Terminology,
    t: Thresholds,
    modes: CardModes,
    dismissed: tuple[Dismissed, ...] = (),
) -> Advice:
    """The cards for one call, critical first, each order once, as far as the site shows them."""
    if facts.deceased:
        return Advice((), silence="deceased")
    if facts.course is None:
        return _without_course(facts, call, modes)
    if facts.grade is None:
        return Advice((), silence="course_ended")
    found = verdicts(facts, t)
    cell = situation(facts, facts.course, facts.grade, call.drafts, found, t)
    doubts = data_doubts(facts, call.drafts, cell, found, t)
    cell = replace(cell, data_doubt=doubts.level)
    rows = rows_for(cell)
    planned = [
        Planned(card, indicator, _offers(card, facts, call, cell, terms, t) if rule.orders else ())
        for rule in rows
        for card, indicator in rule.gives
    ]
    state = _in_order(tuple(_softened(p) for p in planned))
    seen = _visible(state, facts, call, modes, dismissed, state_of(facts, found))
    texts = Texts(
        facts, found, doubts, t, _unread(facts, terms), call.drafts,
        product_guidance=any(p.id is CardId.PRODUCT_GUIDANCE for p in seen.active),
        switched_off=seen.off, held=seen.held,
    )  # fmt: skip
    return Advice(
        cards=_worded(seen.shown, texts),
        rows=tuple(rule.id for rule in rows if rule.gives),
        shadowed=seen.shadowed,
        cell=cell,
        verdicts=found,
        silence=seen.silence,
        state=state_of(facts, found),
        held=tuple(one.card for one in seen.held),
    )


@dataclass(frozen=True)
class _Visible:
    """What of a state is shown, and what is not and why."""

    active: tuple[Planned, ...]
    shown: tuple[Planned, ...]
    shadowed: tuple[CardId, ...]
    off: tuple[CardId, ...]
    held: tuple[Dismissed, ...]

    @property
    def silence(self) -> str | None:
        if self.shown:
            return None
        return "shadowed" if self.shadowed else "switched_off" if self.off else "nothing_to_say"


def _visible(
    state: tuple[Planned, ...],
    facts: PatientFacts,
    call: Call,
    modes: CardModes,
    dismissed: tuple[Dismissed, ...],
    state_text: str,
) -> _Visible:
    """The cards that this hook, the site and what the user dismissed leave to be seen."""
    active = tuple(p for p in state if modes.of(p.id) is CardMode.ACTIVE)
    tried = tuple(p for p in state if modes.of(p.id) is not CardMode.OFF)
    shown = spoken(call.showing, call.drafts, active, facts)
    # without the state of CRS in sight, what was dismissed would turn into silence
    held = held_back(shown, dismissed, state_text) if any(p.id is CardId.CRS_GRADE for p in active) else ()
    if held:
        waiting = {one.card for one in held}
        # what was dismissed never turns into silence: the state goes out and says so
        shown = tuple(p for p in active if p.id is CardId.CRS_GRADE or (p in shown and p.id not in waiting))
    seen = {p.id for p in shown} | {one.card for one in held}
    shadowed = tuple(p.id for p in spoken(call.showing, call.drafts, tried, facts) if p.id not in seen)
    off = tuple(p.id for p in state if modes.of(p.id) is CardMode.OFF)
    return _Visible(active, shown, shadowed, off, held)


def _without_course(facts: PatientFacts, call: Call, modes: CardModes) -> Advice:
    """No infusion found: silence only where everything was read; a warning where tocilizumab is drafted, or a
    diagnosis claims CAR-T, and the record was read in part."""
    if facts.course_search is CourseSearch.UNREADABLE:
        return Advice((), unreadable=True)
    toci = bool(drafted(call.drafts, DrugClass.TOCILIZUMAB))
    lost = any(a.infusion for a in facts.set_aside)
    if lost or facts.recent_coded_claim or (toci and facts.course_search is CourseSearch.NONE_IN_PART_READ):
        if modes.of(CardId.DATA_QUALITY) is CardMode.ACTIVE:
            return Advice((_no_course_card(facts),), silence=None)
        return Advice((), silence="switched_off", unreadable=facts.course_search is not CourseSearch.NONE)
    return Advice((), silence=facts.course_search.value, unreadable=_infusion_may_be_unread(facts))


def _infusion_may_be_unread(facts: PatientFacts) -> bool:
    """Whether no infusion was found for want of all administrations, or of what was asked for in vain."""
    administrations, procedures = (facts.coverage.get(k) for k in (Kind.ADMINISTRATIONS, Kind.PROCEDURES))
    if administrations is None or administrations.state is Completeness.UNREAD:
        return True
    return administrations.failed or (procedures is not None and procedures.failed)


def _no_course_card(facts: PatientFacts) -> Card:
    wording = WORDING[CardId.DATA_QUALITY]
    coverage = facts.coverage.get(Kind.ADMINISTRATIONS)
    since = coverage.since if coverage else None
    back_to = f" back to {facts.local(since):%d %b %Y}" if since else ""
    lost = [a for a in facts.set_aside if a.infusion]
    why = "A diagnosis claims CAR-T cells, CRS or ICANS." if facts.recent_coded_claim else "Tocilizumab is drafted."
    if lost:
        why = f"{reference_text(lost[0].reference)} could not be used ({escaped(lost[0].why)})."
    reasons = [f"{kind.value}: {c.why}" for kind, c in facts.coverage.items() if c.why]
    detail = NO_COURSE_DETAIL.format(why=why, back_to=back_to)
    unread = "Not read: " + escaped("; ".join(reasons[:4])) + "." if reasons else ""
    return Card(
        CardId.DATA_QUALITY,
        wording.display,
        Indicator.INFO,
        shortened(NO_COURSE_SUMMARY.format(back_to=back_to)),
        joined([detail, unread, PROTOCOL]),
        wording.source,
        override_reasons=OVERRIDE_REASONS,
    )


def _offers(
    card: CardId, facts: PatientFacts, call: Call, cell: Situation, terms: Terminology, t: Thresholds
) -> tuple[Offer, ...]:
    """The orders that a card would make."""
    drafts, patient = call.drafts, call.patient_id
    # one corticosteroid order for the whole answer: what ICANS of grade 2 needs is no less for CRS
    icans = facts.icans.grade is not None and facts.icans.grade >= 2
    hours = 6 if cell.grade in (Grade.G3, Grade.G4) or icans else 12

    def offer(order: Order) -> Offer:
        match order:
            case Order.TOCILIZUMAB:
                return tocilizumab_offer(facts, drafts, patient, terms, t, recommended=card in RECOMMENDED)
            case Order.CORRECTED_DRAFT:
                return corrected_draft_offer(facts, drafts, t)
            case Order.STEROID:
                return steroid_offer(facts, drafts, patient, terms, t, every_hours=hours)
            case Order.ICANS_STEROID:
                return icans_steroid_offer(facts, drafts, patient, terms, t)
        return service_offer(facts, drafts, patient, SERVICES[order], terms, t)

    return tuple(offer(order) for order in ORDERS.get(card, ()))


def _softened(card: Planned) -> Planned:
    """A warning whose orders are all running or done today goes out as info."""
    done = [offer for offer in card.offers if not offer.barred]
    if card.indicator is Indicator.WARNING and done and all(offer.done for offer in done):
        return replace(card, indicator=Indicator.INFO)
    return card


def _in_order(state: tuple[Planned, ...]) -> tuple[Planned, ...]:
    """Critical cards first, then the others, each in the order of the catalogue."""
    critical = [c for c in state if c.indicator is Indicator.CRITICAL]
    others = [c for c in state if c.indicator is not Indicator.CRITICAL]
    return (
        *sorted(critical, key=lambda c: CRITICAL_ORDER.index(c.id)),
        *sorted(others, key=lambda c: CARD_ORDER.index(c.id)),
    )


def _unread(facts: PatientFacts, terms: Terminology) -> tuple[Kind, ...]:
    """The kinds of data that could not all be read."""
    short = {k for k in Kind if k not in facts.coverage or facts.coverage[k].state is not Completeness.COMPLETE}
    # what a caution rests on and was set aside; each count or enzyme speaks for itself
    cautions = {Kind.MICROBIOLOGY, Kind.ALLERGIES, Kind.CONDITIONS, Kind.MEDICATION_ORDERS, Kind.SERVICE_ORDERS}
    short |= cautions & {kind for a in facts.set_aside for kind in a.kinds}
    # an order whose drug nothing names may be any drug
    if any(o.drug is None and o.reference.startswith("MedicationRequest/") for o in facts.pending):
        short.add(Kind.MEDICATION_ORDERS)
    # a site without codes of its own for ICE and ICANS asks for none; what is running is among the administrations
    moot = {Kind.NEURO} if not terms.codes("ice-score", "icans-grade") else set()
    moot |= {Kind.RUNNING} if Kind.ADMINISTRATIONS not in short else set()
    return tuple(k for k in Kind if k in short - moot)


def _worded(shown: tuple[Planned, ...], texts: Texts) -> tuple[Card, ...]:
    """Words for each card; an order that an earlier card carries is only named by a later one."""
    carried: dict[str, Suggestion] = {}
    cards: list[Card] = []
    for planned in shown:
        suggestions: list[Suggestion] = []
        notes: list[str] = []
        for offer in planned.offers:
            if offer.suggestion is not None and offer.key in carried:
                notes.append(phrase("order", "above", label=carried[offer.key].label))
                continue
            if offer.suggestion is not None:
                carried[offer.key] = offer.suggestion
                suggestions.append(offer.suggestion)
            if offer.note:
                notes.append(offer.note)
        cards.append(composed(planned, texts, tuple(suggestions), tuple(notes)))
    return tuple(cards)
