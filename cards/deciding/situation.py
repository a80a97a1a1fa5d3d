"""The mapping from facts to the cell of the decision table that they meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cards.deciding.conditions import (
    BloodCulture,
    Charted,
    Crp,
    DoseCheck,
    DoseCount,
    DoseInterval,
    Doses,
    FeverLasts,
    Grade,
    Hypersensitivity,
    IcansBand,
    Il6,
    Infected,
    OtherCause,
    Phase,
    Progress,
    Provisional,
    SignsDoubt,
    Situation,
    TociDraft,
    TociInPlay,
)
from cards.deciding.dose_check import dose_faults
from cards.deciding.drafts import drafted
from cards.deciding.tocilizumab_gate import Bar, draft_bars
from cards.deciding.verdict import NO_SAMPLE_HELPS, Category, Verdict, verdict
from fhir_mappings.facts.analytes import CRP, IL6, Analyte
from fhir_mappings.facts.course import Course
from fhir_mappings.facts.flags import Flag
from fhir_mappings.facts.grade import (
    CrsGrade,
    Fever,
    NoGrade,
    device_not_recognised,
    is_better,
    row_without_fever,
)
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import rows_not_charted
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder, DrugClass


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
    """The cell of a patient with a running course and its grade."""
    bars = draft_bars(facts, drafts, t)
    return Situation(
        phase=Phase.STUDY if course.days_since_last <= t.study_days.days else Phase.LATE,
        grade=_grade(grade),
        provisional=_provisional(grade),
        doubt=SignsDoubt.UNFETCHED if _in_doubt(grade) else SignsDoubt.NONE,
        il6=_il6(found.il6, blocked=facts.il6.blocked),
        crp=Crp.HIGH if found.crp.category is Category.HIGH else Crp.NOT_HIGH,
        doses=_doses(facts, t.dose_interval),
        progress=_progress(facts, grade, t),
        toci_in_play=_toci_in_play(facts, drafts, t.surveillance_after),
        toci_draft=TociDraft.YES if drafted(drafts, DrugClass.TOCILIZUMAB) else TociDraft.NO,
        interval=DoseInterval.TOO_SOON if Bar.INTERVAL in bars else DoseInterval.CLEAR,
        dose_count=DoseCount.TOO_MANY if {Bar.NUMBER, Bar.DAY} & set(bars) else DoseCount.WITHIN,
        hypersensitivity=Hypersensitivity.KNOWN if facts.tocilizumab_hypersensitivity else Hypersensitivity.NONE,
        icans=_icans(facts.icans.grade),
        infected=Infected.YES if facts.infection.counted else Infected.NO,
        dose_check=_dose_check(facts, drafts, t),
        other_cause=_other_cause(grade),
        culture=BloodCulture.POSITIVE if facts.infection.culture else BloodCulture.NONE,
        charted=Charted.NOT if grade.minimum and rows_not_charted(facts, t) else Charted.YES,
        fever_lasts=FeverLasts.YES if fever_lasts(facts, grade) >= t.fever_as_grade_2 else FeverLasts.NO,
    )


def _progress(facts: PatientFacts, grade: CrsGrade, t: Thresholds) -> Progress:
    """The course since dose 2: better if the grade, no minimum, is below the one at that dose."""
    if facts.progressed:
        return Progress.YES
    doses, then = facts.tocilizumab.doses, facts.grade_at_dose_2
    if len(doses) < 2 or facts.as_of - doses[1].start >= t.better_after_dose:
        return Progress.NO
    return Progress.BETTER if is_better(grade, then) else Progress.NO


def _icans(grade: int | None) -> IcansBand:
    return IcansBand.UNKNOWN if grade is None else IcansBand(str(grade))


def _other_cause(grade: CrsGrade) -> OtherCause:
    row = row_without_fever(grade)
    return OtherCause.NONE if row == 0 else OtherCause.SEVERE if row >= 3 else OtherCause.NEW


def fever_lasts(facts: PatientFacts, grade: CrsGrade) -> timedelta:
    """The time for which the present fever lasts; none without one."""
    if grade.fever is not Fever.NOW or grade.episode is None:
        return timedelta()
    return facts.as_of - grade.episode


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
    if grade.grade == 0:  # nothing unread can raise it, but what could not be fetched is said on every hook
        return grade.unfetched
    hidden = grade.unfetched or Flag.HOME_DEVICE in grade.flags or device_not_recognised(grade)
    return hidden and (grade.grade is None or grade.minimum)


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


def _toci_in_play(facts: PatientFacts, drafts: tuple[DraftOrder, ...], after: timedelta) -> TociInPlay:
    if drafted(drafts, DrugClass.TOCILIZUMAB):
        return TociInPlay.YES
    last = facts.last_il6_blocker
    return TociInPlay.YES if last is not None and facts.as_of - last <= after else TociInPlay.NO
