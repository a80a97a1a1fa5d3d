"""The work of an EHR around a hook: read discovery, fill the prefetch templates, call the service, send feedback."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import requests

from example_patients.client.http_calls import FHIR_JSON, NoAnswerError, json_of, refusal, sent
from example_patients.stories.stories import Scene, hook_body

SERVICE_OF_HOOK = {
    "patient-view": "crs-patient-view",
    "encounter-start": "crs-encounter-start",
    "order-select": "crs-order-select",
    "order-sign": "crs-order-sign",
}
TOKEN_SECONDS = 300
Templates = Mapping[str, str]
"""Prefetch templates by key."""


def filled_prefetch(templates: Templates, fhir_base: str, patient_id: str, session: requests.Session) -> dict[str, Any]:
    """The first page of every template. A key whose search fails is left out, as clients leave it out."""
    found: dict[str, Any] = {}
    for key, template in templates.items():
        url = f"{fhir_base}/{filled(template, patient_id)}"
        response = sent(f"prefetch {key}", session, "GET", url, headers=FHIR_JSON)
        if response.status_code == 200:
            found[key] = json_of(f"prefetch {key}", response)
    return found


def filled(template: str, patient_id: str) -> str:
    """A template with the patient in it, percent-encoded: a proxy may tidy the `//` of a code system, or refuse `|`."""
    path, mark, query = template.replace("{{context.patientId}}", patient_id).partition("?")
    params = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&"))]
    return f"{path}?{urlencode(params)}" if mark else path


@dataclass(frozen=True)
class Answer:
    """The answer to a call: the ids of its cards, the cards and the reasoning, or the problem that it names. In
    `shadow` there are neither."""

    card_ids: tuple[str, ...] = ()
    cards: tuple[Mapping[str, Any], ...] = ()
    assessment: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None
    shadow: bool = False


@dataclass(frozen=True)
class Ehr:
    """A CDS client, with the base addresses of the service that it calls and of the FHIR server that it names.

    Each session shows the client's token to its server; `fhir_token` is the one that it hands to the service.
    """

    service: str
    fhir_base: str
    to_service: requests.Session
    to_fhir: requests.Session
    fhir_token: str | None = None
    user: str = "Practitioner/example"

    def discovered(self) -> dict[str, Templates]:
        """The prefetch templates of each service that discovery offers. Raises NoAnswerError."""
        step = "discovery"
        found = json_of(step, sent(step, self.to_service, "GET", f"{self.service}/cds-services"))
        try:
            return {service["id"]: service.get("prefetch", {}) for service in found["services"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise NoAnswerError(step, "the answer is not the discovery of CDS Hooks") from error

    def prefetch(self, templates: Templates, scene: Scene) -> dict[str, Any]:
        """The data of a scene's patient as the templates ask for it. Raises NoAnswerError."""
        return filled_prefetch(templates, self.fhir_base, scene.patient_id, self.to_fhir)

    def ask(self, scene: Scene, hook: str, prefetch: Mapping[str, Any] | None = None) -> Answer:
        """Call a hook in a scene, with or without prefetch. Raises NoAnswerError if no answer comes."""
        more: dict[str, Any] = {"fhirServer": self.fhir_base, "hookInstance": str(uuid.uuid4())}
        if self.fhir_token is not None:
            more["fhirAuthorization"] = {
                "access_token": self.fhir_token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS,
                "scope": "user/*.read", "subject": "crs-cds-example",
            }  # fmt: skip
        if prefetch is not None:
            more["prefetch"] = prefetch
        body = hook_body(scene, datetime.now(UTC), hook, **more)
        body["context"]["userId"] = self.user
        step = f"{hook} of {scene.patient_id}"
        url = f"{self.service}/cds-services/{SERVICE_OF_HOOK[hook]}"
        response = sent(step, self.to_service, "POST", url, json=body)
        if response.status_code != 200:
            return Answer(problem=refusal(response))
        found = json_of(step, response)
        if found == {"cards": []}:
            return Answer(shadow=True)
        try:
            ids = tuple(card["source"]["topic"]["code"] for card in found["cards"])
            return Answer(ids, tuple(found["cards"]), found["extension"]["org.crs-cds.assessment"])
        except (KeyError, TypeError):
            return Answer(problem="200 (the answer is not one of crs-cds)")

    def accept(self, hook: str, card: Mapping[str, Any]) -> str | None:
        """Report the first suggestion of a card as accepted; the service's objection, if it has one."""
        suggestion = {"id": card["suggestions"][0].get("uuid")}
        return self._tell(hook, card, {"outcome": "accepted", "acceptedSuggestions": [suggestion]})

    def override(self, hook: str, card: Mapping[str, Any]) -> str | None:
        """Report a card as overridden, with the first of its reasons; the service's objection, if it has one."""
        reason = next(iter(card.get("overrideReasons", ())), None)
        why = {"overrideReason": {"reason": {name: reason.get(name) for name in ("code", "system")}}} if reason else {}
        return self._tell(hook, card, {"outcome": "overridden", **why})

    def _tell(self, hook: str, card: Mapping[str, Any], outcome: Mapping[str, Any]) -> str | None:
        step = f"feedback to {hook}"
        url = f"{self.service}/cds-services/{SERVICE_OF_HOOK[hook]}/feedback"
        entry = {"card": card.get("uuid"), **outcome, "outcomeTimestamp": datetime.now(UTC).isoformat()}
        response = sent(step, self.to_service, "POST", url, json={"feedback": [entry]})
        if response.status_code != 200:
            return refusal(response)
        not_taken = json_of(step, response)
        return f"200 (the card is {', '.join(not_taken)})" if not_taken else None


def readable(card: Mapping[str, Any]) -> str:
    """A card as a person reads it in a terminal."""
    lines = [f"  [{card['indicator'].upper()}] {card['summary']}"]
    lines += [f"      {line}" for line in card["detail"].replace("**", "").splitlines() if line]
    lines += [
        f"      ( ) {s['label']}{'  (recommended)' if s.get('isRecommended') else ''}"
        for s in card.get("suggestions", ())
    ]
    lines.append(f"      Source: {card['source']['label']}")
    return "\n".join(lines)
