"""The mapping from one answered call to the rows of the decision log: pseudonyms for people, codes for orders, no text
of a record."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from cards.choose import Advice
from cards.deciding.decision_table import CardId
from cds_server.hooks.assessment import ASSESSMENT_EXTENSION
from cds_server.hooks.hook_call import HookCall
from cds_server.storage.database import CardRow, DecisionRow
from cds_server.storage.decisions import Decision
from fhir_mappings.medications.draft_fields import Draft

PACKAGE_VERSION = version("crs-cds")
MOST_REFERENCES = 500
MOST_ORDERS = 100
_REFERENCE = re.compile(r"[A-Za-z]{1,40}/[A-Za-z0-9._~-]{1,255}")
_CODE = re.compile(r"[!-~]{1,200}\|[A-Za-z0-9.\-]{1,64}")


@dataclass(frozen=True)
class CallOutcome:
    """The end of a call: the reason why nothing is shown, the data that could not be read, the advice and its answer,
    each if there is one."""

    silence: str | None
    unread: Sequence[str] = ()
    advice: Advice | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)


def decision_of(call: HookCall, outcome: CallOutcome) -> Decision:
    """The rows of a call. The uuid of a card is the one that went out, or would have gone out."""
    cards = [_card(call, card) for card in outcome.answer.get("cards", ())]
    in_trial = outcome.advice.shadowed if outcome.advice is not None else ()
    return Decision(_row(call, outcome), [*cards, *(_card_in_trial(call, card) for card in in_trial)])


def _row(call: HookCall, outcome: CallOutcome) -> DecisionRow:
    advice, sent = outcome.advice, call.sent
    assessment = outcome.answer.get("extension", {}).get(ASSESSMENT_EXTENSION, {})
    return DecisionRow(
        id=call.decision_id,
        at=call.as_of,
        service=call.service.id,
        issuer=call.caller.issuer,
        tenant=call.caller.tenant or "",
        patient=call.people.patient,
        user=call.people.user,
        hook_instance=sent.hook_instance,
        orders=[code for draft in sent.drafts for code in _codes(draft)][:MOST_ORDERS],
        rules=list(advice.rows) if advice is not None else [],
        assessment=_kept({**assessment, "unread": list(outcome.unread)}),
        state=advice.state if advice is not None else "",
        silence=outcome.silence,
        shadow=call.shadow,
        rules_hash=call.here.sources.rules.hash,
        version=PACKAGE_VERSION,
        milliseconds=call.time.milliseconds(),
    )


def _card(call: HookCall, card: Mapping[str, Any]) -> CardRow:
    return CardRow(
        uuid=card["uuid"],
        decision_id=call.decision_id,
        card=card["source"]["topic"]["code"],
        indicator=card["indicator"],
        shown=not call.shadow,
        suggestions=[suggestion["uuid"] for suggestion in card.get("suggestions", ())],
    )


def _card_in_trial(call: HookCall, card: CardId) -> CardRow:
    """A card that the site tries unseen."""
    return CardRow(
        uuid=str(uuid.uuid4()),
        decision_id=call.decision_id,
        card=card.value,
        indicator="",
        shown=False,
        suggestions=[],
    )


def _kept(assessment: Mapping[str, Any]) -> dict[str, Any]:
    """The assessment with references as the record has them, so that a reviewer finds the data again."""

    # Without the ids of the resources behind an answer nobody could say next year why it was given. The patient's own
    # reference is not among them, nor is anything that does not look like a reference or a code.
    def plain(reference: str) -> str:
        kind, _, _ = reference.partition("/")
        return reference if _REFERENCE.fullmatch(reference) and kind != "Patient" else f"{kind[:40]}/-"

    def walked(value: Any, name: str = "") -> Any:
        if isinstance(value, Mapping):
            return {key: walked(part, key) for key, part in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [walked(part, name) for part in value[:MOST_REFERENCES]]
        return plain(value) if name in ("reference", "evidence") and isinstance(value, str) else value

    found: dict[str, Any] = walked(assessment)
    return found


def _codes(draft: Draft) -> list[str]:
    """The `system|code` of what a draft orders, also if a contained Medication says it. Its texts, and codes that do
    not look like codes, are not kept."""
    contained = draft.resource.get("contained")
    drugs = [r for r in contained if isinstance(r, Mapping)] if isinstance(contained, list) else []
    found: list[str] = []
    for concept in (
        *(draft.resource.get(f) for f in ("medicationCodeableConcept", "code")),
        *(d.get("code") for d in drugs),
    ):
        codings = concept.get("coding") if isinstance(concept, Mapping) else None
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, Mapping) and coding.get("system"):
                code = f"{coding['system']}|{coding.get('code')}"
                if _CODE.fullmatch(code):
                    found.append(code)
    return found
