"""The services offered: one row for each hook, and discovery made from the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from cards.deciding.when_to_show import Showing
from cds_server.data_keys import prefetch_templates
from fhir_mappings.codes.terminology import Terminology

CDS_HOOKS_VERSION = "3.0.0"


class DraftsFrom(StrEnum):
    """The part of a call's context that holds the orders that the user is about to place."""

    NOWHERE = "there are none"
    DRAFT_ORDERS = "draftOrders"
    SELECTED = "draftOrders, of which selections names some"


@dataclass(frozen=True)
class Service:
    """One service, and everything that its hook decides: the fields of the context that it requires beside `userId` and
    `patientId`, the source of its drafts, and how much is shown."""

    id: str
    hook: str
    title: str
    description: str
    requires: tuple[str, ...]
    drafts: DraftsFrom
    showing: Showing


_ROWS = (
    Service("crs-patient-view", "patient-view", "CRS after CAR-T: state of the patient",
            "ASTCT grade of cytokine release syndrome, IL-6 and CRP fold change since the CAR-T infusion, and "
            "what they mean for tocilizumab and corticosteroids.",
            (), DraftsFrom.NOWHERE, Showing.STATE),
    Service("crs-encounter-start", "encounter-start", "CRS after CAR-T: an encounter begins",
            "What crs-patient-view says of a patient, for clients that call when an encounter begins and not when a "
            "chart is opened.",
            ("encounterId",), DraftsFrom.NOWHERE, Showing.STATE),
    Service("crs-order-select", "order-select", "CRS after CAR-T: while an order is chosen",
            "Advice on tocilizumab, corticosteroids and infection surveillance when an order that concerns "
            "cytokine release syndrome is chosen.",
            (), DraftsFrom.SELECTED, Showing.ORDERS),
    Service("crs-order-sign", "order-sign", "CRS after CAR-T: before orders are signed",
            "Advice on tocilizumab, corticosteroids and infection surveillance before orders that concern "
            "cytokine release syndrome are signed.",
            (), DraftsFrom.DRAFT_ORDERS, Showing.ORDERS),
)  # fmt: skip
SERVICES: Mapping[str, Service] = {service.id: service for service in _ROWS}
SERVICE_OF_HOOK: Mapping[str, Service] = {service.hook: service for service in _ROWS}


def discovery(terms: Terminology) -> dict[str, Any]:
    """The answer of GET /cds-services."""
    prefetch = prefetch_templates(terms)
    return {
        "services": [
            {
                "id": s.id,
                "hook": s.hook,
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
    """The answer of discovery as JSON, worked out once: the value sets do not change while the process runs."""
    return msgspec.json.encode(discovery(terms))
