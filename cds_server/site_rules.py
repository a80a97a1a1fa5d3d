"""The rules in force at a site: numbers, codes and the mode of each card, and the hash that names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cards.deciding.card_modes import CardModeError, CardModes, card_modes
from cards.deciding.protocol import PACKAGE_PROTOCOL, Protocol
from cds_server.data_keys import DATA_KEYS
from cds_server.limits import SettingsError
from cds_server.rules_content import RulesContent, hash_of, rules_content
from cds_server.site_protocol import SiteProtocol, site_protocol
from cds_server.toml_file import printable, toml_table
from fhir_mappings.codes.site_value_sets import site_terminology
from fhir_mappings.codes.terminology import Terminology, packaged_terminology
from fhir_mappings.facts.site_thresholds import SiteRuleError, site_thresholds
from fhir_mappings.facts.thresholds import Thresholds

MOST_TEMPLATE_CHARS = 12000
_SECTIONS = ("thresholds", "cards")


@dataclass(frozen=True)
class SiteRules:
    """The rules of a site. `hash` names them: it changes with each number, code, mode, row and sentence."""

    thresholds: Thresholds
    terms: Terminology
    modes: CardModes
    hash: str
    protocol: Protocol = PACKAGE_PROTOCOL

    def content(self) -> RulesContent:
        """The rules row by row, as a signature covers them."""
        return rules_content(self.thresholds, self.terms, self.modes, self.protocol)


def site_rules(
    thresholds_file: Path | None, value_sets_folder: Path | None, protocol_file: Path | None = None
) -> SiteRules:
    """The package's rules with a site's own. Raises SettingsError, which names the file and what to do."""
    table = _thresholds_table(thresholds_file)
    try:
        terms = site_terminology(_value_set_files(value_sets_folder))
    except SiteRuleError as error:
        raise SettingsError(f"CRS_CDS_VALUE_SETS: {printable(str(error))}") from error
    _check_templates(terms)
    own = site_protocol(protocol_file, terms)
    t, modes = _numbers_and_modes(table, own)
    return SiteRules(t, terms, modes, hash_of(rules_content(t, terms, modes, own.protocol)), own.protocol)


def _thresholds_table(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    table = toml_table("CRS_CDS_THRESHOLDS", file)
    unknown = [name for name in table if name not in _SECTIONS or not isinstance(table[name], dict)]
    if unknown:
        raise SettingsError(
            f"CRS_CDS_THRESHOLDS: {unknown[0]} is not a section; the sections are [thresholds] and [cards]."
        )
    return table


def _numbers_and_modes(table: Mapping[str, Any], own: SiteProtocol) -> tuple[Thresholds, CardModes]:
    """The numbers of both files, and the card modes. A number stands in one of the files only."""
    stated = table.get("thresholds", {})
    twice = next((name for name in own.numbers if name in stated), None)
    if twice is not None:
        raise SettingsError(f"CRS_CDS_PROTOCOL: {twice} stands in CRS_CDS_THRESHOLDS too; leave it out of one of them.")
    try:
        t, modes = site_thresholds(stated), card_modes(table.get("cards", {}))
    except (SiteRuleError, CardModeError) as error:
        raise SettingsError(f"CRS_CDS_THRESHOLDS: {error}") from error
    if not own.numbers:
        return t, modes
    try:
        return site_thresholds({**stated, **own.numbers}), modes
    except SiteRuleError as error:
        raise SettingsError(f"CRS_CDS_PROTOCOL: {error}") from error


def _value_set_files(folder: Path | None) -> dict[str, bytes]:
    if folder is None:
        return {}
    try:
        if not folder.is_dir():
            raise SettingsError("CRS_CDS_VALUE_SETS must be a folder of FHIR ValueSet files (*.json).")
        found = [file for file in sorted(folder.iterdir()) if not file.name.startswith(".")]
        odd = next((file.name for file in found if file.suffix != ".json"), None)
        if odd is not None:
            raise SettingsError(f"CRS_CDS_VALUE_SETS: {odd} is not a *.json file; rename it or take it out.")
        return {file.name: file.read_bytes() for file in found}
    except (OSError, ValueError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(
            "CRS_CDS_VALUE_SETS: a file of the folder cannot be read; let the service open each of them."
        ) from error


def _check_templates(terms: Terminology) -> None:
    """Raise SettingsError if a search has no codes left, or more than an address can hold."""
    for key in DATA_KEYS:
        empty = [s for s in key.value_sets if not terms.codes(s) and packaged_terminology().codes(s)]
        if empty:
            raise SettingsError(f"CRS_CDS_VALUE_SETS: {empty[0]} has no code left to search for; add one.")
        if len(key.template(terms)) > MOST_TEMPLATE_CHARS:
            raise SettingsError(f"CRS_CDS_VALUE_SETS: {key.key} has too many codes for a search; leave some out.")
