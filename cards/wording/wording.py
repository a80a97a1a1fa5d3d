"""The sentences of every card: summary and lead. `compose` fills in the `{names}`.

The parts of a sentence that depend on the patient stand in `cards/sentences/phrases.py`. `shown` lists the evidence
under the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cards.deciding.card import CardSource, OverrideReason
from cards.deciding.decision_table import CardId
from cards.wording.evidence import EvidencePart

ASTCT = CardSource("ASTCT consensus grading, Lee et al. 2019", "https://doi.org/10.1016/j.bbmt.2018.12.758")
ZHANG = CardSource("Zhang et al. 2022", "https://doi.org/10.3389/fimmu.2022.914959")
ASCO_URL = "https://ascopubs.org/doi/10.1200/JCO.21.01992"
ASCO = CardSource("ASCO guideline, Santomasso et al. 2021", ASCO_URL)
LABEL = CardSource("Tocilizumab label, CRS section")

PROTOCOL = "Does not replace institutional protocol."
ANTIFUNGAL = "With corticosteroids: antifungal prophylaxis (ASCO)."
NO_REASSURANCE = "After tocilizumab neither a normal temperature nor a low CRP is reassurance."
ICANS = "{icans_beside}"
CAUTION = "{caution}"
CAUTION_BESIDE = "{caution_beside}"
LABS_MISSING = "{labs_missing}"
ATTRIBUTABLE = "{fever_first}{attributable}"
NOT_TO_WITHHOLD = "One retrospective study, not validated; no reason to withhold tocilizumab."
NOT_VALIDATED = "One retrospective study, not validated."


@dataclass(frozen=True)
class Wording:
    """The sentences of one card.

    `lead` always stands on it: what to do, what to exclude, what is not known, why. `beside` gives way where the card
    is full. Its limits and sources are data of their own (`cards/evidence`). `of_the_study` marks the cards that rest
    on Zhang 2022.
    """

    display: str
    source: CardSource
    summary: str
    lead: tuple[str, ...]
    beside: tuple[str, ...] = ()
    why: str = ""  # gives way after all that is beside
    caveat: str = ""
    of_the_study: bool = False
    shown: tuple[EvidencePart, ...] = (EvidencePart.GRADE, EvidencePart.IL6, EvidencePart.DOSES)
    most_words: int = 80

    @property
    def every_line(self) -> tuple[str, ...]:
        """All that the card may say: on it, or where it is full behind it."""
        caveat = (self.caveat,) if self.caveat else ()
        why = (self.why,) if self.why else ()
        return (*self.lead, *why, *caveat, *self.beside)


WORDING: Mapping[CardId, Wording] = {
    CardId.SEVERE_CRS: Wording(
        "Severe cytokine release syndrome",
        ASCO,
        "{severe_summary}",
        (
            "{sepsis_now}{severe_since} ICU level of care. {severe_do}{il6_sample}{third_line_now}",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        beside=(CAUTION_BESIDE, ICANS, LABS_MISSING, "{taper}"),
    ),
    CardId.INFECTION_FIRST: Wording(
        "Infection first",
        LABEL,
        "{culture}{toci_drafted}: treat sepsis first; CRS {grade} only if not explained by it",
        (
            "Treat sepsis first: {antibiotics}; repeat cultures, source. {measure}",
            "{infection_known} {anc}",
            "It is CRS only if the infection does not explain it. Until then no card suggests tocilizumab, or a "
            "corticosteroid for CRS.",
            "{not_used}",
            "{offers}",
        ),
        beside=(CAUTION_BESIDE, ICANS, LABS_MISSING),
    ),
    CardId.OTHER_CAUSE_FIRST: Wording(
        "Another cause first",
        ASTCT,
        "{culture_first}{other_cause_summary}",
        (
            "{other_cause_do}{icu}{neutropenic}",
            "{infection_known} {anc}",
            "{other_cause_why}{coded_crs}",
            "{offers}",
        ),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.STEROID_AFTER_2_TOCI: Wording(
        "Corticosteroid after two doses of tocilizumab",
        ZHANG,
        "CRS {grade}{grade_why} {persists} after {doses_given} of tocilizumab: {consider}",
        (
            "{consider_do} CRS {persists} {since_dose_2} after the second dose of tocilizumab.",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        beside=(ICANS, ANTIFUNGAL),
    ),
    CardId.TOCI_RECOMMENDED: Wording(
        "Tocilizumab recommended",
        ZHANG,
        "CRS {grade}{grade_why}, IL-6 up {il6_fold}: {recommended}",
        (
            "{recommended_do}{no_better}",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        why="IL-6 {il6_fold_md} the baseline, {il6_beside}: the study recommends tocilizumab.",
        beside=(
            CAUTION_BESIDE,
            ICANS,
            LABS_MISSING,
            "In the study, above the limit, severe CRS was 2 of 24 with tocilizumab and 1 of 12 without "
            "(reconstructed); CRS lasted 5 against 8 days (p=0.06).",
        ),
        caveat=NOT_TO_WITHHOLD,
        of_the_study=True,
        most_words=100,
    ),
    CardId.STEROID_EARLY_LOW_IL6: Wording(
        "Early corticosteroid at a small IL-6 rise",
        ZHANG,
        "CRS {grade}{grade_why}, IL-6 {il6_only}: {early}",
        (
            "{early_do}",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        why="IL-6 {il6_fold_md} the baseline, {il6_beside}: severe CRS was 3 of 8 with tocilizumab, 0 of 23 without.",
        beside=(CAUTION_BESIDE, ICANS, LABS_MISSING),
        caveat=NOT_TO_WITHHOLD,
        of_the_study=True,
        most_words=100,
    ),
    CardId.TOCI_GUIDELINE: Wording(
        "Tocilizumab by guideline",
        ASCO,
        "CRS {grade}{grade_why}, IL-6 rise not known: {by_guideline}",
        (
            "{guideline_do}{no_better}{il6_sample}",
            ATTRIBUTABLE,
            "The IL-6 rise is not known: {il6_reason}.",
            "{not_used}",
            "{offers}",
        ),
        why="ASCO gives tocilizumab at grade 2 whatever the IL-6.",
        beside=(CAUTION_BESIDE, ICANS, LABS_MISSING),
    ),
    CardId.TOCI_INTERVAL: Wording(
        "Interval between doses of tocilizumab",
        LABEL,
        "Tocilizumab drafted {counted_last}: not before {counted_next}",
        (
            "Not before {counted_next}: at least {t.dose_interval} between the starts of two doses (the label: 8 h). "
            "If CRS worsens before that, corticosteroids do not wait.",
            "{counted}.",
        ),
        beside=(CAUTION, LABS_MISSING),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_MAX_DOSES: Wording(
        "Number of doses of tocilizumab",
        LABEL,
        "Tocilizumab drafted after {counted_number}: at most {t.doses_max} in all and {t.doses_per_day} in "
        "{t.doses_day}",
        (
            "No further dose: corticosteroids. {third_line} At most {t.doses_max} doses in all (the label: 4) and "
            "{t.doses_per_day} in {t.doses_day} (protocols: 3).",
            "{counted}.",
        ),
        beside=(CAUTION, LABS_MISSING),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_CAUTION: Wording(
        "Hypersensitivity to tocilizumab",
        LABEL,
        "Tocilizumab drafted: hypersensitivity to tocilizumab is on record",
        (
            "Do not give it: known hypersensitivity is the contraindication of the label. Protocols then use "
            "siltuximab or anakinra. {third_line}",
        ),
        beside=(CAUTION, LABS_MISSING),
        shown=(EvidencePart.GRADE,),
    ),
    CardId.STEROID_CHECK: Wording(
        "Drafted corticosteroid",
        ASCO,
        "{steroid_fault}",
        ("{steroid_faults}",),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.NO_CRS: Wording(
        "No CRS to treat",
        ASTCT,
        "{no_crs_summary}",
        (
            "Check the indication: tocilizumab is for CRS. {zero}{no_crs_icans}",
            "{before_fever}",
        ),
        beside=(ICANS,),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.ICANS_STEROID: Wording(
        "ICANS by grade",
        ASCO,
        "ICANS {icans_grade}{icans_why}: {icans_do}",
        (
            "{icans_care}{icans_early}",
            "{icans}{culture_line}",
            "{icans_and_crs}",
            "{offers}",
        ),
        beside=("{icans_antifungal}",),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_DOSE_CHECK: Wording(
        "Dose of the drafted tocilizumab",
        LABEL,
        "Tocilizumab drafted: {dose_fault}",
        (
            "{dose_faults}",
            "{offers}",
        ),
        why="By weight: {label_dose}; once, IV over 60 min, from the age of {t.toci_min_age} years.",
        beside=(CAUTION, LABS_MISSING),
        shown=(EvidencePart.DOSES,),
    ),
    CardId.INFECTION_SURVEILLANCE: Wording(
        "Infection surveillance",
        ZHANG,
        "{surveillance_summary}",
        (
            "{infection_known} {anc}{anc_ask}",
            "Blood and urine cultures, chest radiograph if febrile, blood count, CRP; consider CMV and CT.",
            "{offers}",
            "{surveillance_reason}",
        ),
        beside=(NO_REASSURANCE,),
        caveat=NOT_VALIDATED,
        shown=(EvidencePart.CRP, EvidencePart.DOSES),
    ),
    CardId.CRS_POSSIBLE_MASKED: Wording(
        "CRS possible, fever may be masked",
        ASTCT,
        "{culture_first}{Low} without current fever: CRS may be masked (would be grade {provisional}); {work_up}",
        (
            "{severe_work_up}{neutropenic} {infection_known} {anc}{anc_ask}",
            "CRS of grade {provisional} is possible: {drivers}. {fever}{late}",
        ),
        beside=("ASTCT gives no grade without fever unless treatment hid it.",),
    ),
    CardId.CRS_GRADE_UNKNOWN: Wording(
        "CRS grade unknown",
        ASTCT,
        "{culture_first}{grade_unknown}: {missing_short}",
        ("{missing}. {not_normal}{provisional_words}",),
        shown=(EvidencePart.GRADE,),
    ),
    CardId.REASSESS_WINDOW: Wording(
        "Reassess after tocilizumab",
        LABEL,
        "CRS {grade}{grade_why}, tocilizumab {since_last}: {better}reassess at {reassess_at}; {then}",
        (
            "{Better}Reassess at {reassess_at}, or at once if CRS worsens; {then}.",
            "{not_used}",
            "The last dose of tocilizumab started {since_last}.",
        ),
    ),
    CardId.GRADE1_SUPPORTIVE: Wording(
        "Grade 1: supportive care",
        ASCO,
        "{grade1_summary}",
        (
            "{measure}{lasting_first}Antipyretics, fluids, look for infection.{il6_sample}",
            "{grade1_drafted}",
            "{fever_lines}",
            "{grade1_known}",
            "{product_lines}",
            "{lasting}",
            "{not_used}",
            "{offers}",
        ),
    ),
    CardId.DATA_QUALITY: Wording(
        "Data that could not be used",
        ASTCT,
        "Data that matter could not be used: {data_short}",
        ("{data_doubts}",),
        shown=(),
    ),
    CardId.CRS_GRADE: Wording(
        "CRS grade",
        ASTCT,
        "{state_summary}",
        ("{state}",),
        shown=(),
        most_words=110,
    ),
}

NO_COURSE_SUMMARY = "No CAR-T infusion found{back_to}: CRS advice is not possible"
NO_COURSE_DETAIL = (
    "{why} No CAR-T infusion that could be used was found in what was read{back_to}. "
    "If this patient had CAR-T cells, grade CRS at the bedside."
)

_NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OVERRIDE_REASONS = (
    OverrideReason("patient-ineligible", _NON_ADHERENCE, "Patient does not meet eligibility for recommended action"),
    OverrideReason("action-completed", _NON_ADHERENCE, "Recommended action was already completed"),
    OverrideReason("indication-order-exists", _NON_ADHERENCE, "Patient has indication/order for intended action"),
    OverrideReason(
        "recipient-disagrees-evidence",
        _NON_ADHERENCE,
        "Recipient disagrees with recommendation because of issues with the evidence",
    ),
)
