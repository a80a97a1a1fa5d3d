"""Advice as the answer of CDS Hooks: cards, and the reasoning beside them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from cards.choose import Advice
from cards.deciding.card import card_json
from cds_server.hooks.assessment import ASSESSMENT_EXTENSION, assessment
from cds_server.site_rules import SiteRules
from fhir_mappings.facts.patient import PatientFacts


def answer_json(
    found: Advice, facts: PatientFacts, rules: SiteRules, public_url: str, course: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The cards and the reasoning as CDS Hooks JSON; `course` is the link of the cards that show evidence."""
    return {
        "cards": [card_json(card, public_url, lambda: str(uuid.uuid4()), course) for card in found.cards],
        "extension": {ASSESSMENT_EXTENSION: assessment(facts, found, rules.hash)},
    }
