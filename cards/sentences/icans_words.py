"""The ICANS grade in words, the same on cards, in `explain` and on the course page."""

from __future__ import annotations

from collections.abc import Callable

from cards.sentences.escaping import escaped, reference_text
from cards.sentences.numbers_and_times import when
from cards.sentences.phrases import phrase
from cards.sentences.set_aside_words import not_used
from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.icans import Icans, IcansSource, IcansUnknown
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import scores_set_aside
from fhir_mappings.facts.thresholds import Thresholds


def icans_grade(icans: Icans) -> str:
    """The grade: `grade 2`, `grade 3 or more`, `unknown`."""
    if icans.grade is None:
        return "unknown"
    return f"grade {icans.grade}{' or more' if icans.minimum else ''}"


def charted(icans: Icans) -> str:
    """The basis of the grade: `ICE 5`, `charted ICANS 2`, `coded G92.02`; "" if nothing was charted."""
    match icans.source:
        case IcansSource.ICE_SCORE:
            return f"ICE {icans.ice}"
        case IcansSource.CHARTED_GRADE:
            return f"charted ICANS {icans.grade}"
        case IcansSource.UNAROUSABLE:
            return "charted unarousable"
        case IcansSource.DIAGNOSIS:
            return f"coded {icans.code}"
    return ""


def coded_higher(icans: Icans) -> str:
    """A recent diagnosis that says more than was charted: `coded G92.04 (Condition/x)`; "" if there is none."""
    higher = icans.coded_higher
    return f"coded {higher.code} ({higher.reference})" if higher is not None else ""


def _higher_words(icans: Icans, referenced: bool) -> str:
    higher = icans.coded_higher
    if higher is None or referenced:
        return escaped(coded_higher(icans))
    return escaped(f"coded {higher.code}")


def why_unknown(facts: PatientFacts, t: Thresholds, quoted: Callable[[str], str] = str) -> str:
    """The reason why there is no ICANS grade; "" if there is one or none was charted."""
    if facts.icans.grade is not None:
        return ""
    lost = not_used(facts, scores_set_aside(facts, t), quoted)
    if lost:
        return lost
    match facts.icans.unknown:
        case IcansUnknown.CODED_WITHOUT_GRADE:
            return "ICANS is coded without a grade"
        case IcansUnknown.UNREADABLE:
            return "a score or grade of this time could not be read"
        case IcansUnknown.NOT_READ:
            coverage = facts.coverage.get(Kind.NEURO)
            return quoted((coverage.why if coverage is not None else None) or "not read")
    return ""


def icans_line(facts: PatientFacts, t: Thresholds, *, referenced: bool = False) -> str:
    """The sentence on ICANS: for a card, or with the record that it rests on."""
    icans = facts.icans
    if icans.grade is None:
        why = why_unknown(facts, t, escaped)
        how = "not used" if scores_set_aside(facts, t) else "why" if why else "unknown"
        return phrase("icans", how, why=why)
    at = f", {when(facts.local(icans.at))}" if icans.at else ""
    reference = f", {reference_text(icans.reference)}" if referenced else ""
    basis = f"{escaped(charted(icans))}{reference}{at}"
    how = "zero" if icans.from_ice_0 else "least" if icans.minimum else "known"
    more = phrase("icans_coded", "higher" if icans.coded_higher else "none", coded=_higher_words(icans, referenced))
    lost = not_used(facts, scores_set_aside(facts, t), escaped) or "a score or grade of this time could not be read"
    return phrase("icans", how, icans=icans.grade, charted=basis, lost=lost) + more
