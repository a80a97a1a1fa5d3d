"""The evidence of a card in lines of Markdown: values, times, references, and the data that are missing.

Every string from a record is escaped, because clients render raw HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from cards.deciding.card import EvidenceItem
from cards.deciding.situation import Verdicts
from cards.deciding.steroids.amounts import recently_given
from cards.orders.steroid_words import given_one
from cards.sentences.escaping import escaped, escaped_words
from cards.sentences.numbers_and_times import InWords
from cards.sentences.treatment_words import dose_number, dose_times
from cards.wording.fold_words import fold_line
from cards.wording.grade_words import drivers, fever_line, grade_text, missing, nothing_low
from fhir_mappings.facts.analytes import CRP, IL6, Analyte
from fhir_mappings.facts.labs import Sample
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


class EvidencePart(StrEnum):
    """A kind of evidence that a card shows under its text."""

    GRADE = "grade"
    IL6 = "IL-6"
    CRP = "CRP"
    OTHER_ANALYTES = "analytes without a limit"
    DOSES = "doses"


SHOWN_AS = {IL6: EvidencePart.IL6, CRP: EvidencePart.CRP}


def doses_text(facts: PatientFacts) -> str:
    times = f" ({dose_times(facts)})" if facts.tocilizumab.doses else ""
    return f"**Tocilizumab** doses in this course: {dose_number(facts)}{times}."


def steroids_text(facts: PatientFacts, t: Thresholds) -> str:
    """The corticosteroids given of late; "" for none."""
    given = ", ".join(given_one(s, facts) for s in recently_given(facts, t))
    return f"**Corticosteroid** in the last {InWords(t).steroid_named}: {given}." if given else ""


def basis(facts: PatientFacts, found: Verdicts, t: Thresholds, shown: tuple[EvidencePart, ...]) -> list[str]:
    """The evidence lines that a card shows, in their order."""
    grade, course = facts.grade, facts.course
    if grade is None or course is None:
        return []
    lines: list[str] = []
    if EvidencePart.GRADE in shown:
        reasons = drivers(grade) or nothing_low(grade)
        not_known = escaped_words("; ".join(missing(grade, facts, t, escaped).every))
        lines.append(
            f"**ASTCT {grade_text(grade)}**, day {course.day}: {escaped_words(reasons)}. {fever_line(grade, facts, t)}"
            + (f" Not known: {not_known}." if not_known else "")
        )
    lines += [
        fold_line(facts, analyte, found.by_analyte.get(analyte), t)
        for analyte in facts.followed
        if SHOWN_AS.get(analyte, EvidencePart.OTHER_ANALYTES) in shown
    ]
    if EvidencePart.DOSES in shown:
        lines.append(doses_text(facts))
    if EvidencePart.DOSES in shown and recently_given(facts, t):
        lines.append(steroids_text(facts, t))
    return lines


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def evidence_items(facts: PatientFacts, shown: tuple[EvidencePart, ...]) -> tuple[EvidenceItem, ...]:
    """The records behind the parts that a card rests on, each once for what it is."""
    found = [*_of_grade(facts, shown), *_of_rises(facts, shown), *_of_drugs(facts, shown), *_of_caution(facts)]
    return tuple(dict.fromkeys(found))


def _of_grade(facts: PatientFacts, shown: tuple[EvidencePart, ...]) -> Iterator[EvidenceItem]:
    if EvidencePart.GRADE in shown and facts.grade is not None:
        for reference in facts.grade.evidence:
            yield EvidenceItem(reference, "CRS grade")


def _of_rises(facts: PatientFacts, shown: tuple[EvidencePart, ...]) -> Iterator[EvidenceItem]:
    for analyte, fold in facts.followed.items():
        if SHOWN_AS.get(analyte, EvidencePart.OTHER_ANALYTES) in shown:
            named = (("baseline", fold.baseline), ("peak", fold.peak), ("latest", fold.latest))
            for part, sample in named:
                if sample is not None:
                    yield _of_sample(facts, analyte, part, sample)


def _of_sample(facts: PatientFacts, analyte: Analyte, part: str, sample: Sample) -> EvidenceItem:
    known = sample.value.low if sample.value.low == sample.value.high else None
    return EvidenceItem(
        sample.reference, f"{analyte.name} {part}", known, sample.unit if known is not None else "",
        _at(facts, sample.at.earliest),
    )  # fmt: skip


def _of_drugs(facts: PatientFacts, shown: tuple[EvidencePart, ...]) -> Iterator[EvidenceItem]:
    if EvidencePart.DOSES not in shown:
        return
    for number, dose in enumerate(facts.tocilizumab.doses, 1):
        for reference in dose.references:
            yield EvidenceItem(reference, f"tocilizumab dose {number}", at=_at(facts, dose.start))
    for given in facts.steroids:
        yield EvidenceItem(given.reference, given.ingredient, at=_at(facts, given.at))
    if facts.weight is not None:
        yield EvidenceItem(facts.weight.reference, "weight", facts.weight.kg, "kg", _at(facts, facts.weight.at))


def _of_caution(facts: PatientFacts) -> Iterator[EvidenceItem]:
    labs = facts.labs
    for name, lab, unit in (
        ("ANC", labs.neutrophils, "10*3/uL"), ("platelets", labs.platelets, "10*3/uL"), ("ALT", labs.alt, "U/L"),
        ("AST", labs.ast, "U/L"),
    ):  # fmt: skip
        if lab is not None:
            yield EvidenceItem(lab.reference, name, lab.value, unit, _at(facts, lab.at))
    for sign in facts.infection.counted:
        at = _at(facts, sign.at) if sign.at is not None else None
        yield EvidenceItem(sign.reference, "infection", at=at)
    if facts.tocilizumab_hypersensitivity:
        yield EvidenceItem(facts.tocilizumab_hypersensitivity, "hypersensitivity to tocilizumab")
    if facts.icans.reference:
        yield EvidenceItem(facts.icans.reference, "ICANS", at=_at(facts, facts.icans.at) if facts.icans.at else None)


def _at(facts: PatientFacts, at: datetime) -> datetime:
    return facts.local(at)
