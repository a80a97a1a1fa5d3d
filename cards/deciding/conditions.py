"""The small enums that make up the conditions of the decision table. Every unknown is a member of its own.

`{t.…}` in a member's words stands for the threshold in force (`InWords`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


class SignsDoubt(StrEnum):
    """The doubt about the grade: vital signs or oxygen could not be fetched, or a device may hide a higher one."""

    NONE = "all fetched"
    UNFETCHED = "not all fetched, a home device, or with fever a device not recognised"


class OtherCause(StrEnum):
    """A low pressure or oxygen of a patient who had no fever, and whose fever nothing hid: it is not CRS."""

    NONE = "fever, or nothing low that is new"
    NEW = "no fever, and row 2 of pressure or oxygen that is new"
    SEVERE = "no fever, and row 3 or 4 that is new"


class Charted(StrEnum):
    """The signs beside fever."""

    YES = "something charted for both in their windows"
    NOT = "nothing charted for one of them in its window"


class FeverLasts(StrEnum):
    NO = "<{t.fever_as_grade_2}"
    YES = "≥{t.fever_as_grade_2}"


class BloodCulture(StrEnum):
    NONE = "none positive of {t.blood_culture_age}"
    POSITIVE = "positive, drawn ≤{t.blood_culture_age} ago"


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
    BETTER = "better, <{t.better_after_dose} since dose 2"
    NO = "neither, or not known"


class TociInPlay(StrEnum):
    YES = "any given since day −1 and ≤{t.surveillance_after} ago, or tocilizumab drafted"
    NO = "none given, and no tocilizumab drafted"


class TociDraft(StrEnum):
    YES = "drafted"
    NO = "not drafted"


class DoseInterval(StrEnum):
    CLEAR = "started ≥{t.dose_interval} ago"
    TOO_SOON = "started <{t.dose_interval} ago"


class DoseCount(StrEnum):
    WITHIN = "fewer than {t.doses_max} and than {t.doses_per_day} in {t.doses_day}"
    TOO_MANY = "{t.doses_max} or more or {t.doses_per_day} in {t.doses_day}"


class Hypersensitivity(StrEnum):
    NONE = "none on record"
    KNOWN = "on record"


class Infected(StrEnum):
    NO = "no sign of it that counts"
    YES = "culture or viral PCR of {t.infection_age}, or coded ≤{t.coded_infection_age} ago or treated"


class DoseCheck(StrEnum):
    FINE = "by weight and intravenous"
    DOUBTFUL = "off, not readable, without a weight, not intravenous or under age"


class SteroidCheck(StrEnum):
    FINE = "no corticosteroid drafted, or one within bounds and no second"
    DOUBTFUL = "a drafted corticosteroid is a second, or more than the most for one dose"


class IcansBand(StrEnum):
    UNKNOWN = "unknown"
    NONE = "0"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"


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
    doubt: SignsDoubt
    il6: Il6
    crp: Crp
    doses: Doses
    progress: Progress
    toci_in_play: TociInPlay
    toci_draft: TociDraft
    interval: DoseInterval
    dose_count: DoseCount
    hypersensitivity: Hypersensitivity
    icans: IcansBand
    infected: Infected
    dose_check: DoseCheck
    other_cause: OtherCause
    culture: BloodCulture
    charted: Charted
    fever_lasts: FeverLasts
    data_doubt: DataDoubt = DataDoubt.NONE
    steroid_check: SteroidCheck = SteroidCheck.FINE
