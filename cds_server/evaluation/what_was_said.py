"""The second reading of a course: what the rules would have said at each moment, from the record as it was known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cards.choose import Choice
from cards.deciding.card_modes import CardMode, CardModes
from cards.deciding.decision_table import CardId, rows_for
from cards.deciding.dismissed import Dismissed
from cards.deciding.verdict import Verdict
from cards.deciding.when_to_show import Showing
from cds_server.evaluation.courses import Followed, Look
from cds_server.evaluation.moments import Ask
from cds_server.evaluation.reading.charts import Chart
from cds_server.evaluation.rows.moments import CardRow, MomentKind, MomentRow, Shown
from cds_server.patient_advice import Occasion, choice_on
from cds_server.site_rules import SiteRules
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.known_at.timeline import Timeline
from fhir_mappings.settled_facts import settled_facts

COUNTED_APART = frozenset({CardId.CRS_GRADE, CardId.CRS_GRADE_UNKNOWN})


@dataclass(frozen=True)
class Said:
    """One answer: its row, its cards, and each card with an order of its own that was drafted, active or running."""

    moment: MomentRow
    cards: tuple[CardRow, ...]
    in_hand: frozenset[tuple[str, str]]


@dataclass
class Replay:
    """The replay of one course by one set of rules. `number` is 1, or 2 for the rules that are compared."""

    patient: str
    followed: Followed
    chart: Chart
    look: Look
    timeline: Timeline
    rules: SiteRules
    number: int
    days_at_risk: frozenset[object]
    _shown: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _new: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _dismissed: list[Dismissed] = field(default_factory=list)

    def said_at(self, ask: Ask) -> Said:
        """The answer at one moment; to be asked in the order of time, because cards make episodes."""
        facts, chosen = self.answer(ask)
        found = chosen.advice
        local = ask.at.astimezone(self.followed.zone)
        cards = tuple(self._cards(ask, chosen))
        live = [card for card in cards if card.shown in self.look.protocol.cards.counted]
        moment = MomentRow(
            self.patient, self.followed.number, self.number, ask.at, local.date(), local.hour, ask.kind,
            grade=facts.grade.grade if facts.grade is not None else None,
            grade_is_minimum=facts.grade is not None and facts.grade.minimum,
            provisional=facts.grade.provisional if facts.grade is not None else None,
            no_grade=facts.grade.no_grade.value if facts.grade is not None and facts.grade.no_grade else "",
            il6=_category(found.verdicts.il6 if found.verdicts is not None else None),
            crp=_category(found.verdicts.crp if found.verdicts is not None else None),
            cards=len(live), silence=found.silence.value if found.silence is not None else "",
            unreadable=found.unreadable is not None, set_aside=len(facts.set_aside),
        )  # fmt: skip
        in_hand = {(card.id.value, offer.key) for card in chosen.shown for offer in card.offers if offer.in_hand}
        return Said(moment, cards, frozenset(in_hand))

    def answer(self, ask: Ask) -> tuple[PatientFacts, Choice]:
        """The facts and the cards as if every card that is not off were live."""
        context = MappingContext(
            self.rules.terms, self.rules.thresholds, self.look.zone, self.chart.patient, self.chart.fhir_base, ask.at
        )
        record = self.timeline.at(ask.at)
        facts = settled_facts(record, context)
        showing = Showing.ORDERS if ask.kind is MomentKind.ORDER else Showing.STATE
        held = tuple(self._dismissed) if self.look.protocol.cards.hold_hours else ()
        found = choice_on(Occasion(showing, ask.drafts), facts, record, context, as_if_live(self.rules), held)
        self._dismiss(found, ask.at)
        return facts, found

    def _dismiss(self, found: Choice, at: datetime) -> None:
        """One user dismisses each card at the moment it is shown; what may wait is then held for the site's hours."""
        hours = self.look.protocol.cards.hold_hours
        if hours:
            since = at - timedelta(hours=hours)
            shown = [Dismissed(card.id, card.indicator, found.advice.state, at) for card in found.shown]
            self._dismissed = [one for one in (*self._dismissed, *shown) if one.at >= since]

    def _cards(self, ask: Ask, found: Choice) -> Iterable[CardRow]:
        for card in found.shown:
            mode = self.rules.modes.of(card.id)
            yield self._row(
                ask, card.id, card.indicator.value, Shown.SHADOW if mode is CardMode.SHADOW else Shown.ACTIVE
            )
        for held in found.advice.held:
            yield self._row(ask, held, "", Shown.HELD)
        off = {
            card: indicator
            for rule in (rows_for(found.advice.cell) if found.advice.cell is not None else ())
            for card, indicator in rule.gives
            if self.rules.modes.of(card) is CardMode.OFF
        }
        for card_id, indicator in off.items():
            yield self._row(ask, card_id, indicator.value, Shown.OFF)

    def _row(self, ask: Ask, card: CardId, indicator: str, shown: Shown) -> CardRow:
        cards = self.look.protocol.cards
        local = ask.at.astimezone(self.followed.zone)
        row = CardRow(
            self.patient, self.followed.number, self.number, ask.at, local.date(), local.hour, ask.kind, card.value,
            indicator, shown, local.date() in self.days_at_risk, is_new=False, episode=0,
        )  # fmt: skip
        if shown not in cards.counted:
            return row
        last, number = self._shown.get(card.value, (None, 0))
        if last is None or ask.at - last > timedelta(hours=cards.episode_gap_hours):
            number += 1
        self._shown[card.value] = (ask.at, number)
        before = self._new.get((card.value, indicator))
        self._new[card.value, indicator] = ask.at
        is_new = before is None or ask.at - before > timedelta(hours=cards.new_after_hours)
        return replace(row, is_new=is_new, episode=number)


def as_if_live(rules: SiteRules) -> SiteRules:
    """The rules with every card that is tried in shadow shown."""
    modes: Mapping[CardId, CardMode] = {
        card: CardMode.OFF for card, mode in rules.modes.modes.items() if mode is CardMode.OFF
    }
    return replace(rules, modes=CardModes(modes))


def _category(found: Verdict | None) -> str:
    return found.category.value if found is not None else ""
