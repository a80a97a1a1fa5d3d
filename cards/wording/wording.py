"""The sentences of every card: summary, lead and limits. `compose` fills in the `{names}`.

The parts of a sentence that depend on the patient stand in `cards/sentences/phrases.py`. `shown` lists the evidence
under the text; `study` marks the cards that rest on Zhang 2022.
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
STUDY = (
    "Based on one retrospective study: single centre, B-ALL, n={n}, in-sample cut-off, not validated. "
    "Commercial products, lymphoma, myeloma and children under 13 were not studied."
)
CONFLICT_LOW_IL6 = (
    "Single-centre retrospective signal: severe CRS in 3 of 8 with a small IL-6 rise who got tocilizumab, against "
    "0 of 23 who did not; that comparison group was mostly without CRS. Does not support withholding tocilizumab: "
    "ASCO gives it at this grade whatever the IL-6, and no guideline gates it on an IL-6 rise."
)
NO_WAITING = "Guidelines do not wait for IL-6: do not delay treatment for a result."
FDA = "The FDA indication is severe or life-threatening CRS; use at grade 2 is guideline practice."
INTERVAL = "A further dose is allowed after {t.dose_interval} (the label: 8 h); in the study the interval was 24–48 h."
STUDY_ICANS = "In the study corticosteroids were first-line for neurotoxicity of any grade."
STEROID_RULE = "ASCO adds corticosteroids at grade 2 after one or two doses and at once from grade 3."
BOXED = (
    "The label warns of serious infections, latent tuberculosis and hepatitis B among them, of gastrointestinal "
    "perforation and of liver injury; signs of inflammation may be lessened after tocilizumab."
)
ANTIFUNGAL = "With corticosteroids: antifungal prophylaxis (ASCO)."
NO_REASSURANCE = "After tocilizumab neither a normal temperature nor a low CRP is reassurance."
ICANS = "{icans}"
CAUTION = "{caution}"
CAUTION_BESIDE = "{caution_beside}"
ATTRIBUTABLE = "{fever_first}{attributable}"
NOT_TO_WITHHOLD = "One retrospective study, not validated; no reason to withhold tocilizumab."
NOT_VALIDATED = "One retrospective study, not validated."


@dataclass(frozen=True)
class Wording:
    """The sentences of one card.

    `lead` always stands on it: what to do, what to exclude, what is not known, why. `beside` gives way where the card
    is full. `limits` stand in `explain` and on the course page.
    """

    display: str
    source: CardSource
    summary: str
    lead: tuple[str, ...]
    limits: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    caveat: str = ""
    limits_in_window: tuple[str, ...] = ()  # said before the others, and only inside the study window
    study: str = ""
    shown: tuple[EvidencePart, ...] = (EvidencePart.GRADE, EvidencePart.IL6, EvidencePart.DOSES)
    most_words: int = 80

    @property
    def every_line(self) -> tuple[str, ...]:
        """All that the card may say: on it, or where it is full behind it."""
        caveat = (self.caveat,) if self.caveat else ()
        return (*self.lead, *caveat, *self.beside, *self.limits_in_window, *self.limits)


WORDING: Mapping[CardId, Wording] = {
    CardId.SEVERE_CRS: Wording(
        "Severe cytokine release syndrome",
        ASCO,
        "{severe_summary}",
        (
            "{severe_since} ICU level of care. {severe_do}{il6_sample}{third_line_now}",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        beside=(CAUTION_BESIDE, ICANS, "{Grade}: {drivers}. IL-6 {il6} does not delay treatment."),
        limits_in_window=(NO_WAITING,),
    ),
    CardId.INFECTION_FIRST: Wording(
        "Infection first",
        LABEL,
        "{culture}{toci_drafted}: treat sepsis first; CRS {grade} only if not explained by it",
        (
            "Treat sepsis first: {antibiotics}; repeat cultures, source. {measure}",
            "{infection_known} {anc}",
            "{Grade} ({drivers}) is CRS only if the infection does not explain it. Until then no card suggests "
            "tocilizumab, or a corticosteroid for CRS.",
            "{not_used}",
            "{offers}",
        ),
        beside=(CAUTION_BESIDE, ICANS),
    ),
    CardId.OTHER_CAUSE_FIRST: Wording(
        "Another cause first",
        ASTCT,
        "{culture_first}{other_cause_summary}",
        (
            "{other_cause_do}{icu}",
            "{infection_known} {anc}",
            "{other_cause_why}{coded_crs}",
            "{offers}",
        ),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.STEROID_AFTER_2_TOCI: Wording(
        "Corticosteroid after two doses of tocilizumab",
        ZHANG,
        "CRS {persists} after {doses_given} of tocilizumab ({grade}): {consider}",
        (
            "{Grade} {persists} {since_dose_2} after the second dose of tocilizumab: consider corticosteroids.",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        (
            "The study then considered dexamethasone or methylprednisolone; it gives no regimen, the dose is ASCO's.",
            STEROID_RULE,
        ),
        beside=(ICANS, ANTIFUNGAL),
    ),
    CardId.TOCI_RECOMMENDED: Wording(
        "Tocilizumab recommended",
        ZHANG,
        "CRS {grade} and IL-6 up {il6_fold}: {recommended}{dose}",
        (
            "The study recommends tocilizumab{second}: {grade} ({drivers}), IL-6 at least {t.il6_fold}-fold above "
            "baseline.{no_better}",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        (FDA, INTERVAL),
        beside=(CAUTION_BESIDE, ICANS),
        caveat=NOT_TO_WITHHOLD,
        study="8",
        most_words=100,
    ),
    CardId.STEROID_EARLY_LOW_IL6: Wording(
        "Early corticosteroid at a small IL-6 rise",
        ZHANG,
        "CRS {grade}, IL-6 up only {il6_fold}: {consider_early}; tocilizumab remains guideline care",
        (
            "{guideline_option} {Grade} ({drivers}), IL-6 less than {t.il6_fold}-fold above baseline: the study "
            "recommends corticosteroids in advance.",
            ATTRIBUTABLE,
            "{not_used}",
            "{offers}",
        ),
        (CONFLICT_LOW_IL6, FDA),
        beside=(CAUTION_BESIDE, ICANS),
        caveat=NOT_TO_WITHHOLD,
        study="8",
        most_words=100,
    ),
    CardId.TOCI_GUIDELINE: Wording(
        "Tocilizumab by guideline",
        ASCO,
        "CRS {grade}, IL-6 rise unknown: {by_guideline}{dose}",
        (
            "ASCO gives tocilizumab at grade 2 whatever the IL-6.{no_better}{il6_sample}",
            ATTRIBUTABLE,
            "The IL-6 rise is unknown: {il6_reason}.",
            "{not_used}",
            "{offers}",
        ),
        (NO_WAITING, FDA, INTERVAL),
        beside=(CAUTION_BESIDE, "{Grade}: {drivers}.", ICANS),
    ),
    CardId.TOCI_INTERVAL: Wording(
        "Interval between doses of tocilizumab",
        LABEL,
        "Tocilizumab drafted {counted_last}: at least {t.dose_interval} between dose starts",
        (
            "{counted}. At least {t.dose_interval} are asked for between the starts of two doses (the label: 8 h): "
            "not before {counted_next}.",
            "If CRS worsens before that, corticosteroids do not wait.",
        ),
        (INTERVAL,),
        beside=(CAUTION,),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_MAX_DOSES: Wording(
        "Number of doses of tocilizumab",
        LABEL,
        "Tocilizumab drafted after {counted_number}: at most {t.doses_max} in all and {t.doses_per_day} in "
        "{t.doses_day}",
        (
            "{counted}. At most {t.doses_max} doses in all (the label: 4) and {t.doses_per_day} in {t.doses_day} "
            "(protocols: 3). Corticosteroids. {third_line}",
        ),
        beside=(CAUTION,),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_CAUTION: Wording(
        "Hypersensitivity to tocilizumab",
        LABEL,
        "Tocilizumab drafted: hypersensitivity to tocilizumab is on record",
        (
            "Hypersensitivity to tocilizumab is on record ({allergy}). Known hypersensitivity is the contraindication "
            "of the label. Protocols then use siltuximab or anakinra. {third_line}",
        ),
        (BOXED,),
        beside=(CAUTION,),
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
            "{zero} Tocilizumab is for CRS: check the indication.{no_crs_icans}",
            "{before_fever}",
        ),
        beside=(ICANS,),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.ICANS_STEROID: Wording(
        "ICANS by grade",
        ASCO,
        "ICANS {icans_grade}: {icans_do}",
        (
            "{icans_care}{icans_early}",
            "{icans}{culture_line}",
            "{icans_and_crs}",
            "{offers}",
        ),
        (STUDY_ICANS,),
        beside=(ANTIFUNGAL,),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_DOSE_CHECK: Wording(
        "Dose of the drafted tocilizumab",
        LABEL,
        "Tocilizumab drafted: {dose_fault}",
        (
            "{dose_faults}",
            "By weight: {label_dose}; once, intravenously over 60 minutes, from the age of {t.toci_min_age} years.",
            "{offers}",
        ),
        ("The label: 8 mg/kg from 30 kg, 12 mg/kg below, at most 800 mg.",),
        beside=(CAUTION,),
        shown=(EvidencePart.DOSES,),
    ),
    CardId.INFECTION_SURVEILLANCE: Wording(
        "Infection surveillance",
        ZHANG,
        "{surveillance_summary}",
        (
            "{infection_known} {anc}",
            "Blood and urine cultures, chest radiograph if febrile, blood count, CRP; consider CMV and CT.",
            "{offers}",
        ),
        ("{surveillance_why}",),
        beside=("{surveillance_reason}", NO_REASSURANCE),
        caveat=NOT_VALIDATED,
        study="40",
        shown=(EvidencePart.CRP, EvidencePart.DOSES),
    ),
    CardId.CRS_POSSIBLE_MASKED: Wording(
        "CRS possible, fever may be masked",
        ASTCT,
        "{culture_first}{low} without current fever: CRS may be masked (would be grade {provisional})",
        (
            "{drivers}. {fever} ASTCT gives no grade without fever unless treatment hid it: CRS of grade "
            "{provisional} is possible.{late}",
            "{severe_work_up} {infection_known} {anc}",
        ),
        (NO_REASSURANCE,),
    ),
    CardId.CRS_GRADE_UNKNOWN: Wording(
        "CRS grade unknown",
        ASTCT,
        "{culture_first}{grade_unknown}: {missing_short}",
        (
            "{missing}.{provisional_words}",
            "{not_normal}",
        ),
        shown=(EvidencePart.GRADE,),
    ),
    CardId.REASSESS_WINDOW: Wording(
        "Reassess after tocilizumab",
        LABEL,
        "CRS {grade}, tocilizumab {since_last}: {better}reassess at {reassess_at}; {then}",
        (
            "{Better}Reassess at {reassess_at}, or at once if CRS worsens; {then}.",
            "{not_used}",
            "{Grade}: {drivers}. The last dose of tocilizumab started {since_last}.",
        ),
        (STEROID_RULE,),
    ),
    CardId.GRADE1_SUPPORTIVE: Wording(
        "Grade 1: supportive care",
        ASCO,
        "{grade1_summary}",
        (
            "{measure}{Grade}: {fever_alone}. Antipyretics, fluids, look for infection.{il6_sample}",
            "{fever_lines}",
            "{grade1_known}",
            "{product_lines}",
            "{lasting}",
            "{not_used}",
            "{offers}",
        ),
        ("The study's threshold for tocilizumab is grade 2; at grade 1 its duration was the same with and without.",),
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
        (NO_REASSURANCE,),
        shown=(),
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
