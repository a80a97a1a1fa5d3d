"""One answered call → the rows of the decision log: pseudonyms for people, codes for orders, no text of a record."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from cards.choose import Advice
from cds_server.hooks.hook_request import HookRequest
from cds_server.storage.database import CardRow, DecisionRow
from cds_server.storage.decisions import Decision
from cds_server.storage.pseudonyms import People, Pseudonyms
from cds_server.trust.client_trust import Caller
from fhir_mappings.draft_orders import Draft

VERSION = version("crs-cds")
MOST_REFERENCES = 500
MOST_ORDERS = 100
_REFERENCE = re.compile(r"[A-Za-z]{1,40}/[A-Za-z0-9.\-]{1,64}")
_CODE = re.compile(r"[!-~]{1,200}\|[A-Za-z0-9.\-]{1,64}")


def people_of(request: HookRequest, caller: Caller, pseudonyms: Pseudonyms) -> People:
    issuer = caller.client.issuer if caller.client else ""

    def word(kind: str, id_: str) -> str:
        return pseudonyms.of(kind, issuer, caller.tenant, request.fhir_server, id_)

    return People(word("patient", request.patient_id), word("user", request.user_id))


@dataclass(frozen=True)
class Answered:
    """What there is to log of a call beside its people: when, by which rules, what came out, how long it took."""

    decision_id: str
    service: str
    at: datetime
    rules_hash: str
    milliseconds: int
    shadow: bool
    silence: str | None
    found: Advice | None
    body: Mapping[str, Any]
    unread: Sequence[str] = ()


def decision_of(request: HookRequest, caller: Caller, people: People, answered: Answered) -> Decision:
    """The rows. A card's uuid is the one that went out, or would have."""
    found, extension = answered.found, answered.body.get("extension", {})
    row = DecisionRow(
        id=answered.decision_id,
        at=answered.at,
        service=answered.service,
        issuer=caller.client.issuer if caller.client else "",
        tenant=caller.tenant or "",
        patient=people.patient,
        user=people.user,
        hook_instance=request.hook_instance,
        orders=[code for draft in request.drafts for code in _codes(draft)][:MOST_ORDERS],
        rules=list(found.rows) if found is not None else [],
        assessment=_kept({**next(iter(extension.values()), {}), "unread": list(answered.unread)}),
        state=found.state if found is not None else "",
        silence=answered.silence,
        shadow=answered.shadow,
        rules_hash=answered.rules_hash,
        version=VERSION,
        milliseconds=answered.milliseconds,
    )
    cards = [
        CardRow(
            uuid=card["uuid"],
            decision_id=answered.decision_id,
            card=card["source"]["topic"]["code"],
            indicator=card["indicator"],
            shown=not answered.shadow,
            suggestions=[suggestion["uuid"] for suggestion in card.get("suggestions", ())],
        )
        for card in answered.body.get("cards", ())
    ]
    in_trial = found.shadowed if found is not None else ()
    cards += [
        CardRow(
            uuid=str(uuid.uuid4()),
            decision_id=answered.decision_id,
            card=card.value,
            indicator="",
            shown=False,
            suggestions=[],
        )
        for card in in_trial
    ]
    return Decision(row, cards)


def _kept(assessment: Mapping[str, Any]) -> dict[str, Any]:
    """The assessment with references as the record has them, so that a reviewer finds the data again: of what was
    measured and given, never of the patient, and only where they look like one."""

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
    """`system|code` of what a draft orders, also where a contained Medication says it; its texts, and codes that look
    like none, are not kept."""
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
