"""The drugs, ICANS and cautions of a patient, line by line."""

from __future__ import annotations

from cards.orders.steroid_words import given_one
from cards.sentences.icans_words import charted, coded_higher, icans_grade, why_unknown
from cards.sentences.numbers_and_times import InWords, number, when
from cards.sentences.set_aside_words import not_used
from cards.sentences.treatment_words import blockers_given, dose_time, history_unread, weight_doubt
from cards.wording.infection_words import drug_words, infection_words
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import (
    ALLERGIES,
    ALT,
    AST,
    NEUTROPHILS,
    PLATELETS,
    counts_set_aside,
    tests_set_aside,
    weights_set_aside,
)
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
        counted = "no dose" if history.history_complete else "no dose that could be read"
        lines.append(f"tocilizumab: {counted} in this course")
    if not history.history_complete:
        lines.append(f"tocilizumab: {history_unread(facts)}")
    if facts.other_blockers:
        references = ", ".join(r for one in facts.other_blockers for r in one.references)
        lines.append(f"other IL-6 and IL-1 blockers: {blockers_given(facts)} ({references})")
    lines += [f"{given_one(given, facts)} ({given.reference})" for given in facts.steroids]
    if facts.weight is not None:
        weight = facts.weight
        lines.append(f"weight: {number(weight.kg)} kg, {when(facts.local(weight.at))} ({weight.reference})")
    elif facts.implausible_weight is not None:
        references = ", ".join(facts.implausible_weight.references)
        lines.append(f"weight: implausible, no dose is computed: {weight_doubt(facts)} ({references})")
    else:
        lost = not_used(facts, weights_set_aside(facts, t))
        lines.append(lost or f"weight: none of the last {InWords(t).weight_age}")
    lines += [
        f"ordered, not charted: {order.drug.ingredient if order.drug else ', '.join(sorted(order.sets)) or 'other'} "
        f"({order.reference})"
        for order in facts.pending
    ]
    return lines


def caution(facts: PatientFacts, t: Thresholds) -> list[str]:
    """The lines on ICANS, blood counts, liver enzymes, infection and hypersensitivity."""
    if facts.grade is None:
        return []
    icans = facts.icans
    basis = f" ({charted(icans)}, {icans.reference})" if icans.grade is not None else ""
    higher = f"; a recent diagnosis says more: {coded_higher(icans)}" if icans.coded_higher else ""
    why = why_unknown(facts, t)
    lines = [f"ICANS: {icans_grade(icans)}{basis}{higher}{' – ' + why if why else ''}"]
    labs = facts.labs
    for name, lab, concept in (
        ("ANC", labs.neutrophils, NEUTROPHILS), ("platelets", labs.platelets, PLATELETS), ("ALT", labs.alt, ALT),
        ("AST", labs.ast, AST),
    ):  # fmt: skip
        if lab is not None:
            lines.append(f"{name}: {number(lab.value)}, {when(facts.local(lab.at))} ({lab.reference})")
        else:
            lines.append(not_used(facts, counts_set_aside(facts, concept, t)))
    found = facts.infection
    if found.counted:
        lines.append(f"infection: {infection_words(facts, found.counted)}")
    if found.named:
        lines.append(f"infection on record, not counted: {infection_words(facts, found.named)}")
    lines += [
        f"tests read for infection: {test.test} ×{test.number}, latest {when(facts.local(test.latest))}"
        for test in found.read
    ]
    lines += [f"anti-infective: {drug_words(facts, one)} ({one.reference})" for one in found.anti_infectives]
    lines.append(not_used(facts, tests_set_aside(facts, t)))
    if facts.tocilizumab_hypersensitivity:
        lines.append(f"hypersensitivity to tocilizumab: {facts.tocilizumab_hypersensitivity}")
    lines.append(not_used(facts, ALLERGIES.of(facts.set_aside)))
    return list(filter(None, lines))
