"""Facts → the few small enums that the decision table asks for. Every unknown is a member of its own.

`{t.…}` in a member's words stands for the threshold in force (`cards.shown.InWords`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cards.deciding.dose_check import dose_faults
from cards.deciding.verdict import NO_SAMPLE_HELPS, Category, Verdict, verdict
from fhir_mappings.facts.analytes import CRP, IL6, Analyte
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.course import Infusion as CarTInfusion
from fhir_mappings.facts.grade import CrsGrade, NoGrade
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass, PendingOrder


class Phase(StrEnum):
    STUDY = "0 to {t.study_days}"
    LATE = "after {t.study_days}"


class Grade(StrEnum):
    UNKNOWN = "unknown"
    MASKED = "may be masked"
    G0 = "0"
    G1 = "1"
    G2 = "2"
    G3 = "3"
    G4 = "4"


class Provisional(StrEnum):
    MILD = "0–1"
    TWO = "2"
    SEVERE = "3–4"


class Doubt(StrEnum):
    """Whether vital signs or oxygen could not be fetched, or a home device may hide a higher grade."""

    NONE = "all fetched"
    UNFETCHED = "not all fetched, or a home device"


class Exactness(StrEnum):
    EXACT = "as stated"
    AT_LEAST = "at least"


class Il6(StrEnum):
    HIGH = "≥{t.il6_fold}-fold"
    LOW = "<{t.il6_fold}-fold"
    ASK = "unknown (a sample can settle it)"
    UNKNOWN = "unknown (no sample can)"


class Crp(StrEnum):
    HIGH = ">{t.crp_fold}-fold"
    NOT_HIGH = "≤{t.crp_fold}-fold or unknown"


class Doses(StrEnum):
    NONE = "none"
    ONE_EARLY = "one <{t.dose_interval} ago"
    ONE = "one ≥{t.dose_interval} ago"
    MORE_EARLY = "two+ <{t.dose_interval} since dose 2"
    MORE = "two+ ≥{t.dose_interval} since dose 2"


class Progress(StrEnum):
    YES = "progressed"
    NO = "not progressed or not known"


class TociInPlay(StrEnum):
    YES = "given ≤{t.surveillance_after} ago or drafted"
    NO = "neither given nor drafted"


class Il6Order(StrEnum):
    ACTIVE = "ordered"
    NONE = "none"


class TociDraft(StrEnum):
    YES = "drafted"
    NO = "not drafted"


class Interval(StrEnum):
    CLEAR = "started ≥{t.dose_interval} ago"
    TOO_SOON = "started <{t.dose_interval} ago"


class DoseCount(StrEnum):
    WITHIN = "fewer than {t.doses_max} and than {t.doses_per_day} in 24 h"
    TOO_MANY = "{t.doses_max} or more or {t.doses_per_day} in 24 h"


class Hypersensitivity(StrEnum):
    NONE = "none on record"
    KNOWN = "on record"


class Infected(StrEnum):
    NO = "no sign on record"
    YES = "culture or viral PCR of {t.infection_age} or coded"


class DoseCheck(StrEnum):
    FINE = "by weight and intravenous"
    DOUBTFUL = "off, not readable, without a weight, not intravenous or under age"


class Icans(StrEnum):
    UNKNOWN = "unknown"
    NONE = "0"
    MILD = "1–2"
    SEVERE = "3 or more"


class ProductWindow(StrEnum):
    YES = "axi-cel or brexu-cel and (fever <{t.early_onset} after it or grade 1 for ≥{t.lasting_fever})"
    NO = "another or later"


class DataDoubt(StrEnum):
    NONE = "nothing in doubt that matters"
    INFO = "another value would change the cards"
    WARNING = "a vasopressor is ordered and not charted"


@dataclass(frozen=True)
class Situation:
    """One cell of the decision space."""

    phase: Phase
    grade: Grade
    provisional: Provisional
    doubt: Doubt
    il6: Il6
    crp: Crp
    doses: Doses
    progress: Progress
    toci_in_play: TociInPlay
    il6_order: Il6Order
    toci_draft: TociDraft
    interval: Interval
    dose_count: DoseCount
    hypersensitivity: Hypersensitivity
    exactness: Exactness
    icans: Icans
    product: ProductWindow
    infected: Infected
    dose_check: DoseCheck
    data_doubt: DataDoubt = DataDoubt.NONE


@dataclass(frozen=True)
class Verdicts:
    """The verdict on each analyte that has a limit."""

    by_analyte: Mapping[Analyte, Verdict]

    @property
    def il6(self) -> Verdict:
        return self.by_analyte[IL6]

    @property
    def crp(self) -> Verdict:
        return self.by_analyte[CRP]


def verdicts(facts: PatientFacts, t: Thresholds) -> Verdicts:
    return Verdicts({a: verdict(fold, a.limit, t) for a, fold in facts.folds.items() if a.limit is not None})


def situation(
    facts: PatientFacts, course: Course, grade: CrsGrade, drafts: tuple[DraftOrder, ...], found: Verdicts, t: Thresholds
) -> Situation:
    """The cell for a patient with a running course and its grade."""
    return Situation(
        phase=Phase.STUDY if course.days_since_last <= t.study_days.days else Phase.LATE,
        grade=_grade(grade),
        provisional=_provisional(grade),
        doubt=Doubt.UNFETCHED if _in_doubt(grade) else Doubt.NONE,
        il6=_il6(found.il6, blocked=facts.il6.blocked),
        crp=Crp.HIGH if found.crp.category is Category.HIGH else Crp.NOT_HIGH,
        doses=_doses(facts, t.dose_interval),
        progress=Progress.YES if facts.progressed else Progress.NO,
        toci_in_play=_toci_in_play(facts, course, drafts, t.surveillance_after),
        il6_order=Il6Order.ACTIVE if is_ordered(facts, drafts, "interleukin-6") else Il6Order.NONE,
        toci_draft=TociDraft.YES if drafted(drafts, DrugClass.TOCILIZUMAB) else TociDraft.NO,
        interval=Interval.TOO_SOON if is_too_soon(facts, drafts, t) else Interval.CLEAR,
        dose_count=DoseCount.TOO_MANY if are_too_many(facts, drafts, t) else DoseCount.WITHIN,
        hypersensitivity=Hypersensitivity.KNOWN if facts.tocilizumab_hypersensitivity else Hypersensitivity.NONE,
        exactness=Exactness.AT_LEAST if grade.minimum else Exactness.EXACT,
        icans=_icans(facts.icans.grade),
        product=ProductWindow.YES if product_window(facts, grade, t) else ProductWindow.NO,
        infected=Infected.YES if facts.infections else Infected.NO,
        dose_check=_dose_check(facts, drafts, t),
    )


def _icans(grade: int | None) -> Icans:
    if grade is None:
        return Icans.UNKNOWN
    if grade == 0:
        return Icans.NONE
    return Icans.SEVERE if grade >= 3 else Icans.MILD


# the products whose guidance treats earlier than grade 2, by ingredient
_EARLY_PRODUCTS = frozenset({"axicabtagene ciloleucel", "brexucabtagene autoleucel"})


@dataclass(frozen=True)
class EarlyProduct:
    """An infusion whose product's guidance treats this CRS before grade 2; `early`, or grade 1 that lasts."""

    infusion: CarTInfusion
    early: bool


def product_window(facts: PatientFacts, grade: CrsGrade, t: Thresholds) -> EarlyProduct | None:
    """The infusion of axi-cel or brexu-cel after which the present fever began early, or lasts at grade 1."""
    if facts.course is None or grade.episode is None:
        return None
    lasting = grade.grade == 1 and facts.as_of - grade.episode >= t.lasting_fever
    for infusion in facts.course.infusions:
        if infusion.product not in _EARLY_PRODUCTS or grade.episode < infusion.start:
            continue
        # an infusion known by date only may have been as late as the end of that day
        start = infusion.start if infusion.time_known else infusion.start + timedelta(days=1)
        early = grade.episode - start < t.early_onset
        if early or lasting:
            return EarlyProduct(infusion, early)
    return None


def _dose_check(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> DoseCheck:
    ours = drafted(drafts, DrugClass.TOCILIZUMAB)
    return DoseCheck.DOUBTFUL if any(dose_faults(d, facts, t) for d in ours) else DoseCheck.FINE


def _grade(grade: CrsGrade) -> Grade:
    if grade.grade is None:
        return Grade.MASKED if grade.no_grade is NoGrade.MASKED else Grade.UNKNOWN
    return Grade(str(grade.grade))


def _provisional(grade: CrsGrade) -> Provisional:
    if grade.provisional >= 3:
        return Provisional.SEVERE
    return Provisional.TWO if grade.provisional == 2 else Provisional.MILD


def _in_doubt(grade: CrsGrade) -> bool:
    if grade.grade is None:
        return grade.unfetched or "home_device" in grade.flags
    if grade.grade == 0:  # nothing unread can raise it, but what could not be fetched is said on every hook
        return grade.unfetched
    return grade.minimum and (grade.unfetched or "home_device" in grade.flags)


def _il6(verdict: Verdict, *, blocked: bool) -> Il6:
    if verdict.category is Category.UNKNOWN:
        return Il6.UNKNOWN if blocked or verdict.reason in NO_SAMPLE_HELPS else Il6.ASK
    return Il6.HIGH if verdict.category is Category.HIGH else Il6.LOW


def _doses(facts: PatientFacts, interval: timedelta) -> Doses:
    doses = facts.tocilizumab.doses
    if not doses:
        return Doses.NONE
    if len(doses) == 1:
        return Doses.ONE if facts.as_of - doses[0].last_start >= interval else Doses.ONE_EARLY
    return Doses.MORE if facts.as_of - doses[1].start >= interval else Doses.MORE_EARLY


def drafted(drafts: tuple[DraftOrder, ...], *classes: DrugClass) -> tuple[DraftOrder, ...]:
    return tuple(d for d in drafts if d.drug is not None and d.drug.drug_class in classes)


def uncharted_tocilizumab(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> tuple[PendingOrder, ...]:
    """Active tocilizumab orders not yet charted, but those that a draft replaces."""
    ours = drafted(drafts, DrugClass.TOCILIZUMAB)
    replaced = {d.replaces for d in ours} | {d.reference for d in ours}
    return tuple(
        o
        for o in facts.pending
        if o.drug is not None and o.drug.drug_class is DrugClass.TOCILIZUMAB and o.reference not in replaced
    )


def counted_starts(facts: PatientFacts, drafts: tuple[DraftOrder, ...]) -> tuple[datetime, ...]:
    """Starts that a tocilizumab draft is checked against: every dose that may have been given, and, as given now,
    each order not yet charted and each draft beside the first."""
    beside = len(uncharted_tocilizumab(facts, drafts)) + len(drafted(drafts, DrugClass.TOCILIZUMAB)[1:])
    return (*facts.tocilizumab.safety_starts, *([facts.as_of] * beside))


def is_too_soon(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> bool:
    return any(facts.as_of - start < t.dose_interval for start in counted_starts(facts, drafts))


def are_too_many(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> bool:
    starts = counted_starts(facts, drafts)
    return len(starts) >= t.doses_max or len(in_24_h(starts, facts.as_of)) >= t.doses_per_day


def in_24_h(starts: tuple[datetime, ...], now: datetime) -> tuple[datetime, ...]:
    return tuple(s for s in starts if now - s < timedelta(days=1))


def _toci_in_play(facts: PatientFacts, course: Course, drafts: tuple[DraftOrder, ...], after: timedelta) -> TociInPlay:
    if drafted(drafts, DrugClass.TOCILIZUMAB):
        return TociInPlay.YES
    recent = any(s >= course.start and facts.as_of - s <= after for s in facts.tocilizumab.safety_starts)
    return TociInPlay.YES if recent else TociInPlay.NO


def is_ordered(facts: PatientFacts, drafts: tuple[DraftOrder, ...], set_id: str) -> bool:
    """Whether a test, culture or image is drafted or has an active order."""
    return any(set_id in o.sets for o in facts.pending) or any(set_id in d.sets for d in drafts)
