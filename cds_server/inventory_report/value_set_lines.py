"""A code or text as a line that a site can paste into `compose.include` of one of its ValueSet files.

Every line is tried with the reader of those files; where that refuses it, there is no line but its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cds_server.inventory.naming import MOST_CHARS
from cds_server.inventory.tally import Named
from fhir_mappings.codes.code_systems import LOCAL
from fhir_mappings.codes.site_value_sets import site_concepts
from fhir_mappings.codes.terminology import DRUG_SETS, NOT_COUNTED
from fhir_mappings.facts.site_thresholds import SiteRuleError

INGREDIENT = "urn:crs-cds:ingredient"
NO_CODE = "it has no code with a system, and only codes can be added here"
_TRIED = "line"


@dataclass(frozen=True)
class Line:
    """An element of `compose.include`, and the value sets that it may go into: where there are several, a person
    chooses. `needs_ingredient`: in a set of drugs it must also say which. Without an `include`, `why_not` says why."""

    value_sets: tuple[str, ...]
    include: Mapping[str, Any] | None = None
    needs_ingredient: bool = False
    why_not: str = ""


def line_for(name: Named, value_sets: Iterable[str], *, by_text: bool = False, ingredient: str = "") -> Line:
    """The line that adds a code to one of some value sets; without a code its text, where texts can be added."""
    sets = tuple(value_sets)
    include = _include(name, ingredient, by_text=by_text)
    if include is None:
        return Line(sets, why_not=NO_CODE)
    needs = not ingredient and any(set_id in DRUG_SETS for set_id in sets)
    tried_as = NOT_COUNTED if needs else sets[0]
    refused = _refusal(tried_as, json.dumps(include))
    return Line(sets, why_not=refused) if refused else Line(sets, include, needs)


def _include(name: Named, ingredient: str, *, by_text: bool) -> dict[str, Any] | None:
    concept: dict[str, Any] = {}
    if ingredient:
        concept["extension"] = [{"url": INGREDIENT, "valueString": ingredient}]
    if name.system and name.code:
        concept |= {"code": name.code, "display": name.text or name.code}
        return {"system": name.system, "concept": [concept]}
    text = name.text or name.code
    if not by_text or not text or len(text) > MOST_CHARS:
        return None
    made = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:10]
    concept |= {"code": f"text-{made}", "display": text, "designation": [{"value": text}]}
    return {"system": LOCAL, "concept": [concept]}


@lru_cache(maxsize=4096)
def _refusal(value_set: str, include: str) -> str:
    """The reason why a site's file with this line would be refused; "" where it is taken."""
    document = {
        "resourceType": "ValueSet", "id": value_set, "status": "active", "compose": {"include": [json.loads(include)]},
    }  # fmt: skip
    try:
        site_concepts(_TRIED, json.dumps(document).encode())
    except SiteRuleError as error:
        return str(error).removeprefix(f"{_TRIED}: ")
    return ""
