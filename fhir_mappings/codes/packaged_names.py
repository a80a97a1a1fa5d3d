"""The package's table of the names of drugs, `drug_names.json`: language and source beside each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class PackagedName:
    """One name of the package's table: the part it stands in, the languages it is used in, and where it was seen."""

    part: str
    ingredient: str
    name: str
    languages: tuple[str, ...]
    source: str


@cache
def packaged_names() -> tuple[PackagedName, ...]:
    content: Mapping[str, Any] = json.loads(
        (files("fhir_mappings.codes") / "drug_names.json").read_text(encoding="utf-8")
    )
    return tuple(
        PackagedName(part, ingredient, n["name"], tuple(n["languages"]), n["source"])
        for part, ingredients in content.items()
        for ingredient, names in ingredients.items()
        for n in names
    )
