"""What an EHR does around a hook: load a chart, fill the prefetch templates, call the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import requests

from example_patients.chart import Resource

SERVICE_OF_HOOK = {
    "patient-view": "crs-patient-view",
    "order-select": "crs-order-select",
    "order-sign": "crs-order-sign",
}
FHIR_JSON = {"Accept": "application/fhir+json"}


def transaction(found: Iterable[Resource]) -> dict[str, Any]:
    """One transaction that puts every resource under its own id: run twice, it changes nothing more."""
    entry = [{"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in found]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entry}


def filled_prefetch(
    templates: Mapping[str, str], fhir_base: str, patient_id: str, session: requests.Session
) -> dict[str, Any]:
    """The first page of every template; a key whose search fails is left out, as clients do."""
    found: dict[str, Any] = {}
    for key, template in templates.items():
        url = f"{fhir_base}/{template.replace('{{context.patientId}}', patient_id)}"
        response = session.get(url, headers=FHIR_JSON, timeout=30)
        if response.status_code == 200:
            found[key] = response.json()
    return found


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
