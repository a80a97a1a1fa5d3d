"""The protocol of a site (`CRS_CDS_PROTOCOL`): rows of products, the third line, doses and rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cards.deciding.protocol import ANY_PRODUCT, PACKAGE_PROTOCOL, ProductLine, ProductSituation, Protocol
from cds_server.limits import SettingsError
from cds_server.toml_file import toml_table
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.facts.thresholds import Status

# the thresholds that are part of a protocol, by the section in which a protocol states them
DOSES: Mapping[str, tuple[str, ...]] = {
    "corticosteroids": (
        "dexamethasone_dose", "dexamethasone_every", "dexamethasone_every_severe", "dexamethasone_doses",
        "dexamethasone_doses_severe", "methylprednisolone_dose", "methylprednisolone_every",
        "methylprednisolone_doses", "methylprednisolone_icans", "methylprednisolone_icans_every",
        "methylprednisolone_icans_doses",
    ),
    "tocilizumab": ("toci_rounding",),
}  # fmt: skip
_SECTIONS = ("name", "product", "third-line", *DOSES)
_ROW = ("products", "situation", "text", "source", "read", "status")
MOST_TEXT = 160  # a line of a card
MOST_ROWS = 100


@dataclass(frozen=True)
class SiteProtocol:
    """A protocol, and the thresholds that its file states, as `site_thresholds` reads them."""

    protocol: Protocol = PACKAGE_PROTOCOL
    numbers: Mapping[str, Any] = field(default_factory=dict)


def site_protocol(file: Path | None, terms: Terminology) -> SiteProtocol:
    """The package's protocol with a site's own rows. Raises SettingsError, which names the place and what to write."""
    if file is None:
        return SiteProtocol()
    table = toml_table("CRS_CDS_PROTOCOL", file)
    unknown = next((name for name in table if name not in _SECTIONS), None)
    if unknown is not None:
        raise _error(f"{unknown} is not a section; the sections are {', '.join(_SECTIONS)}.")
    rows = table.get("product", [])
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise _error(f"[[product]] must be a list of at most {MOST_ROWS} rows.")
    own = [line for number, row in enumerate(rows, 1) for line in _lines(number, row, terms)]
    replaced = {(line.product, line.situation) for line in own}
    kept = (line for line in PACKAGE_PROTOCOL.lines if (line.product, line.situation) not in replaced)
    protocol = Protocol((*own, *kept), _third_line(table.get("third-line")), _text("name", table.get("name", "-")))
    return SiteProtocol(protocol, _numbers(table))


def _error(text: str) -> SettingsError:
    return SettingsError(f"CRS_CDS_PROTOCOL: {text}")


def _lines(number: int, row: object, terms: Terminology) -> list[ProductLine]:
    """The rows that one `[[product]]` states, one for each product."""
    where = f"[[product]] {number}"
    if not isinstance(row, Mapping):
        raise _error(f"{where} must be a table.")
    odd = next((name for name in row if name not in _ROW), None)
    missing = next((name for name in _ROW if name not in row), None)
    if odd is not None or missing is not None:
        what = f"{odd} is not a field" if odd is not None else f"{missing} is missing"
        raise _error(f"{where}: {what}; the fields are {', '.join(_ROW)}.")
    if not isinstance(row["read"], date):
        raise _error(f"{where}: read must be a date, such as 2026-11-26.")
    if row["situation"] not in set(ProductSituation):
        raise _error(f"{where}: situation must be one of {', '.join(ProductSituation)}.")
    if row["status"] not in ("verified", "unconfirmed"):
        raise _error(f'{where}: status must be "verified" or "unconfirmed".')
    known = {concept.ingredient for concept in terms.value_sets["car-t-product"]} | {ANY_PRODUCT}
    products = row["products"]
    if not isinstance(products, list) or not products or not all(product in known for product in products):
        named = ", ".join(sorted(name for name in known if name))
        raise _error(f"{where}: products must be a list of products of car-t-product: {named}.")
    text, source = (_text(f"{where}: {name}", row[name]) for name in ("text", "source"))
    situation, status = ProductSituation(row["situation"]), Status(row["status"])
    return [ProductLine(product, situation, text, source, row["read"], status) for product in products]


def _third_line(table: object) -> tuple[str, ...]:
    if table is None:
        return ()
    texts = table.get("texts") if isinstance(table, Mapping) and set(table) == {"texts"} else None
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_ROWS:
        raise _error('[third-line] must hold texts, a list, such as texts = ["anakinra 100 mg every 6 h"].')
    return tuple(_text("[third-line] texts", text) for text in texts)


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MOST_TEXT or not value.isprintable():
        raise _error(f"{where} must be a text of one line, of at most {MOST_TEXT} characters.")
    return value.strip()


def _numbers(table: Mapping[str, Any]) -> dict[str, Any]:
    """The thresholds of the sections of doses, by name."""
    found: dict[str, Any] = {}
    for section, names in DOSES.items():
        stated = table.get(section, {})
        odd = next((name for name in stated if name not in names), None) if isinstance(stated, Mapping) else section
        if odd is not None:
            raise _error(f"[{section}] {odd} cannot stand here; it may hold {', '.join(names)}.")
        found |= stated
    return found
