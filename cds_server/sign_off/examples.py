"""The cards that example patients get under the rules in force, in words that a person compares."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from cards.deciding.card import Card
from cards.deciding.when_to_show import Showing
from cds_server.patient_advice import Occasion, advice_on, facts_of, mapping_context
from cds_server.record.recorded_bundle import recorded_patient
from cds_server.site_rules import SiteRules
from fhir_mappings.medications.draft_fields import Draft


@dataclass(frozen=True)
class ExampleCall:
    """One moment of an example patient: how much is shown, the chart up to then, and the orders that are drafted."""

    name: str
    showing: Showing
    chart: tuple[Mapping[str, Any], ...]
    drafts: tuple[Mapping[str, Any], ...]
    at: datetime


def cards_on_examples(rules: SiteRules, examples: Iterable[ExampleCall], zone: tzinfo) -> dict[str, str]:
    """The cards of each example by its name, a line each; orders stand under their card."""
    return {one.name: _cards(rules, one, zone) for one in examples}


def _cards(rules: SiteRules, one: ExampleCall, zone: tzinfo) -> str:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in one.chart]}
    recorded = recorded_patient(one.name, json.dumps(bundle).encode(), None)
    context = mapping_context(recorded.owner.patient_id, None, rules, zone, one.at)
    drafts = tuple(Draft(n, None, resource) for n, resource in enumerate(one.drafts))
    # all drafts count as selected: an example is about its order
    selected = frozenset(f"{draft['resourceType']}/{draft['id']}" for draft in one.drafts)
    occasion = Occasion(one.showing, drafts, selected)
    facts = facts_of(recorded.record, context)
    found = advice_on(occasion, facts, recorded.record, context, rules)
    return "\n".join(line for card in found.cards for line in _lines(card)) or f"no card: {found.silence}"


def _lines(card: Card) -> list[str]:
    return [f"{card.indicator} {card.id}: {card.summary}", *(f"  order: {s.label}" for s in card.suggestions)]
