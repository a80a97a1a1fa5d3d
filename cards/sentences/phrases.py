"""The parts of a card's sentences that depend on the patient: each ⟨part⟩ with all the ways in which it can read.

`{t.…}` is the threshold in force; the other `{names}` are the patient's values.
"""

from __future__ import annotations

from collections.abc import Mapping

PHRASES: Mapping[str, Mapping[str, str]] = {
    "severe_what": {
        "now": "tocilizumab and corticosteroids now; {delay}",
        "barred": "corticosteroids now; {barred}",
        "late": "outside the study window, look for infection first",
    },
    "delay": {"low": "IL-6 low does not delay", "other": "IL-6 must not delay"},
    "severe_do": {
        "now": "Tocilizumab and a corticosteroid now ({regimen}); rapid taper once CRS settles.",
        "barred": "A corticosteroid now ({regimen}); rapid taper once CRS settles.",
    },
    "regimen": {
        "adult": "dexamethasone {t.dexamethasone_dose} mg IV every {t.dexamethasone_every_severe}",
        "strongest": "methylprednisolone {t.methylprednisolone_dose} mg IV every {t.methylprednisolone_every}",
        "child": "per paediatric protocol",
        "age unknown": "dose by age",
    },
    "barred": {
        "hypersensitivity": "hypersensitivity to tocilizumab on record",
        "interval": "tocilizumab not before {opens}",
        "number": "{number} doses of tocilizumab given: third line",
        "day": "{number} doses of tocilizumab in {t.doses_day}",
        "under age": "no dose of tocilizumab below {t.toci_min_age} years",
    },
    "recommended": {"yes": "tocilizumab recommended", "barred": "recommended, but {barred}"},
    "by_guideline": {"yes": "tocilizumab by guideline", "barred": "by guideline, but {barred}"},
    "guideline_option": {
        "open": "Tocilizumab is the guideline option; either, or both.",
        "barred": "Tocilizumab, the guideline option: {barred}.",
    },
    "then": {
        "first": "then a second dose if it persists",
        "second": "then corticosteroids if it persists",
        "allergic": "no further dose, hypersensitivity to tocilizumab on record: corticosteroids if it persists",
    },
    "product_gives": {
        "open": "product guidance gives tocilizumab earlier than at grade 2",
        "allergic": "product guidance names tocilizumab, but hypersensitivity is on record",
    },
    "persists": {"no": "persists", "progressed": "has progressed"},
    "late": {"no": "", "yes": " Late after the last fever: infection, bleeding, heart first."},
    "severe_work_up": {"severe": "ICU and sepsis work-up now.", "other": "Look for infection and other causes."},
    "provisional_words": {"none": "", "some": " What is charted would be grade {provisional} if this is CRS."},
    "grade_unknown": {
        "zero": "CRS grade 0 on what could be read",
        "minimum": "CRS {grade}, and may be higher",
        "provisional": "CRS cannot be graded (would be grade {provisional})",
        "none": "CRS cannot be graded",
    },
    "fever_alone": {
        "known": "fever without hypotension or hypoxia on record",
        "unknown": "fever; {unknown} not known",
    },
    "zero": {
        "earlier": "No fever now, no hypotension, no hypoxia. This does not mean that CRS has ended.",
        "suppressed": "No currently gradeable CRS; fever may be suppressed. This does not mean that CRS has ended.",
        "both": "Hypotension and hypoxia without fever: not CRS by ASTCT – look for another cause.",
        "hypotension": "Hypotension without fever: not CRS by ASTCT – look for another cause.",
        "hypoxia": "Hypoxia without fever: not CRS by ASTCT – look for another cause.",
        "nothing": "No fever, no hypotension, no hypoxia on record.",
    },
    "crp_words": {
        "before": "rose {fold} (limit {t.crp_fold}; the study's: 1.83)",
        "after": "rose {fold} after tocilizumab, which is not the paper's definition of a rise",
        "unknown": "rose",
    },
    "product_why": {
        "early": "fever began {hours} after the infusion",
        "early, by date": "fever began at most {hours} after the infusion, which is known by date only",
        "lasting": "fever of grade 1 for {hours}",
        "unknown": "",
    },
    "grade1_threshold": {
        "study": "the study threshold for tocilizumab is grade 2",
        "product": "see product guidance",
    },
    "grade1_tocilizumab": {
        "study": "The study's threshold for tocilizumab is grade 2; at grade 1 its duration was the same with and "
        "without.",
        "product": "The study's threshold for tocilizumab is grade 2, but see product guidance.",
    },
    "icans_dose": {
        "adult": "Dexamethasone {t.dexamethasone_dose} mg every {t.dexamethasone_every_severe}, up to 20 mg, for 1–3 "
        "days (PMC10573998).",
        "strongest": "With CRS of this grade the methylprednisolone of CRS counts for both.",
        "child": "Dose per paediatric protocol.",
        "age unknown": "The dose is by age, which is not known.",
    },
    "icans": {
        "known": "ICANS grade {icans} ({charted}).",
        "zero": "ICANS grade {icans} or more ({charted}): an ICE score of 0 is at least grade 3.",
        "least": "ICANS grade {icans} or more ({charted}): a score or grade of this time could not be read.",
        "unknown": "ICANS is unknown: chart ICE; do not delay treatment.",
        "why": "ICANS is unknown ({why}): chart ICE; do not delay treatment.",
    },
    "icans_coded": {
        "none": "",
        "higher": " A recent diagnosis says more: {coded}. Check ICE.",
    },
    "icans_first": {
        "one": "isolated ICANS of grade 1 is usually supportive care in guidelines",
        "more": "guidelines give them from grade 2 on",
    },
    "caution_short": {
        "allergic": "hypersensitivity to tocilizumab is on record",
        "infected": "a culture, PCR or diagnosis of infection to weigh",
        "none": "",
    },
    "caution_lead": {
        "allergic": "Hypersensitivity to tocilizumab is on record ({reference}). Known hypersensitivity is the "
        "contraindication of the label.",
        "infected": "Look for infection and treat it; in CRS the benefit is weighed against it.",
        "none": "",
    },
    "caution": {
        "allergic": "Hypersensitivity to tocilizumab is on record ({reference}).",
        "beyond": "Caution: {values}. In CRS the benefit is weighed against these limits of the label.",
        "infected": "Infection to weigh: {signs}.",
        "not known": "No result of {t.safety_labs_age}: {values}.",
        "unreadable": "A result that could not be read: {values}.",
        "unread": "Could not be read: {kinds}.",
        "clear": "ANC, platelets, ALT and AST are within the label's limits; no infection is found in what is read.",
    },
    "dose_fault": {
        "under age": "below {t.toci_min_age} years of age, where the label gives no dose",
        "route": "the route is not intravenous",
        "maximum": "{dose} is more than {t.toci_max} mg, the most for one dose (the label: 800 mg)",
        "tier": "{dose} is the dose of the other weight tier; by weight it is {by_weight}",
        "off": "{dose} is more than {percent} % off; by weight it is {by_weight}",
        "no weight": "no weight of the last {t.weight_age}: the dose cannot be checked",
        "weight unread": "the weight could not be read: the dose cannot be checked",
        "differs": "its dose is stated in ways that differ: {ways}; it was not checked",
        "not readable": "its dose could not be read{said}, so it was not checked",
        "repeats": "it is ordered to repeat; tocilizumab is given one dose at a time",
    },
    "neutrophils": {
        "known": "ANC {count} ×10⁹/L",
        "unknown": "no neutrophil count of {t.safety_labs_age}",
    },
    "extra": {
        "neutropenic": "Neutropenic fever: cultures and empirical antibiotics now ({neutrophils}).",
        "perhaps neutropenic": "If neutropenic ({neutrophils}): neutropenic fever, cultures and empirical "
        "antibiotics now.",
        "orders unread": "Could not be read: active orders. What is suggested here may be ordered already.",
        "under study age": "The study included patients from {t.study_min_age} years of age.",
        "ventilated": "Ventilated: confirm that it is for hypoxia. Intubation to protect the airway, or for a "
        "procedure, is by itself no grade 4 (unconfirmed).",
        "paediatric limit": "The paediatric limit (PALS) lies below the 5th centile above {t.pals_low_above} years.",
        "outside window": "{Grade}: {drivers}. ICU level of care. Outside the study window (day {day}): look for "
        "infection first. No order for CRS is suggested.",
    },
    "doubt": {
        "pressor_ordered_not_charted": "A vasopressor infusion is ordered and not yet charted.",
        "pressor_stale": "Grade: a vasopressor was charted long ago and not stopped.",
        "pressor_on_hold": "Grade: a vasopressor is on hold.",
        "oxygen_stale": "Grade: the oxygen device was charted long ago.",
        "oxygen_unread": "Grade: an oxygen device was not recognised: {text}.",
        "flow_unknown": "Grade: a nasal cannula has no flow charted.",
        "progress": "Grade: whether CRS progressed since the second dose of tocilizumab cannot be told.",
        "history": "The medication administrations could not all be read: earlier doses may be missing.",
        "verdict": "{analyte}: {reason}.",
        "baseline": "{analyte}: the baseline was taken {tier}, not on day 0 before it.",
        "icans": "ICANS: {reference} could not be read ({why}).",
        "icans coded": "ICANS: a recent diagnosis says more than what was charted: {coded}.",
        "set aside": "Set aside: {reference} ({why}).",
        "not identified": "{reference}: {why}.",
        "dose differs": "The dose of {drug} ({reference}) is stated in ways that differ: {ways}.",
        "drug": "A drafted drug could not be identified: interval, dose and caution checks were not done on it.",
        "second_infusion": "More than one infusion in this course: outside the study population.",
    },
    "no_tocilizumab": {
        "hypersensitivity": "No tocilizumab order: hypersensitivity to tocilizumab is on record.",
        "interval": "No tocilizumab order before {opens}: at least {t.dose_interval} between dose starts.",
        "number": "No tocilizumab order: {number} doses given, at most {t.doses_max} in all.",
        "day": "No tocilizumab order: {number} doses in {t.doses_day}, at most {t.doses_per_day}.",
        "history": "No tocilizumab order: the administrations could not all be read, so earlier doses may be missing.",
        "age unknown": "No tocilizumab order: the age is not known, so no dose is computed.",
        "under age": "No tocilizumab order: below the age of {t.toci_min_age} years the label gives no dose.",
        "no weight": "No tocilizumab order: no weight of the last {t.weight_age} on record. Weigh the patient.",
        "weight unread": "No tocilizumab order: the weight could not be read. Weigh the patient.",
    },
    "not_corrected": {
        "counted": "The draft is not corrected: another dose or order counts before it.",
        "two doses": "The draft is not corrected: two doses were given, CRS is grade 1 or 2.",
        "no indication": "The draft is not corrected: check first whether tocilizumab is meant.",
        "late": "The draft is not corrected: outside the study window no order is suggested.",
        "route": "The draft is not corrected: for CRS write a new order, intravenous.",
        "elsewhere": "The draft cannot be corrected from here.",
    },
    "order": {
        "toci drafted": "Tocilizumab is drafted.",
        "not compared": " Not compared with its dose: {ways}.",
        "toci ordered": "Tocilizumab is ordered{at}, not yet charted.",
        "tier": "At {kg} kg the dose tier is near: it changes at {t.toci_light_below} kg.",
        "steroid drafted": "A systemic corticosteroid is drafted.",
        "steroid ordered": "A corticosteroid is ordered{at}, not yet charted.",
        "steroid running": "{drug} is running ({at}).",
        "steroid running child": "{drug} is running ({at}; its limit below adult age is unconfirmed).",
        "lesser": "Not counted as this regimen: {named}.",
        "dose unread": '{steroid} (its dose could not be read: "{ways}")',
        "dose differs": "{steroid} (its dose is stated in ways that differ: {ways})",
        "above": "{label}: see the card above.",
        "test ordered": "{name}: ordered.",
        "test done": "{name}: done in the last {t.done_recently}.",
    },
    "state": {
        "late": "Day {day}: the study's rules end at day {t.study_days} after the infusion. Look for infection first.",
        "coded": "**Coded** {codes}: a claim that differs from this grade.",
        "numbers": "**Numbers of this site**: {numbers}.",
        "held": "**Dismissed by you** at {at}, and nothing changed since: {number} ({cards}).",
        "off": "**Switched off at this site**, though their rule is met: {cards}.",
        "unread": "**Could not be read**: {kinds}.",
        "set aside": "**Set aside**: {resources}{more}.",
    },
    "no_steroid": {
        "age unknown": "The age is not known, so no corticosteroid dose is computed.",
        "child": "Corticosteroid per paediatric protocol: no dose is computed below {t.adult_age} years.",
    },
}  # fmt: skip


def phrase(part: str, variant: str, **values: object) -> str:
    """One way in which a part can read, with its values filled in."""
    return PHRASES[part][variant].format(**values)
