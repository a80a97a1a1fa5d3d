"""What is in force at a site: numbers, codes and the mode of each card, and the hash that names them."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from cards.card_modes import CardModeError, CardModes, card_modes
from cds_server.settings import SettingsError
from fhir_mappings.site_thresholds import SiteRuleError, site_thresholds
from fhir_mappings.site_value_sets import site_terminology
from fhir_mappings.terminology import Terminology
from fhir_mappings.thresholds import Thresholds

_SECTIONS = ("thresholds", "cards")


@dataclass(frozen=True)
class SiteRules:
    thresholds: Thresholds
    terms: Terminology
    modes: CardModes
    hash: str


def site_rules(thresholds_file: Path | None, value_sets_folder: Path | None) -> SiteRules:
    """The package's rules with a site's own. Raises SettingsError naming the file and what to do."""
    t, modes = Thresholds(), CardModes()
    if thresholds_file is not None:
        table = _toml(thresholds_file)
        unknown = [name for name in table if name not in _SECTIONS or not isinstance(table[name], dict)]
        if unknown:
            raise SettingsError(f"CRS_CDS_THRESHOLDS: {unknown[0]} is no section; use [thresholds] and [cards].")
        try:
            t, modes = site_thresholds(table.get("thresholds", {})), card_modes(table.get("cards", {}))
        except (SiteRuleError, CardModeError) as error:
            raise SettingsError(f"CRS_CDS_THRESHOLDS: {error}") from error
    try:
        terms = site_terminology(_value_set_files(value_sets_folder))
    except SiteRuleError as error:
        raise SettingsError(f"CRS_CDS_VALUE_SETS: {error}") from error
    return SiteRules(t, terms, modes, _hash(t, terms, modes))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("CRS_CDS_THRESHOLDS: the file cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"CRS_CDS_THRESHOLDS: not TOML: {error}.") from error


def _value_set_files(folder: Path | None) -> dict[str, bytes]:
    if folder is None:
        return {}
    if not folder.is_dir():
        raise SettingsError("CRS_CDS_VALUE_SETS: must be a folder of FHIR ValueSet files (*.json).")
    try:
        return {file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))}
    except OSError as error:
        raise SettingsError("CRS_CDS_VALUE_SETS: a file of the folder cannot be read.") from error


def _hash(t: Thresholds, terms: Terminology, modes: CardModes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 over every number, code and mode in force."""
    lines = [f"{f.name}={getattr(t, f.name)}" for f in fields(Thresholds)]
    lines += [f"{card}={mode}" for card, mode in sorted(modes.modes.items()) if mode != "active"]
    for set_id, concepts in sorted(terms.value_sets.items()):
        lines += [f"{set_id} {c.system}|{c.code} {c.ingredient} {c.texts}" for c in concepts]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
