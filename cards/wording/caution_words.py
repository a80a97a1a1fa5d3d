"""The cautions before tocilizumab in words: counts, liver enzymes, infection, hypersensitivity, ICANS."""

from __future__ import annotations

from decimal import Decimal

from cards.sentences.escaping import escaped, escaped_words, reference_text
from cards.sentences.icans_words import icans_grade, icans_line
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.infection import Infection
from fhir_mappings.facts.labs import LabValue
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds

_OF_CAUTION = (Kind.SAFETY_LABS, Kind.MICROBIOLOGY, Kind.ALLERGIES, Kind.CONDITIONS)


def of_caution(x: WordingContext) -> dict[str, str]:
    """The placeholders about caution and ICANS."""
    allergy = x.facts.tocilizumab_hypersensitivity
    kind = "allergic" if allergy else "infected" if x.facts.infection.counted else "none"
    icans = x.facts.icans
    return {
        "caution": caution_line(x),
        "caution_short": phrase("caution_short", kind),
        "caution_lead": phrase("caution_lead", kind, reference=reference_text(allergy or "")),
        "icans": icans_line(x.facts),
        "icans_grade": icans_grade(icans),
        "icans_first": phrase("icans_first", "one" if icans.grade == 1 else "more"),
    }


def caution_line(x: WordingContext) -> str:
    """The line on caution: values beyond the label's limits, values that are not known, data that could not be read."""
    unread = [kind.value for kind in x.unread if kind in _OF_CAUTION]
    allergy = x.facts.tocilizumab_hypersensitivity
    found = {
        "allergic": {"reference": reference_text(allergy) if allergy else ""},
        "beyond": {"values": ", ".join(_beyond(x))},
        "infected": {"signs": infection_words(x.facts)},
        "not known": {"values": ", ".join(_not_known(x))},
        "unreadable": {"values": ", ".join(x.facts.labs.unreadable)},
        "unread": {"kinds": ", ".join(unread)},
    }
    lines = [phrase("caution", variant, t=InWords(x.t), **v) for variant, v in found.items() if any(v.values())]
    return " ".join(lines or [phrase("caution", "clear")])


def _beyond(x: WordingContext) -> list[str]:
    labs, t = x.facts.labs, x.t
    found = []
    for name, lab, limit in (("ANC", labs.neutrophils, t.neutropenia), ("platelets", labs.platelets, t.platelets_low)):
        if lab is not None and lab.is_below(limit):
            found.append(f"{name} {escaped_words(lab.shown)} ×10⁹/L (below {number(limit)}, {_at(x, lab)})")
    for name, lab in (("ALT", labs.alt), ("AST", labs.ast)):
        if lab is None:
            continue
        normal, unconfirmed = upper_normal(lab, t)
        if lab.value > normal * t.enzymes_times:
            mark = ", unconfirmed" if unconfirmed else ""
            limit_text = f"above {number(t.enzymes_times)} × upper normal {number(normal)}{mark}"
            found.append(f"{name} {escaped_words(lab.shown)} U/L ({limit_text}, {_at(x, lab)})")
    return found


def upper_normal(lab: LabValue, t: Thresholds) -> tuple[Decimal, bool]:
    """The upper limit of normal, and whether it is our unconfirmed one because the result states none."""
    return (lab.upper_normal, False) if lab.upper_normal is not None else (t.enzymes_normal, True)


def _at(x: WordingContext, lab: LabValue) -> str:
    return when(x.facts.local(lab.at))


def _not_known(x: WordingContext) -> list[str]:
    labs = x.facts.labs
    named = (("ANC", labs.neutrophils), ("platelets", labs.platelets), ("ALT", labs.alt), ("AST", labs.ast))
    return [name for name, lab in named if lab is None and name not in labs.unreadable]


def infection_words(facts: PatientFacts) -> str:
    """Each sign of infection with its time and reference, at most four."""
    shown = []
    for one in facts.infection.counted[:4]:
        at = f", {_dated(facts, one)}" if one.at else ""
        shown.append(f"{escaped(_infection(one))} ({reference_text(one.reference)}{at})")
    more = len(facts.infection.counted) - 4
    return "; ".join(shown) + (f" and {more} more" if more > 0 else "")


def _infection(one: Infection) -> str:
    return f"coded {one.code}" if one.code else f"{one.test}: {one.finding or 'positive'}"


def _dated(facts: PatientFacts, one: Infection) -> str:
    """The time of a sign: clock time for a result, the date for a diagnosis or anything of another year."""
    at = facts.local(one.at or facts.as_of)
    if one.code or at.year != facts.local(facts.as_of).year:
        return f"since {at.day} {at:%b %Y}"
    return when(at)
