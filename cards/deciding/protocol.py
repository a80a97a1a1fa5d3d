"""The rows of product labels and of the site's protocol, by product and situation, and the third line.

The package's rows are unconfirmed until a clinician has read the labels. A site replaces rows with its own
(`CRS_CDS_PROTOCOL`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from fhir_mappings.facts.course import Infusion
from fhir_mappings.facts.grade import CrsGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Status, Thresholds


class ProductSituation(StrEnum):
    """The time of fever that a row is about. The first three hold at grade 1 before the first dose, the last two at
    every grade."""

    EARLY_ONSET = "early-onset"
    LATER_ONSET = "later-onset"
    LASTING_GRADE_1 = "lasting-grade-1"
    LATE_FIRST_FEVER = "late-first-fever"
    WITH_INFUSION = "with-infusion"


AT_EVERY_GRADE = (ProductSituation.LATE_FIRST_FEVER, ProductSituation.WITH_INFUSION)
AXI, BREXU, TISA = "axicabtagene ciloleucel", "brexucabtagene autoleucel", "tisagenlecleucel"
LISO, IDE = "lisocabtagene maraleucel", "idecabtagene vicleucel"
ANY_PRODUCT = "*"


@dataclass(frozen=True)
class ProductLine:
    """One row: what is said of a product in a situation, with its source and the day on which that was read."""

    product: str
    situation: ProductSituation
    text: str
    source: str
    read: date
    status: Status


@dataclass(frozen=True)
class Protocol:
    """The rows in force, and the third line after tocilizumab and corticosteroids, in the site's words."""

    lines: tuple[ProductLine, ...]
    third_line: tuple[str, ...] = ()
    name: str = ""


_READ = date(2026, 11, 26)
_QUOTED = "NCCN, as Zhang et al. 2022 quote it"
_LABEL = "product label, by a secondary source"
_EARLY = "the study quotes NCCN: tocilizumab at once when CRS begins within 72 h"
_LASTING = "grade 1 not better after 24 h: tocilizumab"
_CONSIDER = "onset within 72 h: consider tocilizumab, with or without dexamethasone 10 mg a day"
_LATE = "no new CRS was seen after day 14 in 475 such patients; infection first"

PACKAGE_PROTOCOL = Protocol(
    (
        *(
            ProductLine(product, situation, text, source, _READ, Status.UNCONFIRMED)
            for products, situation, text, source in (
                ((AXI, BREXU), ProductSituation.EARLY_ONSET, _EARLY, _QUOTED),
                ((AXI, BREXU), ProductSituation.LASTING_GRADE_1, _LASTING, _LABEL),
                ((LISO, IDE), ProductSituation.EARLY_ONSET, _CONSIDER, _LABEL),
                ((LISO, IDE), ProductSituation.LATER_ONSET, "onset after 72 h: symptomatic treatment", _LABEL),
                ((ANY_PRODUCT,), ProductSituation.WITH_INFUSION, "infusion reaction or allergy first", "ward practice"),
            )
            for product in products
        ),
        *(
            ProductLine(
                product, ProductSituation.LATE_FIRST_FEVER, _LATE, "Blood Adv 2024;8:5346", _READ, Status.VERIFIED
            )
            for product in (AXI, TISA, LISO)
        ),
    )
)


def product_lines(facts: PatientFacts, t: Thresholds, protocol: Protocol) -> tuple[ProductLine, ...]:
    """The rows of the patient's product that fit the time of the present fever."""
    grade, course = facts.grade, facts.course
    if grade is None or course is None or grade.grade is None or grade.episode is None:
        return ()
    before = [i for i in course.infusions if i.start <= grade.episode]
    met = [(i.product, situation) for i in before for situation in _met(facts, grade, i, t)]
    return tuple(
        line
        for line in protocol.lines
        if any(line.product in (product, ANY_PRODUCT) and line.situation is situation for product, situation in met)
    )


def _met(facts: PatientFacts, grade: CrsGrade, infusion: Infusion, t: Thresholds) -> list[ProductSituation]:
    """The situations of the present fever after one infusion. One fever on day 1 says nothing about day 25."""
    found: list[ProductSituation] = []
    if grade.episode is None or grade.grade == 0:
        return found
    if grade.grade == 1 and not facts.tocilizumab.doses:
        # an infusion known by date only may have been as late as the end of that day
        start = infusion.start if infusion.time_known else infusion.start + timedelta(days=1)
        early = grade.episode - start < t.early_onset
        found.append(ProductSituation.EARLY_ONSET if early else ProductSituation.LATER_ONSET)
        if facts.as_of - grade.episode >= t.lasting_fever:
            found.append(ProductSituation.LASTING_GRADE_1)
    first = facts.first_fever
    if first is not None and first.is_late:
        found.append(ProductSituation.LATE_FIRST_FEVER)
    if first is not None and first.with_infusion:
        found.append(ProductSituation.WITH_INFUSION)
    return found
