"""The form of an answer that a client takes: the site's own order codes, and the ways of Epic.

`CRS_CDS_ORDERS` names a TOML file with a table for each order that the site has codes for:

    [tocilizumab]
    codings = [{ system = "urn:oid:1.2.3", code = "12345", display = "tocilizumab IV" }]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cards.orders.orders import ORDER_NAMES, Coding, OrderCodings, ordered_concept
from cds_server.limits import SettingsError
from cds_server.toml_file import toml_table
from cds_server.trust.clients import Profile
from fhir_mappings.codes.code_systems import RXNORM
from fhir_mappings.codes.terminology import Terminology

RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"
_CODING = {"system", "code", "display"}


def order_codings(file: Path | None, terms: Terminology) -> OrderCodings:
    """The site's own codings by the system and code of the order that they name. Raises SettingsError."""
    if file is None:
        return {}
    table = toml_table("CRS_CDS_ORDERS", file)
    found: dict[tuple[str, str], Sequence[Coding]] = {}
    for name, entry in table.items():
        if name not in ORDER_NAMES:
            raise SettingsError(f"CRS_CDS_ORDERS: {name} is not an order; the orders are {', '.join(ORDER_NAMES)}.")
        if not isinstance(entry, dict) or set(entry) != {"codings"} or not isinstance(entry["codings"], list):
            raise SettingsError(f"CRS_CDS_ORDERS: [{name}] must hold `codings`, a list, and no other field.")
        concept = ordered_concept(name, terms)
        found[concept.system, concept.code] = [_coding(name, n, coding) for n, coding in enumerate(entry["codings"])]
    return found


def _coding(name: str, number: int, coding: Any) -> Coding:
    where = f"CRS_CDS_ORDERS: [{name}] codings[{number}]"
    if not isinstance(coding, dict) or set(coding) - _CODING or not {"system", "code"} <= set(coding):
        raise SettingsError(f"{where} must hold system and code, display if you want, and no other field.")
    if not all(isinstance(text, str) and text.strip() == text and text for text in coding.values()):
        raise SettingsError(f"{where}: each field must be a text, not empty and without spaces around it.")
    if ":" not in coding["system"]:
        raise SettingsError(f"{where}.system must be a URI, such as urn:oid:1.2.3.")
    return dict(coding)


def for_client(body: dict[str, Any], profile: Profile, orders: OrderCodings) -> dict[str, Any]:
    """The answer in the form that its client takes; the decision log keeps it as it was worked out."""
    return {**body, "cards": [_card(card, profile, orders) for card in body["cards"]]}


def _card(card: Mapping[str, Any], profile: Profile, orders: OrderCodings) -> dict[str, Any]:
    changed = dict(card)
    if "suggestions" in card:
        changed["suggestions"] = [
            {**suggestion, "actions": [_action(action, profile, orders) for action in suggestion["actions"]]}
            for suggestion in card["suggestions"]
        ]
    if profile is Profile.EPIC:
        topic = card["source"]["topic"]
        # Epic accepts letters and digits only
        code = "".join(c for c in topic["code"] if c.isalnum())
        changed["source"] = {**card["source"], "topic": {**topic, "code": code}}
    return changed


def _action(action: Mapping[str, Any], profile: Profile, orders: OrderCodings) -> dict[str, Any]:
    """The order with the site's codings. One that changes a draft keeps the client's own."""
    if action["type"] != "create":
        return dict(action)
    resource = dict(action["resource"])
    for field in ("medicationCodeableConcept", "code"):
        if field in resource:
            codings = resource[field]["coding"]
            own = [one for c in codings for one in orders.get((c["system"], c["code"]), ())]
            resource[field] = {**resource[field], "coding": [*(_written(c, profile) for c in codings), *own]}
    return {**action, "resource": resource}


def _written(coding: Coding, profile: Profile) -> dict[str, str]:
    if profile is Profile.EPIC and coding["system"] == RXNORM:
        return {**coding, "system": RXNORM_OID}
    return dict(coding)
