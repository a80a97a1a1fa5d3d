"""The public page `/evidence`: what each card rests on, its limits and its sources. It holds nothing of
a patient or of a site."""

from __future__ import annotations

from flask import Blueprint, Response

from cards.deciding.decision_table import CardId
from cards.deciding.rules_version import CITED_RULES
from cards.evidence.attributes import ALSO_USED, ATTRIBUTES, COMPARED_WITH, NOT_VALIDATED
from cards.evidence.card_evidence import CARD_EVIDENCE
from cards.evidence.sources import SOURCES, SourceId
from cards.wording.wording import WORDING
from cds_server.pages import page

evidence = Blueprint("evidence", __name__)


@evidence.get("/evidence")
def show() -> Response:
    return page(
        "evidence.html",
        {
            "rules": CITED_RULES,
            "cards": [_section(card) for card in CardId],
            "sources": [_source(source) for source in SOURCES],
            "attributes": ATTRIBUTES,
            "compared_with": COMPARED_WITH,
            "also_used": ALSO_USED,
            "not_validated": NOT_VALIDATED,
        },
    )


def _section(card: CardId) -> dict[str, object]:
    found = CARD_EVIDENCE[card]
    return {
        "id": card.value,
        "display": WORDING[card].display,
        "rests_on": found.rests_on,
        "limits": found.limits,
        "sources": [_source(source) for source in found.sources],
    }


def _source(source: SourceId) -> dict[str, object]:
    found = SOURCES[source]
    return {
        "id": source.value,
        "citation": found.citation,
        "kind": found.kind,
        "funding": found.funding,
        "population": found.population,
        "reading": found.reading.value,
        "read": found.read.isoformat(),
        "url": found.url,
    }
