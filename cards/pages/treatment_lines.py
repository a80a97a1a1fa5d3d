"""The drugs, ICANS and cautions of a patient, line by line."""

from __future__ import annotations

from cards.sentences.icans_words import charted, coded_higher, icans_grade, why_unknown
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.treatment_words import dose_time, steroid_given
from cards.wording.caution_words import infection_words
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


def drug_lines(facts: PatientFacts, t: Thresholds) -> list[str]:
    if facts.grade is None:
        return []
    history = facts.tocilizumab
    lines = [
        f"tocilizumab dose {n}: {dose_time(facts, d)} ({', '.join(d.references)})"
        for n, d in enumerate(history.doses, 1)
    ]
    if not history.doses:
        lines.append("tocilizumab: no dose in this course")
    if not history.history_complete:
        lines.append("tocilizumab: the history could not all be read, earlier doses may be missing")
    for given in facts.steroids:
        equal = f", {number(given.dexamethasone_mg)} mg of dexamethasone" if given.dexamethasone_mg else ""
        lines.append(f"{steroid_given(facts, given)}{equal} ({given.reference})")
    if facts.weight is not None:
        weight = facts.weight
        lines.append(f"weight: {number(weight.kg)} kg, {when(facts.local(weight.at))} ({weight.reference})")
    else:
        lines.append(f"weight: none of the last {InWords(t).weight_age}")
    lines += [
        f"ordered, not charted: {order.drug.ingredient if order.drug else ', '.join(sorted(order.sets)) or 'other'} "
        f"({order.reference})"
        for order in facts.pending
    ]
    return lines


def caution(facts: PatientFacts) -> list[str]:
    """The lines on ICANS, blood counts, liver enzymes, infection and hypersensitivity."""
    if facts.grade is None:
        return []
    icans = facts.icans
    basis = f" ({charted(icans)}, {icans.reference})" if icans.grade is not None else ""
    higher = f"; a recent diagnosis says more: {coded_higher(icans)}" if icans.coded_higher else ""
    why = why_unknown(facts)
    lines = [f"ICANS: {icans_grade(icans)}{basis}{higher}{' – ' + why if why else ''}"]
    labs = facts.labs
    for name, lab in (
        ("ANC", labs.neutrophils), ("platelets", labs.platelets), ("ALT", labs.alt), ("AST", labs.ast),
    ):  # fmt: skip
        if lab is not None:
            lines.append(f"{name}: {number(lab.value)}, {when(facts.local(lab.at))} ({lab.reference})")
    if facts.infection.counted:
        lines.append(f"infection: {infection_words(facts)}")
    if facts.tocilizumab_hypersensitivity:
        lines.append(f"hypersensitivity to tocilizumab: {facts.tocilizumab_hypersensitivity}")
    return lines
