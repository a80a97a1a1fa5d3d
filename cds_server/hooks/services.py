"""The services offered and the data they ask for: keys, prefetch templates and searches from one list.

A template whose query changes gets a new key: integrators type them in by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from cards.deciding.when_to_show import Hook
from cds_server.data_keys import prefetch_templates
from fhir_mappings.codes.terminology import Terminology

CDS_HOOKS_VERSION = "3.0.0"


@dataclass(frozen=True)
class Service:
    id: str
    hook: Hook
    title: str
    description: str


SERVICES: Mapping[str, Service] = {
    s.id: s
    for s in (
        Service("crs-patient-view", Hook.PATIENT_VIEW, "CRS after CAR-T: state of the patient",
                "ASTCT grade of cytokine release syndrome, IL-6 and CRP fold change since the CAR-T infusion, and "
                "what they mean for tocilizumab and corticosteroids."),
        Service("crs-order-select", Hook.ORDER_SELECT, "CRS after CAR-T: while an order is chosen",
                "Advice on tocilizumab, corticosteroids and infection surveillance when an order that concerns "
                "cytokine release syndrome is chosen."),
        Service("crs-order-sign", Hook.ORDER_SIGN, "CRS after CAR-T: before orders are signed",
                "Advice on tocilizumab, corticosteroids and infection surveillance before orders that concern "
                "cytokine release syndrome are signed."),
    )
}  # fmt: skip


def discovery(terms: Terminology) -> dict[str, Any]:
    """The answer of GET /cds-services."""
    prefetch = prefetch_templates(terms)
    return {
        "services": [
            {
                "id": s.id,
                "hook": s.hook.value,
                "title": s.title,
                "description": s.description,
                "version": CDS_HOOKS_VERSION,
                "hookVersion": "1.0",
                "prefetch": prefetch,
                "usageRequirements": "FHIR R4. Every prefetch key may be left out where fhirServer and "
                "fhirAuthorization let the service read it by itself.",
            }
            for s in SERVICES.values()
        ]
    }


@lru_cache(maxsize=4)
def discovery_json(terms: Terminology) -> bytes:
    """That answer as JSON, worked out once: the value sets do not change while the process runs."""
    return msgspec.json.encode(discovery(terms))
