"""The basis of each card, the limits of that, and its sources: the page `/evidence`, the page to sign and the answers
are made from this table. Numbers of a site do not stand here; the page to sign has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cards.deciding.decision_table import CardId
from cards.evidence.sources import SourceId


@dataclass(frozen=True)
class CardEvidence:
    """The evidence of one card. `rests_on` and `limits` are whole sentences; the first of `sources` weighs most."""

    rests_on: tuple[str, ...]
    limits: tuple[str, ...]
    sources: tuple[SourceId, ...]


STUDY_LIMITS = (
    "One retrospective study of one centre in B-ALL: the limit was found in the same patients, and nobody has "
    "validated it elsewhere. Commercial products, lymphoma, myeloma and children under 13 were not studied.",
    "The limits of IL-6 and CRP are best cuts of CRS against no CRS, used afterwards to tell who gains from "
    "tocilizumab. The paper names no assay, detection limit or sampling interval.",
)
GRADE_LIMITS = (
    "The consensus gives no number for hypotension and none for hypoxia. The limits used here are those of the page to "
    "sign, and a mean pressure below 65 mmHg is taken from sepsis care, not from the consensus.",
    "The grade is worked out from the record. What is missing there is not normal: it leaves the grade unknown or a "
    "minimum.",
)
FDA_INDICATION = "The FDA's indication is severe or life-threatening CRS; use at grade 2 is guideline practice."
FURTHER_DOSES = "A further dose is allowed after eight hours (the label); in the study the interval was 24 to 48 hours."
NOT_FOR_REASSURANCE = "After tocilizumab neither a normal temperature nor a low CRP is reassurance."
TWO_VERSIONS = (
    "As the study quotes NCCN: after axicabtagene or brexucabtagene, tocilizumab at once when CRS begins within 72 "
    "hours. As the labels of lisocabtagene and idecabtagene are quoted elsewhere: consider tocilizumab when CRS "
    "begins within 72 hours. The study may have the rule with the wrong products; both versions stand here until a "
    "clinician has read the labels."
)

CARD_EVIDENCE: Mapping[CardId, CardEvidence] = {
    CardId.SEVERE_CRS: CardEvidence(
        (
            "Grade 3–4 by the ASTCT consensus. ASCO and the label give tocilizumab with corticosteroids at once; the "
            "study calls tocilizumab the corner stone of severe CRS.",
            "ASCO: at grade 3 dexamethasone 10 mg every 6 hours, at grade 4 methylprednisolone 500 mg every 12 hours.",
        ),
        (
            "IL-6 has no part in it, and no result is waited for.",
            "After day 30 the card carries no order: CRS this late was not studied, and infection comes first.",
            *GRADE_LIMITS,
        ),
        (SourceId.ASCO, SourceId.LABEL, SourceId.ASTCT, SourceId.ZHANG),
    ),
    CardId.INFECTION_FIRST: CardEvidence(
        (
            "A positive blood culture of the last 72 hours. The label warns of tocilizumab during an active infection, "
            "and the consensus asks that fever has no other cause.",
        ),
        (
            "No one here tells a contaminant from a bacteraemia; that is judged at the bedside.",
            "Only texts of results that are recognised as negative count as negative.",
        ),
        (SourceId.LABEL, SourceId.ASTCT, SourceId.WORK_UP),
    ),
    CardId.OTHER_CAUSE_FIRST: CardEvidence(
        (
            "CRS begins with fever that has no other cause. Low pressure or oxygen without fever is not CRS by the "
            "consensus: sepsis, bleeding, the heart and embolism come first.",
            "CRS that begins after the study's 30 days is rare.",
        ),
        ("Fever that was treated elsewhere, or charted elsewhere, is not seen.", *GRADE_LIMITS),
        (SourceId.ASTCT,),
    ),
    CardId.STEROID_AFTER_2_TOCI: CardEvidence(
        (
            "The study considered dexamethasone or methylprednisolone when symptoms persisted or progressed after two "
            "doses of tocilizumab. ASCO adds corticosteroids at grade 2 after one or two doses.",
        ),
        (
            "The study gives no regimen, only a cumulative dose; the dose offered is ASCO's.",
            "How long symptoms must persist is not said anywhere; eight hours are this service's choice.",
            STUDY_LIMITS[0],
        ),
        (SourceId.ZHANG, SourceId.ASCO),
    ),
    CardId.ICANS_STEROID: CardEvidence(
        (
            "Treatment by the grade of ICANS as ASCO gives it; grade 4 with methylprednisolone 1,000 mg a day also "
            "by a second publication. With CRS at the same time ASCO adds tocilizumab.",
            "In the study corticosteroids were the first drugs for neurotoxicity of any grade.",
        ),
        (
            "Tocilizumab is not for isolated ICANS.",
            "No standard code for an ICE score or an ICANS grade could be found. Without a code of the site's own "
            "ICANS is known from a diagnosis only.",
            "In the study six patients had ICANS, three of them before the first dose; all six got tocilizumab.",
        ),
        (SourceId.ASCO, SourceId.ICANS_METHYLPREDNISOLONE, SourceId.ZHANG),
    ),
    CardId.TOCI_INTERVAL: CardEvidence(
        ("The label: at least eight hours between two doses.",),
        (
            "In the study the interval was 24 to 48 hours.",
            "Doses of another hospital, and those that nobody wrote down, are not known.",
        ),
        (SourceId.LABEL, SourceId.ZHANG),
    ),
    CardId.TOCI_MAX_DOSES: CardEvidence(
        ("The label: at most four doses in all. Protocols after ASCO: at most three in 24 hours.",),
        ("Doses of another hospital, and those that nobody wrote down, are not known.",),
        (SourceId.LABEL, SourceId.ASCO),
    ),
    CardId.TOCI_CAUTION: CardEvidence(
        ("Known hypersensitivity is the contraindication of the label. Protocols then use siltuximab or anakinra.",),
        (
            "Low counts and raised transaminases are limits of the label's other indications. CRS patients usually "
            "have them; they are named and block nothing.",
            "The label also warns of serious infections, latent tuberculosis and hepatitis B among them, of "
            "gastrointestinal perforation and of liver injury.",
            "An allergy that is recorded as text alone may not be recognised.",
        ),
        (SourceId.LABEL, SourceId.LABEL_OF_OTHERS),
    ),
    CardId.STEROID_CHECK: CardEvidence(
        (
            "One regimen at a time: a corticosteroid that is given, infusing, ordered or drafted meets the need of the "
            "drafted one. Doses count as running by their equivalent of dexamethasone 10 mg.",
        ),
        (
            "The most for one dose is this service's choice; below 18 years it is unconfirmed.",
            "Doses that are charted elsewhere are not seen.",
        ),
        (SourceId.ASCO,),
    ),
    CardId.TOCI_RECOMMENDED: CardEvidence(
        (
            "The study recommends tocilizumab at ASTCT grade 2 when IL-6 rose to at least four times the baseline. "
            "ASCO gives it at grade 2 whatever the IL-6.",
            "With a rise of fourfold or more severe CRS was 2 of 24 with tocilizumab and 1 of 12 without "
            "(reconstructed from the paper's counts); CRS lasted 5 against 8 days (p=0.06).",
        ),
        (
            "The paper says both 'less than fourfold' and 'more than four times'; a rise of exactly four counts as "
            "high, on the side of the guideline.",
            "The p-value of the duration at grade 2 (0.0004) cannot come from the test and the numbers that the paper "
            "names.",
            FURTHER_DOSES,
            "Doses of 160 to 800 mg were given; 160 mg is below the label's dose for an adult. The dose offered is the "
            "label's.",
            FDA_INDICATION,
            *STUDY_LIMITS,
        ),
        (SourceId.ZHANG, SourceId.ASCO, SourceId.LABEL),
    ),
    CardId.STEROID_EARLY_LOW_IL6: CardEvidence(
        (
            "The study recommends corticosteroids in advance at grade 2 when IL-6 rose less than fourfold: severe "
            "CRS in 3 of 8 with tocilizumab against 0 of 23 without (Fisher p=0.0125, reconstructed).",
        ),
        (
            "It does not support withholding tocilizumab: ASCO gives it at this grade whatever the IL-6, and no "
            "guideline gates it on an IL-6 rise. Tocilizumab stands first among the orders.",
            "At least 11 of the 23 had no CRS at all. Against patients with CRS the best that can be reached is 3 of 8 "
            "against 0 of 12 (p=0.049). With one event fewer, 2 of 8, p is 0.060.",
            "Among those who got tocilizumab, a small rise against a large one is 3 of 8 against 2 of 24 (p=0.085). "
            "The 95 % interval of 3 of 8 is 8.5 to 75.5 %.",
            "The study says 'in advance', never 'instead of', and gives no regimen.",
            FDA_INDICATION,
            *STUDY_LIMITS,
        ),
        (SourceId.ZHANG, SourceId.ASCO),
    ),
    CardId.TOCI_GUIDELINE: CardEvidence(
        (
            "ASCO gives tocilizumab at grade 2 whatever the IL-6. An unknown IL-6 rise changes nothing, and no "
            "result is waited for.",
        ),
        (
            "A sample after tocilizumab is of no use for the rise: the drug itself raises IL-6 in blood.",
            FURTHER_DOSES,
            FDA_INDICATION,
            *GRADE_LIMITS,
        ),
        (SourceId.ASCO, SourceId.LABEL),
    ),
    CardId.INFECTION_SURVEILLANCE: CardEvidence(
        (
            "The study asks for strict monitoring of infection after tocilizumab: severe infection in 11 of 23 with "
            "a CRP rise above 1.83-fold against 2 of 17 below it (Fisher p=0.0204, reconstructed).",
            "The work-up is ASCO's and that of a published table. An infection on record is a reason of its own.",
        ),
        (
            "With one infection more in the low group, 3 of 17, p is 0.092.",
            "An IL-6 blocker hides the signs of infection, and the onset of CRS is often indistinguishable from it.",
            NOT_FOR_REASSURANCE,
            "Results are read from the record only, and a result that is not recognised as negative counts as an "
            "infection.",
            *STUDY_LIMITS,
        ),
        (SourceId.ZHANG, SourceId.ASCO, SourceId.WORK_UP, SourceId.LABEL),
    ),
    CardId.CRS_POSSIBLE_MASKED: CardEvidence(
        (
            "After antipyretics, corticosteroids or IL-6 blockers the consensus no longer asks for fever, once it was "
            "there. Where it was never seen because of such a drug, nobody can say.",
        ),
        (
            "Seventy-two hours without a sign of CRS end that waiver here; the consensus states no time.",
            NOT_FOR_REASSURANCE,
            *GRADE_LIMITS,
        ),
        (SourceId.ASTCT,),
    ),
    CardId.CRS_GRADE_UNKNOWN: CardEvidence(
        ("A grade needs temperature, blood pressure and oxygen. One of them is missing, so there is no grade.",),
        GRADE_LIMITS,
        (SourceId.ASTCT,),
    ),
    CardId.NO_CRS: CardEvidence(
        (
            "Tocilizumab is for CRS; at grade 0 there is none to treat. Both sides of the literature on tocilizumab "
            "before CRS are told: ICANS of grade 3 or more in 41 % against 28 %, severe CRS in 3 % against 13 %.",
        ),
        ("Grade 0 does not mean that CRS has ended: fever may be suppressed.", *GRADE_LIMITS),
        (SourceId.ASTCT, SourceId.EARLY_TOCILIZUMAB),
    ),
    CardId.TOCI_DOSE_CHECK: CardEvidence(
        (
            "The label: 8 mg/kg from 30 kg, 12 mg/kg below, at most 800 mg, intravenously over 60 minutes, from the "
            "age of two years.",
        ),
        (
            "The dose rests on a charted weight. An implausible one is not used, and the dose is then not checked.",
            "That the subcutaneous form is not approved for CRS is taken from secondary sources.",
        ),
        (SourceId.LABEL,),
    ),
    CardId.REASSESS_WINDOW: CardEvidence(
        ("The label's eight hours between two doses; ASCO's corticosteroids after one or two doses.",),
        ("In the study the interval was 24 to 48 hours.",),
        (SourceId.LABEL, SourceId.ASCO),
    ),
    CardId.GRADE1_SUPPORTIVE: CardEvidence(
        (
            "ASCO: supportive care at grade 1, and as grade 2 when fever lasts more than three days. In the study "
            "grade 1 lasted as long with tocilizumab as without.",
            TWO_VERSIONS,
            "No new CRS was seen after day 14 in 475 patients after axicabtagene, tisagenlecleucel or lisocabtagene.",
        ),
        (
            "The lines on a product are unconfirmed until a clinician has read its label.",
            "A paediatric dose of a corticosteroid is not computed.",
            *GRADE_LIMITS,
        ),
        (SourceId.ASCO, SourceId.ZHANG, SourceId.PRODUCT_LABELS, SourceId.LATE_CRS),
    ),
    CardId.DATA_QUALITY: CardEvidence(
        ("Something on record could not be used, and another value would change the cards.",),
        ("What was charted elsewhere, or in words that are not recognised, is not seen.",),
        (SourceId.ASTCT,),
    ),
    CardId.CRS_GRADE: CardEvidence(
        (
            "The ASTCT grade is the more severe of pressure and oxygen, with fever. Organ toxicity does not change it.",
            "Folds are peak ÷ baseline. IL-6 after the first IL-6 blocker is not used, because the blocked receptor "
            "lets it rise.",
            "For children the lowest systolic pressure by age; above 12 years it lies below the fifth centile.",
        ),
        (
            "Where the study's wording and the consensus differ, the consensus counts: norepinephrine with "
            "vasopressin is grade 3.",
            NOT_FOR_REASSURANCE,
            *GRADE_LIMITS,
        ),
        (SourceId.ASTCT, SourceId.PALS, SourceId.ZHANG),
    ),
}
