"""A card with its suggestions, and their CDS Hooks JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cards.deciding.decision_table import CardId, Indicator

SUMMARY_LIMIT = 140
EVIDENCE_LABEL = "Evidence and limits"
EVIDENCE_EXTENSION = "org.crs-cds.evidence"


@dataclass(frozen=True)
class Suggestion:
    """One order to accept, with exactly one action: `create` or `update`.

    `order_key` names the order, so that no answer carries it twice; `mg` is its dose if it is of a drug.
    """

    label: str
    description: str
    resource: Mapping[str, Any]
    order_key: str
    recommended: bool = False
    action: str = "create"
    mg: Decimal | None = None


@dataclass(frozen=True)
class CardSource:
    label: str
    url: str | None = None


@dataclass(frozen=True)
class OverrideReason:
    code: str
    system: str
    display: str


@dataclass(frozen=True)
class EvidenceItem:
    """One record that a card rests on: a number with its unit, or only what it is and when."""

    reference: str
    what: str
    value: Decimal | None = None
    unit: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Card:
    """One card as the EHR shows it. `detail` is GitHub-flavoured Markdown; every text from the record is escaped.

    `background` is what a card of ten seconds leaves out, in the same form: evidence line by line, the limits of the
    study. `explain` and the course page show it. `evidence` are the records that the card rests on.
    """

    id: CardId
    display: str
    indicator: Indicator
    summary: str
    detail: str
    source: CardSource
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[OverrideReason, ...] = ()
    shows_evidence: bool = False
    background: str = ""
    evidence: tuple[EvidenceItem, ...] = ()


def card_json(
    card: Card, public_url: str, new_uuid: Callable[[], str], course: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The CDS Hooks 3.0 card. Optional fields without a value are left out; nothing is null or empty.

    Every card links to its evidence at `public_url`. `course` is the link to the course of the patient; the cards that
    show evidence carry it too.
    """
    source: dict[str, Any] = {"label": card.source.label}
    if card.source.url:
        source["url"] = card.source.url
    source["topic"] = {"system": f"{public_url}/CodeSystem/crs-cards", "code": card.id.value, "display": card.display}
    result: dict[str, Any] = {
        "uuid": new_uuid(),
        "summary": card.summary,
        "detail": card.detail,
        "indicator": card.indicator.value,
        "source": source,
    }
    if card.evidence:
        result["extension"] = {EVIDENCE_EXTENSION: [_evidence_json(item) for item in card.evidence]}
    if card.suggestions:
        result["suggestions"] = [_suggestion_json(s, new_uuid) for s in card.suggestions]
        result["selectionBehavior"] = "any"
    if card.override_reasons:
        result["overrideReasons"] = [
            {"code": r.code, "system": r.system, "display": r.display} for r in card.override_reasons
        ]
    evidence = {"label": EVIDENCE_LABEL, "url": f"{public_url}/evidence#{card.id.value}", "type": "absolute"}
    result["links"] = [evidence, *([dict(course)] if course is not None and card.shows_evidence else [])]
    return result


def _evidence_json(item: EvidenceItem) -> dict[str, Any]:
    result: dict[str, Any] = {"reference": item.reference, "what": item.what}
    if item.value is not None:
        result |= {"value": float(item.value), "unit": item.unit}
    if item.at is not None:
        result["at"] = item.at.isoformat(timespec="seconds")
    return result


def _suggestion_json(suggestion: Suggestion, new_uuid: Callable[[], str]) -> dict[str, Any]:
    result: dict[str, Any] = {"label": suggestion.label, "uuid": new_uuid()}
    if suggestion.recommended:
        result["isRecommended"] = True
    result["actions"] = [
        {"type": suggestion.action, "description": suggestion.description, "resource": dict(suggestion.resource)}
    ]
    return result


def shortened(text: str) -> str:
    """A summary that fits: CDS Hooks allows fewer than 140 characters."""
    if len(text) < SUMMARY_LIMIT:
        return text
    return text[: SUMMARY_LIMIT - 2].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def joined(paragraphs: Sequence[str]) -> str:
    return "\n\n".join(p for p in paragraphs if p)
