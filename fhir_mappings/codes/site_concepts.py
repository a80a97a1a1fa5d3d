"""The checks of one concept in a site's ValueSet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fhir_mappings.codes.code_systems import LOINC, canonical_system
from fhir_mappings.codes.terminology import (
    ALSO_PUSHED,
    ANTI_INFECTIVE_SETS,
    CARRY_TIME,
    DRUG_SETS,
    NOT_COUNTED,
    PROPHYLACTIC,
    TREATED_EARLY,
    Concept,
    normalised,
    packaged_terminology,
)
from fhir_mappings.facts.site_thresholds import SiteRuleError
from fhir_mappings.facts.thresholds import numbers
from fhir_mappings.facts.treatment import DrugClass

LEAST_DRUG_CHARS = 3  # a shorter text would be found in the names of many drugs


_CONCEPT_EXTENSIONS = frozenset(
    {
        "urn:crs-cds:code-source",
        "urn:crs-cds:display-unconfirmed",
        "urn:crs-cds:ingredient",
        ALSO_PUSHED,
        CARRY_TIME,
        TREATED_EARLY,
        PROPHYLACTIC,
    }
)


# systems and codes go into search addresses and prefetch templates as they are, so signs with a meaning there are
# refused
_SYSTEM = re.compile(r"(?:https?://|urn:)[^\s,|&#%+{}\\\"<>]{1,200}")


_CODE = re.compile(r"[^\s,|&#%+{}\\\"<>]{1,100}")


def system_of(where: str, system: str) -> str:
    """The system as the record's codings are compared."""
    system = canonical_system(system)
    if not _SYSTEM.fullmatch(system):
        raise SiteRuleError(f"{where}.system must be an absolute URI.")
    return system


def check_concept(where: str, concept: Mapping[str, Any], system: str, set_id: str) -> None:
    """Raises SiteRuleError for a concept that cannot be used; `where` is its place in the file."""
    if not normalised(concept.get("display", "")):
        raise SiteRuleError(f"{where}.display is missing; a person must be able to read it.")
    code = concept.get("code", "")
    if not _CODE.fullmatch(code):
        raise SiteRuleError(f"{where}.code must be without spaces, commas, bars and other signs that a search reads.")
    if system == LOINC and not code.startswith("LA") and not loinc_check_digit(code):  # an answer has no such digit
        raise SiteRuleError(f"{where}.code is no LOINC code: its check digit is wrong.")
    least = LEAST_DRUG_CHARS if set_id in (*DRUG_SETS, NOT_COUNTED, *ANTI_INFECTIVE_SETS) else 1
    for number, designation in enumerate(concept.get("designation", ())):
        if len(normalised(designation.get("value", ""))) < least:
            raise SiteRuleError(f"{where}.designation[{number}].value must have at least {least} characters.")
    odd = [e["url"] for e in concept.get("extension", ()) if e["url"].startswith("urn:crs-cds:")]
    for url in odd:
        if url not in _CONCEPT_EXTENSIONS:
            raise SiteRuleError(f"{where}.extension: {url} is none of ours; correct its name or remove it.")
    _check_traits(where, concept, set_id)


# each trait, and the value sets whose drugs may have it
_TRAITS = {
    ALSO_PUSHED: ("vasopressor",),
    CARRY_TIME: ("vasopressor",),
    TREATED_EARLY: ("car-t-product",),
    PROPHYLACTIC: ANTI_INFECTIVE_SETS,
}


def _check_traits(where: str, concept: Mapping[str, Any], set_id: str) -> None:
    for extension in concept.get("extension", ()):
        url = extension["url"]
        if url in _TRAITS and set_id not in _TRAITS[url]:
            allowed = " or ".join(_TRAITS[url])
            raise SiteRuleError(f"{where}.extension: {url} is for concepts of {allowed} only; remove it.")
        if url == CARRY_TIME:
            carry = next(number for number in numbers() if number.name == "pressor_carry")
            duration = extension.get("valueDuration", {})
            in_range = carry.low <= Decimal(str(duration.get("value", "0"))) <= carry.high
            if duration.get("code") != carry.unit or not in_range:
                wanted = f'a "valueDuration" of {carry.low} to {carry.high} with the code {carry.unit}'
                raise SiteRuleError(f"{where}.extension: {url} must hold {wanted}.")


def ingredient_of(name: str, set_id: str, concept: Concept) -> str | None:
    """The ingredient as the rules write it. Raises SiteRuleError if it belongs to another kind of drug."""
    if concept.ingredient is None:
        return None
    wanted = normalised(concept.ingredient)
    if not wanted:
        raise SiteRuleError(f"{name}: {concept.code}: its ingredient is empty.")
    for other in (*DRUG_SETS, NOT_COUNTED):
        for known in packaged_terminology().value_sets[other]:
            if normalised(known.ingredient or "") == wanted:
                if other != set_id and set_id in DRUG_SETS:
                    raise SiteRuleError(f"{name}: {concept.code}: {wanted} is an ingredient of {other}.")
                return known.ingredient
    packaged = packaged_terminology()
    for drug in map(packaged.drug_named, packaged.read(wanted).ingredients):
        if drug.drug_class is not DrugClass.OTHER and drug.drug_class.value != set_id:
            raise SiteRuleError(f"{name}: {concept.code}: {wanted} is an ingredient of {drug.drug_class.value}.")
    return wanted


def loinc_check_digit(code: str) -> bool:
    """Tell whether the check digit of a LOINC code is right (mod 10, every second digit from the right doubled)."""
    digits, _, check = code.partition("-")
    if not (digits.isascii() and digits.isdigit() and check.isdigit()):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str((10 - total % 10) % 10) == check
