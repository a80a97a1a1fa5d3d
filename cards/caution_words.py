"""What to weigh before tocilizumab, in words: counts, liver enzymes, infection, ICANS."""

from __future__ import annotations

from decimal import Decimal

from cards.evidence import escaped, reference_text
from cards.shown import InWords, number, when
from cards.texts import Texts
from fhir_mappings.clinical_facts import Kind, LabValue
from fhir_mappings.thresholds import Thresholds

_OF_CAUTION = (Kind.SAFETY_LABS, Kind.MICROBIOLOGY, Kind.ALLERGIES, Kind.CONDITIONS)


def of_caution(x: Texts) -> dict[str, str]:
    """The placeholders about caution and ICANS."""
    hypersensitive = x.facts.tocilizumab_hypersensitivity
    infected = infection_words(x)
    if hypersensitive:
        short = "hypersensitivity to tocilizumab is on record"
        lead = f"Hypersensitivity to tocilizumab is on record ({reference_text(hypersensitive)}). Known " \
               "hypersensitivity is the contraindication of the label."  # fmt: skip
    else:
        short = "signs of active infection on record"
        lead = "Look for infection and treat it; in CRS the benefit is weighed against it."
    return {
        "caution": caution_line(x),
        "caution_short": short,
        "caution_lead": lead,
        "infection": f"Active infection: {infected}." if infected else "",
        "icans": icans_line(x),
        "icans_grade": f"grade {x.facts.icans.grade}" if x.facts.icans.grade is not None else "unknown",
    }


def caution_line(x: Texts) -> str:
    """One line: what lies beyond the label's limits, what is not known, what could not be read."""
    beyond = _beyond(x)
    lines = []
    if beyond:
        lines.append(f"Caution: {', '.join(beyond)}. In CRS the benefit is weighed against these limits of the label.")
    infected = infection_words(x)
    if infected:
        lines.append(f"Active infection: {infected}.")
    unknown = _not_known(x)
    if unknown:
        lines.append(f"Not known (no result of {InWords(x.t).safety_labs_age}): {', '.join(unknown)}.")
    unread = [kind.value for kind in x.unread if kind in _OF_CAUTION]
    if unread:
        lines.append(f"Could not be read: {', '.join(unread)}.")
    if not lines:
        lines.append("ANC, platelets, ALT and AST are within the label's limits; no infection is on record.")
    return " ".join(lines)


def _beyond(x: Texts) -> list[str]:
    labs, t = x.facts.labs, x.t
    found = []
    for name, lab, limit in (("ANC", labs.neutrophils, t.neutropenia), ("platelets", labs.platelets, t.platelets_low)):
        if lab is not None and lab.value < limit:
            found.append(f"{name} {number(lab.value)} ×10⁹/L (below {number(limit)}, {_at(x, lab)})")
    for name, lab in (("ALT", labs.alt), ("AST", labs.ast)):
        if lab is None:
            continue
        normal, unconfirmed = upper_normal(lab, t)
        if lab.value > normal * t.enzymes_times:
            mark = ", unconfirmed" if unconfirmed else ""
            limit_text = f"above {number(t.enzymes_times)} × upper normal {number(normal)}{mark}"
            found.append(f"{name} {number(lab.value)} U/L ({limit_text}, {_at(x, lab)})")
    return found


def upper_normal(lab: LabValue, t: Thresholds) -> tuple[Decimal, bool]:
    """The upper limit of normal, and whether it is our unconfirmed one because the result states none."""
    return (lab.upper_normal, False) if lab.upper_normal is not None else (t.enzymes_normal, True)


def _at(x: Texts, lab: LabValue) -> str:
    return when(x.facts.local(lab.at))


def _not_known(x: Texts) -> list[str]:
    labs = x.facts.labs
    named = (("ANC", labs.neutrophils), ("platelets", labs.platelets), ("ALT", labs.alt), ("AST", labs.ast))
    return [name for name, lab in named if lab is None]


def infection_words(x: Texts) -> str:
    """Each sign of infection with its time and reference, at most four."""
    shown = []
    for one in x.facts.infections[:4]:
        at = f", {when(x.facts.local(one.at))}" if one.at else ""
        shown.append(f"{escaped(one.what)} ({reference_text(one.reference)}{at})")
    more = len(x.facts.infections) - 4
    return "; ".join(shown) + (f" and {more} more" if more > 0 else "")


def icans_line(x: Texts) -> str:
    icans = x.facts.icans
    if icans.grade is None:
        why = f" ({escaped(icans.why)})" if icans.why else ""
        return f"ICANS is unknown{why}: check ICE before tocilizumab or corticosteroids."
    at = f", {when(x.facts.local(icans.at))}" if icans.at else ""
    least = " An ICE score of 0 is at least grade 3." if icans.words == "ICE 0" else ""
    return f"ICANS grade {icans.grade} ({escaped(icans.words)}, {reference_text(icans.reference)}{at}).{least}"
