"""The parts of a card's sentences that depend on the patient: each ⟨part⟩ with all the ways in which it can read.

`{t.…}` is the threshold in force; the other `{names}` are the patient's values.
"""

from __future__ import annotations

from collections.abc import Mapping

PHRASES: Mapping[str, Mapping[str, str]] = {
    "severe_what": {
        "now": "tocilizumab and corticosteroids now; {delay}",
        "barred": "corticosteroids now; {barred}",
        "now, given": "tocilizumab now; {given}; {delay}",
        "barred, given": "{given}; {barred}",
        "late": "outside the study window, look for infection first",
    },
    "delay": {"low": "IL-6 low does not delay", "other": "IL-6 must not delay"},
    "severe_do": {
        "now": "Tocilizumab and a corticosteroid now ({regimen}); rapid taper once CRS settles.",
        "barred": "A corticosteroid now ({regimen}); rapid taper once CRS settles.",
        "now, given": "{Given}. Tocilizumab now. Regimen: {regimen}; rapid taper once CRS settles.",
        "barred, given": "{Given}. Regimen: {regimen}; rapid taper once CRS settles.",
    },
    "regimen": {
        "adult": "{drug} {mg} mg IV {often}",
        "child": "per paediatric protocol",
        "age unknown": "dose by age",
    },
    "consider": {"none": "consider corticosteroids", "given": "{given}"},
    "consider_early": {"none": "consider early corticosteroids", "given": "{given}"},
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
        "no fever": "No fever, not CRS on what could be read",
        "minimum": "CRS {grade}, and may be higher",
        "provisional": "CRS cannot be graded (would be grade {provisional})",
        "none": "CRS cannot be graded",
    },
    "not_normal": {
        "absent": "What is not on record is not normal: chart it, or judge at the bedside.",
        "not used": "What could not be used is not normal: correct the record, or judge at the bedside.",
    },
    "fever": {
        "not used": "temperature in the window could not be used",
        "not excluded": "earlier fever cannot be excluded, temperatures could not all be read",
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
    "icans_do": {
        "grade 1": "supportive care, ICE every 8 h",
        "grade 2": "{dose}, then reassess",
        "grade 3": "ICU, {dose}, imaging, EEG",
        "grade 4": "ICU and airway, {dose}, imaging at once",
    },
    "icans_care": {
        "grade 1": "Supportive care, ICE every 8 h, aspiration precautions.",
        "grade 2": "{Dose}, then reassess. Neurology, EEG, imaging; ICE every 8 h, aspiration precautions.",
        "grade 3": "ICU level of care. {Dose}. Neurology, imaging, EEG; aspiration precautions.",
        "grade 4": "ICU level of care, secure the airway. {Dose}. Imaging at once, EEG, neurology.",
    },
    "icans_dose": {
        "grade 2": "dexamethasone {t.dexamethasone_dose} mg IV, again after {t.dexamethasone_every}",
        "grade 3": "dexamethasone {t.dexamethasone_dose} mg IV every {t.dexamethasone_every_severe}",
        "grade 4": "methylprednisolone {t.methylprednisolone_icans} mg IV once a day",
        "child": "corticosteroid per paediatric protocol",
        "age unknown": "corticosteroid by age, which is not known",
    },
    "icans_early": {"no": "", "yes": " After {product} earlier corticosteroids are an option."},
    "icans_and_crs": {
        "with CRS": "ASCO adds tocilizumab with concurrent CRS.",
        "with CRS drafted": "Tocilizumab drafted: ASCO adds tocilizumab with concurrent CRS.",
        "isolated": "Tocilizumab is not for isolated ICANS.",
        "isolated drafted": "Tocilizumab drafted: it is not for isolated ICANS.",
    },
    "icans": {
        "known": "ICANS grade {icans} ({charted}).",
        "zero": "ICANS grade {icans} or more ({charted}): an ICE score of 0 is at least grade 3.",
        "least": "ICANS grade {icans} or more ({charted}): {lost}.",
        "unknown": "ICANS is unknown: chart ICE; do not delay treatment.",
        "why": "ICANS is unknown ({why}): chart ICE; do not delay treatment.",
        "not used": "ICANS is unknown: {why}. Assess ICE; do not delay treatment.",
    },
    "icans_coded": {
        "none": "",
        "higher": " A recent diagnosis says more: {coded}. Check ICE.",
    },
    "caution": {
        "allergic": "Hypersensitivity to tocilizumab is on record ({reference}).",
        "beyond": "Caution: {values}. In CRS the benefit is weighed against these limits of the label.",
        "not known": "No result of {t.safety_labs_age}: {values}.",
        "unreadable": "{values}.",
        "unread": "Could not be read: {kinds}.",
        "clear": "ANC, platelets, ALT and AST are within the label's limits.",
    },
    "infection_known": {
        "counted": "Infection to weigh: {signs}.",
        "none": "No infection found in: {read} (latest {latest}).",
        "no tests": "No infection coded; no culture or PCR of {t.infection_age} on record.",
        "named": "On record, not counted: {signs}.",
        "unread": "Could not be read: {kinds}.",
        "not used": "May be infection: {lost}.",
    },
    "anc": {"known": "ANC {count}.", "unknown": "ANC not known.", "not used": "{lost}."},
    "attributable": {"line": "If not attributable to another cause. {known} {anc}"},
    "antibiotics": {"none": "antibiotics now"},
    "culture_first": {"no": "", "yes": "{culture}: "},
    "culture_line": {"no": "", "yes": " {culture}: weigh it first."},
    "severe_summary": {
        "plain": "Severe CRS, {grade}: {severe_what}",
        "culture": "{culture}{on_pressor}: {shock} first; CRS {grade} possible",
    },
    "shock": {"yes": "septic shock", "no": "sepsis"},
    "on_pressor": {"no": "", "yes": ", on {pressors}"},
    "toci_drafted": {"no": "", "yes": ", tocilizumab drafted"},
    "grade1_summary": {
        "plain": "CRS {grade}: supportive care; {grade1_threshold}",
        "measure": "CRS {grade}; {not_charted}: measure now",
        "lasting": "CRS {grade}, fever for {fever_days} days: manage as grade 2 (ASCO)",
    },
    "measure": {"no": "", "yes": "{Not_charted}: measure now. "},
    "lasting": {
        "no": "Fever for more than 3 days, or not responding: manage as grade 2 (ASCO).",
        "yes": "Fever for {fever_days} days: manage as grade 2 (ASCO).",
    },
    "other_cause_summary": {
        "no fever": "{low}, no fever: not CRS. Sepsis, bleeding, heart, embolism now",
        "late": "{fever_and}{low} on day {day}: sepsis first; CRS this late is rare",
    },
    "other_cause_do": {
        "no fever": "Look for sepsis, bleeding, heart failure and embolism now.",
        "late": "Look for sepsis first, then for another cause; CRS this late is rare.",
    },
    "fever_and": {"no": "", "yes": "Fever and "},
    "icu": {"no": "", "yes": " ICU level of care."},
    "coded_crs": {"no": "", "yes": " CRS {coded}: fever charted elsewhere?"},
    "other_cause_why": {
        "no fever": "{Low_in_full}. No fever in this course, and nothing that hides it: by ASTCT this is not CRS.",
        "late": "{Low_in_full}. The study's rules end at day {t.study_days}.",
    },
    "no_crs_summary": {
        "zero": "Tocilizumab drafted, but no CRS can be graded now (grade 0)",
        "no fever": "Tocilizumab drafted without fever: not CRS ({low})",
    },
    "no_crs_icans": {"no": "", "yes": " It is not for isolated ICANS."},
    "before_fever": {
        "no": "",
        "yes": "Given before any fever, in one cohort: ICANS of grade 3 or more in 41 % against 28 % without, "
        "severe CRS in 3 % against 13 % (PMC10329191).",
    },
    "surveillance_summary": {
        "infection": "{sign}: treat infection first, and watch closely after tocilizumab",
        "crp": "CRP up {crp_fold}: watch closely for infection after tocilizumab",
    },
    "surveillance_why": {
        "crp": "CRP {crp_words}. In the study, of patients with a rise above 1.83-fold 11 of 23 had a severe infection "
        "after tocilizumab, against 2 of 17 without tocilizumab. Onset of CRS is often indistinguishable from "
        "infection.",
        "infection": "An IL-6 blocker hides the signs of infection. Onset of CRS is often indistinguishable from it.",
    },
    "state_summary": {
        "graded": "CRS {grade} (ASTCT), day {day}: IL-6 {il6}, CRP {crp}, tocilizumab {doses}",
        "no fever": "No fever: not CRS ({low}), day {day}: IL-6 {il6}, CRP {crp}, tocilizumab {doses}",
    },
    "dose_fault": {
        "under age": "below {t.toci_min_age} years of age, where the label gives no dose",
        "route": "the route is not intravenous",
        "maximum": "{dose} is more than {t.toci_max} mg, the most for one dose (the label: 800 mg)",
        "tier": "{dose} is the dose of the other weight tier; by weight it is {by_weight}",
        "off": "{dose} is more than {percent} % off; by weight it is {by_weight}",
        "per kg": "it is more than {t.toci_per_kg_light} mg/kg, the most by weight (the label: 12 mg/kg)",
        "implausible weight": "not checked: {weights}; weigh again",
        "no weight": "no weight of the last {t.weight_age}: the dose cannot be checked",
        "weight unread": "{weight_unread}: the dose cannot be checked",
        "differs": "its dose is stated in ways that differ: {ways}; it was not checked",
        "not readable": "its dose could not be read{said}, so it was not checked",
        "repeats": "it is ordered to repeat; tocilizumab is given one dose at a time",
    },
    "steroid_fault": {
        "given": "{given}: the drafted {drug} is a second",
        "ordered": "{other} is ordered{at}: the drafted {drug} is a second",
        "drafted": "{other} is drafted too: the drafted {drug} is a second",
        "most": "{drug} {mg} mg drafted: more than {most} mg, the most for one dose",
        "most child": "{drug} {mg} mg drafted: more than {most} mg/kg at {kg} kg, the most for one dose (unconfirmed)",
    },
    "neutrophils": {
        "known": "ANC {count} ×10⁹/L",
        "unknown": "no neutrophil count of {t.safety_labs_age}",
        "not used": "{lost}",
    },
    "extra": {
        "neutropenic": "Neutropenic fever: cultures and empirical antibiotics now ({neutrophils}).",
        "neutropenic, treated": "Neutropenic fever ({neutrophils}): cultures; {antibiotics}.",
        "perhaps neutropenic": "If neutropenic ({neutrophils}): neutropenic fever, cultures and empirical "
        "antibiotics now.",
        "perhaps neutropenic, treated": "If neutropenic ({neutrophils}): neutropenic fever, cultures; {antibiotics}.",
        "orders unread": "Could not be read: active orders. What is suggested here may be ordered already.",
        "blockers": "Also given: {blockers}.",
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
        "history": "{history_unread}.",
        "verdict": "{analyte}: {reason}.",
        "baseline": "{analyte}: the baseline was taken {tier}, not on day 0 before it.",
        "icans": "ICANS: {reference} could not be read ({why}).",
        "icans coded": "ICANS: a recent diagnosis says more than what was charted: {coded}.",
        "set aside": "Set aside: {reference} ({why}).",
        "not identified": "{reference}: {why}.",
        "dose differs": "The dose of {drug} ({reference}) is stated in ways that differ: {ways}.",
        "drug": "A drafted drug could not be identified: interval, dose and caution checks were not done on it.",
    },
    "no_tocilizumab": {
        "infection": "No tocilizumab order: infection is on record.",
        "hypersensitivity": "No tocilizumab order: hypersensitivity to tocilizumab is on record.",
        "interval": "No tocilizumab order before {opens}: at least {t.dose_interval} between dose starts.",
        "number": "No tocilizumab order: {number} doses given, at most {t.doses_max} in all.",
        "day": "No tocilizumab order: {number} doses in {t.doses_day}, at most {t.doses_per_day}.",
        "history": "No tocilizumab order: {history_unread}.",
        "age unknown": "No tocilizumab order: the age is not known, so no dose is computed.",
        "under age": "No tocilizumab order: below the age of {t.toci_min_age} years the label gives no dose.",
        "implausible weight": "No tocilizumab order: {weights}. Weigh again.",
        "no weight": "No tocilizumab order: no weight of the last {t.weight_age} on record. Weigh the patient.",
        "weight unread": "No tocilizumab order: {weight_unread}.",
    },
    "not_corrected": {
        "counted": "The draft is not corrected: another dose or order counts before it.",
        "two doses": "The draft is not corrected: two doses were given, CRS is grade 1 or 2.",
        "infection": "The draft is not corrected: a blood culture is positive, treat sepsis first.",
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
        "steroid active": "A corticosteroid is ordered{at}.",
        "steroid given": "{given}.",
        "steroid given child": "{given} (what counts as running below adult age is unconfirmed).",
        "instead": "Methylprednisolone takes the place of {drugs}: stop {drugs}.",
        "lesser": "Not counted as this regimen: {named}.",
        "dose unread": '{steroid} (its dose could not be read: "{ways}")',
        "dose differs": "{steroid} (its dose is stated in ways that differ: {ways})",
        "above": "{label}: see the card above.",
        "test ordered": "{name}: ordered.",
        "test done": "{name}: done in the last {t.done_recently}.",
    },
    "state": {
        "second_infusion": "More than one infusion in this course: outside the study population.",
        "beside": "Beside the rows: {findings}.",
        "blockers": "**Other IL-6 and IL-1 blockers** on this record: {blockers}.",
        "late": "Day {day}: the study's rules end at day {t.study_days} after the infusion. Look for infection first.",
        "coded": "**Coded** {codes}: a claim that differs from this grade.",
        "numbers": "**Numbers of this site**: {numbers}.",
        "held": "**Dismissed by you** at {at}, and nothing changed since: {number} ({cards}).",
        "off": "**Switched off at this site**, though their rule is met: {cards}.",
        "unread": "**Could not be read**: {kinds}.",
        "not known": "patient not known to the FHIR server",
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
