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


@dataclass(frozen=True)
class Wording:
    display: str
    source: CardSource
    summary: str
    lead: tuple[str, ...]
    limits: tuple[str, ...] = ()
    limits_in_window: tuple[str, ...] = ()  # said before the others, and only inside the study window
    study: str = ""
    shown: tuple[EvidencePart, ...] = (EvidencePart.GRADE, EvidencePart.IL6, EvidencePart.DOSES)


WORDING: Mapping[CardId, Wording] = {
    CardId.SEVERE_CRS: Wording(
        "Severe cytokine release syndrome",
        ASCO,
        "{severe_summary}",
        (
            "{Grade}: {drivers}. {severe_since} ICU level of care. {severe_do}",
            ATTRIBUTABLE,
            "IL-6 {il6} does not delay treatment.{il6_sample}{third_line_now}",
            "{offers}",
        ),
        (ICANS, CAUTION_BESIDE),
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
            "{offers}",
        ),
        (ICANS, CAUTION_BESIDE),
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
            "{Grade} {persists} {since_dose_2} after the second dose of tocilizumab. The study then considered "
            "dexamethasone or methylprednisolone; it gives no regimen, the dose here is ASCO's.",
            ATTRIBUTABLE,
            "{offers}",
        ),
        (STEROID_RULE, ICANS, ANTIFUNGAL),
    ),
    CardId.TOCI_RECOMMENDED: Wording(
        "Tocilizumab recommended",
        ZHANG,
        "CRS {grade} and IL-6 up {il6_fold}: {recommended}{dose}",
        (
            "{Grade} ({drivers}) and IL-6 at least {t.il6_fold}-fold above baseline (the study's limit: 4): "
            "the study recommends tocilizumab{second}.{no_better}",
            ATTRIBUTABLE,
            "{offers}",
        ),
        (FDA, INTERVAL, ICANS, CAUTION_BESIDE),
        study="8",
    ),
    CardId.STEROID_EARLY_LOW_IL6: Wording(
        "Early corticosteroid at a small IL-6 rise",
        ZHANG,
        "CRS {grade}, IL-6 up only {il6_fold}: {consider_early}; tocilizumab remains guideline care",
        (
            "{Grade} ({drivers}) and IL-6 less than {t.il6_fold}-fold above baseline (the study's limit: 4). "
            "The study recommends corticosteroids in advance. {guideline_option}",
            ATTRIBUTABLE,
            "{offers}",
        ),
        (CONFLICT_LOW_IL6, FDA, ICANS, CAUTION_BESIDE),
        study="8",
    ),
    CardId.TOCI_GUIDELINE: Wording(
        "Tocilizumab by guideline",
        ASCO,
        "CRS {grade}, IL-6 rise unknown: {by_guideline}{dose}",
        (
            "{Grade} ({drivers}). The IL-6 rise is unknown: {il6_reason}. ASCO gives tocilizumab at grade 2 whatever "
            "the IL-6.{no_better}{il6_sample}",
            ATTRIBUTABLE,
            "{offers}",
        ),
        (NO_WAITING, FDA, INTERVAL, ICANS, CAUTION_BESIDE),
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
        (INTERVAL, CAUTION),
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
        (CAUTION,),
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
        (CAUTION, BOXED),
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
        (ICANS,),
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
        (STUDY_ICANS, ANTIFUNGAL),
        shown=(EvidencePart.GRADE, EvidencePart.DOSES),
    ),
    CardId.TOCI_DOSE_CHECK: Wording(
        "Dose of the drafted tocilizumab",
        LABEL,
        "Tocilizumab drafted: {dose_fault}",
        (
            "{dose_faults}",
            "By weight: {label_dose}; once, intravenously over 60 minutes, from the age of {t.toci_min_age} years. "
            "The label: 8 mg/kg from 30 kg, 12 mg/kg below, at most 800 mg.",
            "{offers}",
        ),
        (CAUTION,),
        shown=(EvidencePart.DOSES,),
    ),
    CardId.INFECTION_SURVEILLANCE: Wording(
        "Infection surveillance",
        ZHANG,
        "{surveillance_summary}",
        (
            "{infection_known} {anc}",
            "Blood and urine cultures, chest radiograph if febrile, blood count, CRP; consider CMV and CT.",
            "{surveillance_why}",
            "{offers}",
        ),
        (NO_REASSURANCE,),
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
            "{Grade}: {drivers}. {Better}The last dose of tocilizumab started {since_last}. Reassess at {reassess_at}, "
            "or at once if CRS worsens; {then}.",
        ),
        (STEROID_RULE,),
    ),
    CardId.GRADE1_SUPPORTIVE: Wording(
        "Grade 1: supportive care",
        ASCO,
        "{grade1_summary}",
        (
            "{measure}{Grade}: {fever_alone}. Antipyretics, fluids, look for infection. The study's "
            "threshold for tocilizumab is grade 2; at grade 1 its duration was the same with and without."
            "{il6_sample}",
            "{fever_lines}",
            "{grade1_known}",
            "{product_lines}",
            "{lasting}",
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
