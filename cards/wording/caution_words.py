"""The cautions before tocilizumab in words: counts, liver enzymes, infection, hypersensitivity."""

from __future__ import annotations

from decimal import Decimal

from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.numbers_and_times import InWords, number
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import not_used
from cards.wording.context import WordingContext
from cards.wording.infection_words import infection_known
from fhir_mappings.facts.coverage import Kind, SetAside
from fhir_mappings.facts.labs import LabValue
from fhir_mappings.facts.sought import ALLERGIES, ALT, AST, NEUTROPHILS, PLATELETS, counts_set_aside
from fhir_mappings.facts.thresholds import Thresholds

_OF_CAUTION = (Kind.SAFETY_LABS, Kind.ALLERGIES)  # what could not be read of infection is said with it


def of_caution(x: WordingContext) -> dict[str, str]:
    """The placeholders about caution."""
    t = InWords(x.t)
    return {
        "labs_missing": phrase("labs_missing", "yes" if _not_known(x) else "no", values=", ".join(_not_known(x)), t=t),
        "caution": caution_line(x, with_infection=True),
        "caution_beside": caution_line(x, with_infection=False),
    }


def caution_line(x: WordingContext, *, with_infection: bool) -> str:
    """The line on caution: values beyond the label's limits, and data that could not be read.

    What was not measured is a line of its own, which may give way. A card that says in its second line what is known
    of infection leaves that out here.
    """
    allergies = not_used(x.facts, ALLERGIES.of(x.facts.set_aside), escaped)
    unread = [kind.value for kind in x.unread if kind in _OF_CAUTION]
    found: dict[str, dict[str, str]] = {
        # a card that would give it says so where it says why it has no order
        "allergic": {"allergy": (x.facts.tocilizumab_hypersensitivity or "") if with_infection else ""},
        "beyond": {"values": ", ".join(_beyond(x))},
        "unreadable": {"values": "; ".join(filter(None, (_unreadable(x), allergies)))},
        "unread": {"kinds": ", ".join(unread)},
    }
    lines = [phrase("caution", variant, t=InWords(x.t), **v) for variant, v in found.items() if any(v.values())]
    lines = lines or ([] if _not_known(x) else [phrase("caution", "clear")])
    return " ".join([*lines, *([infection_known(x)] if with_infection else [])])


def _beyond(x: WordingContext) -> list[str]:
    labs, t = x.facts.labs, x.t
    found = []
    for name, lab, limit in (("ANC", labs.neutrophils, t.neutropenia), ("platelets", labs.platelets, t.platelets_low)):
        if lab is not None and lab.is_below(limit):
            found.append(f"{name} {escaped_words(lab.shown)} ×10⁹/L (below {number(limit)})")
    for name, lab in (("ALT", labs.alt), ("AST", labs.ast)):
        if lab is None:
            continue
        normal, unconfirmed = upper_normal(lab, t)
        if lab.value > normal * t.enzymes_times:
            mark = ", unconfirmed" if unconfirmed else ""
            limit_text = f"above {number(t.enzymes_times)} × upper normal {number(normal)}{mark}"
            found.append(f"{name} {escaped_words(lab.shown)} U/L ({limit_text})")
    return found


def upper_normal(lab: LabValue, t: Thresholds) -> tuple[Decimal, bool]:
    """The upper limit of normal, and whether it is our unconfirmed one because the result states none."""
    return (lab.upper_normal, False) if lab.upper_normal is not None else (t.enzymes_normal, True)


def _unknown(x: WordingContext) -> list[tuple[str, tuple[SetAside, ...]]]:
    """The counts and enzymes that are not known, each with the results of it that could not be used."""
    labs = x.facts.labs
    named = (
        ("ANC", labs.neutrophils, NEUTROPHILS), ("platelets", labs.platelets, PLATELETS), ("ALT", labs.alt, ALT),
        ("AST", labs.ast, AST),
    )  # fmt: skip
    return [(name, counts_set_aside(x.facts, concept, x.t)) for name, lab, concept in named if lab is None]


def _not_known(x: WordingContext) -> list[str]:
    return [name for name, lost in _unknown(x) if not lost]


def _unreadable(x: WordingContext) -> str:
    """The results that stand on record and could not be used."""
    lost = dict.fromkeys(one for _, found in _unknown(x) for one in found)
    return not_used(x.facts, lost, escaped)
