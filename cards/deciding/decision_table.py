"""The decision table: the cards that each situation gets. It holds data only.

Each part is read by itself, and in each part every combination of the enums meets exactly one row. Any value meets a
condition that a row does not name. `docs/decision-table.md` shows the table as the page that a physician signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cards.deciding.conditions import (
    BloodCulture,
    Charted,
    Crp,
    DataDoubt,
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
    SteroidCheck,
    TociDraft,
    TociInPlay,
)


class CardId(StrEnum):
    SEVERE_CRS = "severe-crs"
    INFECTION_FIRST = "infection-first"
    OTHER_CAUSE_FIRST = "other-cause-first"
    STEROID_AFTER_2_TOCI = "steroid-after-2-toci"
    ICANS_STEROID = "icans-steroid"
    TOCI_INTERVAL = "toci-interval"
    TOCI_MAX_DOSES = "toci-max-doses"
    TOCI_CAUTION = "toci-caution"
    STEROID_CHECK = "steroid-check"
    TOCI_RECOMMENDED = "toci-recommended"
    STEROID_EARLY_LOW_IL6 = "steroid-early-low-il6"
    TOCI_GUIDELINE = "toci-guideline"
    INFECTION_SURVEILLANCE = "infection-surveillance"
    CRS_POSSIBLE_MASKED = "crs-possible-masked"
    CRS_GRADE_UNKNOWN = "crs-grade-unknown"
    NO_CRS = "no-crs"
    TOCI_DOSE_CHECK = "toci-dose-check"
    REASSESS_WINDOW = "reassess-window"
    GRADE1_SUPPORTIVE = "grade1-supportive"
    DATA_QUALITY = "data-quality"
    CRS_GRADE = "crs-grade"


class Indicator(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Order(StrEnum):
    """An order that a card offers. `{t.…}` stands for the threshold in force."""

    TOCILIZUMAB = "tocilizumab, the label dose for the weight"
    TOCILIZUMAB_FOR_LONG_FEVER = (
        "after fever for {t.fever_as_grade_2}, no infection on record: tocilizumab, the label dose"
    )
    CORRECTED_DRAFT = "the drafted tocilizumab with the label dose in its place"
    STEROID = (
        "dexamethasone {t.dexamethasone_dose} mg every {t.dexamethasone_every} at grades 1–2, every "
        "{t.dexamethasone_every_severe} at grade 3; methylprednisolone {t.methylprednisolone_dose} mg every "
        "{t.methylprednisolone_every} at grade 4 and after progress to grade 3 on dexamethasone; adults only"
    )
    STEROID_WHERE_NO_BETTER = (
        "no better {t.better_after_dose} after the first dose: dexamethasone {t.dexamethasone_dose} mg every "
        "{t.dexamethasone_every_severe}; adults only"
    )
    ICANS_STEROID = (
        "at ICANS grade 2 dexamethasone {t.dexamethasone_dose} mg every {t.dexamethasone_every}, at grade 3 every "
        "{t.dexamethasone_every_severe}, at grade 4 methylprednisolone {t.methylprednisolone_icans} mg every "
        "{t.methylprednisolone_icans_every}; adults only"
    )
    BLOOD_CULTURE = "blood culture"
    URINE_CULTURE = "urine culture"
    BLOOD_COUNT = "blood count"
    CRP = "CRP"
    CHEST_IMAGING = "chest radiograph"
    IL6 = "before the first dose, where a sample can settle the rise: IL-6"


INFECTION_WORK_UP = (
    Order.BLOOD_CULTURE, Order.URINE_CULTURE, Order.BLOOD_COUNT, Order.CRP, Order.CHEST_IMAGING,
)  # fmt: skip
ORDERS: Mapping[CardId, tuple[Order, ...]] = {
    CardId.SEVERE_CRS: (Order.TOCILIZUMAB, Order.STEROID, Order.IL6),
    CardId.INFECTION_FIRST: INFECTION_WORK_UP,
    CardId.OTHER_CAUSE_FIRST: (Order.BLOOD_CULTURE, Order.BLOOD_COUNT),
    CardId.STEROID_AFTER_2_TOCI: (Order.STEROID,),
    CardId.ICANS_STEROID: (Order.ICANS_STEROID,),
    CardId.TOCI_RECOMMENDED: (Order.TOCILIZUMAB, Order.STEROID_WHERE_NO_BETTER),
    CardId.TOCI_GUIDELINE: (Order.TOCILIZUMAB, Order.STEROID_WHERE_NO_BETTER, Order.IL6),
    CardId.STEROID_EARLY_LOW_IL6: (Order.TOCILIZUMAB, Order.STEROID),
    CardId.INFECTION_SURVEILLANCE: INFECTION_WORK_UP,
    CardId.GRADE1_SUPPORTIVE: (Order.TOCILIZUMAB_FOR_LONG_FEVER, Order.IL6),
    CardId.TOCI_DOSE_CHECK: (Order.CORRECTED_DRAFT,),
}
# the cards whose tocilizumab is marked as recommended
RECOMMENDED = frozenset({CardId.TOCI_RECOMMENDED, CardId.TOCI_GUIDELINE})

# Warnings and infos follow the order of CardId. Among critical cards those that may hide a severe grade come second.
CARD_ORDER = tuple(CardId)
_SECOND = (CardId.CRS_GRADE_UNKNOWN, CardId.CRS_POSSIBLE_MASKED)
CRITICAL_ORDER = (CARD_ORDER[0], *_SECOND, *(c for c in CARD_ORDER[1:] if c not in _SECOND))

CRITICAL, WARNING, INFO = Indicator.CRITICAL, Indicator.WARNING, Indicator.INFO


class Source(StrEnum):
    ASTCT = "ASTCT consensus grading (Lee et al. 2019)"
    ZHANG = "Zhang et al. 2022"
    ASCO = "ASCO guideline 2021 (Santomasso et al.)"
    LABEL = "Tocilizumab label, CRS section"


@dataclass(frozen=True)
class Rule:
    """One row: if all conditions hold, the patient gets these cards. Without `orders` they hold words only."""

    id: str
    when: Mapping[str, frozenset[StrEnum]]
    gives: tuple[tuple[CardId, Indicator], ...]
    source: Source
    orders: bool = True

    def meets(self, s: Situation) -> bool:
        return all(getattr(s, name) in allowed for name, allowed in self.when.items())


def _when(**conditions: StrEnum | tuple[StrEnum, ...]) -> Mapping[str, frozenset[StrEnum]]:
    return {name: frozenset(value if isinstance(value, tuple) else (value,)) for name, value in conditions.items()}


G12, G34, G1234 = (Grade.G1, Grade.G2), (Grade.G3, Grade.G4), (Grade.G1, Grade.G2, Grade.G3, Grade.G4)
NO_GRADE = (Grade.UNKNOWN, Grade.MASKED)
BELOW_TWO_DOSES = (Doses.NONE, Doses.ONE_EARLY, Doses.ONE)
TWO_DOSES = (Doses.MORE_EARLY, Doses.MORE)
STUDY, LATE = Phase.STUDY, Phase.LATE
NO_ICANS = (IcansBand.UNKNOWN, IcansBand.NONE)
NO_CULTURE, CULTURE = BloodCulture.NONE, BloodCulture.POSITIVE

MANAGEMENT = (
    Rule("M01", _when(grade=Grade.UNKNOWN, provisional=Provisional.SEVERE),
         ((CardId.CRS_GRADE_UNKNOWN, CRITICAL),), Source.ASTCT),
    Rule("M02", _when(grade=Grade.UNKNOWN, provisional=Provisional.TWO),
         ((CardId.CRS_GRADE_UNKNOWN, WARNING),), Source.ASTCT),
    Rule("M03", _when(grade=Grade.UNKNOWN, provisional=Provisional.MILD, doubt=SignsDoubt.UNFETCHED),
         ((CardId.CRS_GRADE_UNKNOWN, WARNING),), Source.ASTCT),
    Rule("M04", _when(grade=Grade.UNKNOWN, provisional=Provisional.MILD, doubt=SignsDoubt.NONE),
         ((CardId.CRS_GRADE_UNKNOWN, INFO),), Source.ASTCT),
    Rule("M05", _when(grade=Grade.MASKED, provisional=Provisional.SEVERE),
         ((CardId.CRS_POSSIBLE_MASKED, CRITICAL),), Source.ASTCT),
    Rule("M06", _when(grade=Grade.MASKED, provisional=(Provisional.MILD, Provisional.TWO)),
         ((CardId.CRS_POSSIBLE_MASKED, WARNING),), Source.ASTCT),
    Rule("M07", _when(grade=Grade.G0, other_cause=OtherCause.NONE), (), Source.ASTCT),
    Rule("M24", _when(grade=Grade.G0, other_cause=OtherCause.NEW),
         ((CardId.OTHER_CAUSE_FIRST, WARNING),), Source.ASTCT),
    Rule("M25", _when(grade=Grade.G0, other_cause=OtherCause.SEVERE),
         ((CardId.OTHER_CAUSE_FIRST, CRITICAL),), Source.ASTCT),
    Rule("M26", _when(grade=G12, culture=CULTURE), ((CardId.INFECTION_FIRST, WARNING),), Source.LABEL),
    Rule("M08", _when(grade=Grade.G1, phase=LATE, culture=NO_CULTURE), (), Source.ZHANG),
    Rule("M27", _when(grade=Grade.G2, phase=LATE, culture=NO_CULTURE),
         ((CardId.OTHER_CAUSE_FIRST, WARNING),), Source.ASTCT),
    Rule("M09", _when(grade=G34, phase=LATE), ((CardId.SEVERE_CRS, CRITICAL),), Source.ASCO, orders=False),
    Rule("M10", _when(grade=Grade.G1, phase=STUDY, doses=BELOW_TWO_DOSES, culture=NO_CULTURE, charted=Charted.YES,
                      fever_lasts=FeverLasts.NO),
         ((CardId.GRADE1_SUPPORTIVE, INFO),), Source.ASCO),
    Rule("M28", _when(grade=Grade.G1, phase=STUDY, doses=BELOW_TWO_DOSES, culture=NO_CULTURE, charted=Charted.NOT),
         ((CardId.GRADE1_SUPPORTIVE, WARNING),), Source.ASTCT),
    Rule("M29", _when(grade=Grade.G1, phase=STUDY, doses=BELOW_TWO_DOSES, culture=NO_CULTURE, charted=Charted.YES,
                      fever_lasts=FeverLasts.YES),
         ((CardId.GRADE1_SUPPORTIVE, WARNING),), Source.ASCO),
    Rule("M11", _when(grade=Grade.G1, phase=STUDY, culture=NO_CULTURE, doses=Doses.MORE_EARLY),
         ((CardId.REASSESS_WINDOW, INFO),), Source.LABEL),
    Rule("M12", _when(grade=Grade.G1, phase=STUDY, culture=NO_CULTURE, doses=Doses.MORE,
                      progress=(Progress.YES, Progress.NO)),
         ((CardId.STEROID_AFTER_2_TOCI, WARNING),), Source.ZHANG),
    Rule("M30", _when(grade=G12, phase=STUDY, culture=NO_CULTURE, doses=Doses.MORE, progress=Progress.BETTER),
         ((CardId.REASSESS_WINDOW, INFO),), Source.ASCO),
    Rule("M13", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=(Doses.NONE, Doses.ONE), il6=Il6.HIGH),
         ((CardId.TOCI_RECOMMENDED, WARNING),), Source.ZHANG),
    Rule("M14", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=BELOW_TWO_DOSES, il6=Il6.LOW),
         ((CardId.STEROID_EARLY_LOW_IL6, WARNING),), Source.ZHANG),
    Rule("M15", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=(Doses.NONE, Doses.ONE),
                      il6=(Il6.ASK, Il6.UNKNOWN)),
         ((CardId.TOCI_GUIDELINE, WARNING),), Source.ASCO),
    Rule("M16", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=Doses.ONE_EARLY,
                      il6=(Il6.HIGH, Il6.ASK, Il6.UNKNOWN)),
         ((CardId.REASSESS_WINDOW, INFO),), Source.LABEL),
    Rule("M17", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=Doses.MORE_EARLY,
                      progress=(Progress.NO, Progress.BETTER)),
         ((CardId.REASSESS_WINDOW, INFO),), Source.LABEL),
    Rule("M18", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=Doses.MORE, progress=Progress.NO),
         ((CardId.STEROID_AFTER_2_TOCI, WARNING),), Source.ZHANG),
    Rule("M19", _when(grade=Grade.G2, phase=STUDY, culture=NO_CULTURE, doses=TWO_DOSES, progress=Progress.YES),
         ((CardId.STEROID_AFTER_2_TOCI, CRITICAL),), Source.ZHANG),
    Rule("M20", _when(grade=G34, phase=STUDY), ((CardId.SEVERE_CRS, CRITICAL),), Source.ASCO),
)  # fmt: skip

MINIMUM = (
    Rule("G01", _when(grade=(Grade.G0, *G1234), doubt=SignsDoubt.UNFETCHED),
         ((CardId.CRS_GRADE_UNKNOWN, WARNING),), Source.ASTCT),
    Rule("G02", _when(grade=(Grade.G0, *G1234), doubt=SignsDoubt.NONE), (), Source.ASTCT),
    Rule("G03", _when(grade=NO_GRADE), (), Source.ASTCT),
)  # fmt: skip

IN_PLAY = TociInPlay.YES
SURVEILLANCE = (
    Rule("S01", _when(crp=Crp.HIGH, toci_in_play=IN_PLAY, culture=NO_CULTURE),
         ((CardId.INFECTION_SURVEILLANCE, WARNING),), Source.ZHANG),
    Rule("S04", _when(crp=Crp.NOT_HIGH, infected=Infected.YES, toci_in_play=IN_PLAY, culture=NO_CULTURE),
         ((CardId.INFECTION_SURVEILLANCE, WARNING),), Source.LABEL),
    Rule("S03", _when(crp=Crp.NOT_HIGH, infected=Infected.NO, toci_in_play=IN_PLAY, culture=NO_CULTURE),
         (), Source.ZHANG),
    Rule("S05", _when(toci_in_play=IN_PLAY, culture=CULTURE, grade=(*NO_GRADE, Grade.G0, *G34)),
         ((CardId.INFECTION_SURVEILLANCE, WARNING),), Source.LABEL),
    Rule("S06", _when(toci_in_play=IN_PLAY, culture=CULTURE, grade=G12), (), Source.LABEL),
    Rule("S02", _when(toci_in_play=TociInPlay.NO), (), Source.ZHANG),
)  # fmt: skip

NEUROTOXICITY = (
    Rule("N04", _when(icans=IcansBand.FOUR), ((CardId.ICANS_STEROID, CRITICAL),), Source.ASCO),
    Rule("N01", _when(icans=IcansBand.THREE), ((CardId.ICANS_STEROID, CRITICAL),), Source.ASCO),
    Rule("N02", _when(icans=IcansBand.TWO), ((CardId.ICANS_STEROID, WARNING),), Source.ASCO),
    Rule("N05", _when(icans=IcansBand.ONE), ((CardId.ICANS_STEROID, INFO),), Source.ASCO, orders=False),
    Rule("N03", _when(icans=NO_ICANS), (), Source.ASCO),
)

DRAFTED, NOT_DRAFTED = TociDraft.YES, TociDraft.NO

INTERVAL = (
    Rule(
        "K01",
        _when(toci_draft=DRAFTED, interval=DoseInterval.TOO_SOON),
        ((CardId.TOCI_INTERVAL, CRITICAL),),
        Source.LABEL,
    ),
    Rule("K02", _when(toci_draft=DRAFTED, interval=DoseInterval.CLEAR), (), Source.LABEL),
    Rule("K03", _when(toci_draft=NOT_DRAFTED), (), Source.LABEL),
)

MAXIMUM = (
    Rule("K11", _when(toci_draft=DRAFTED, dose_count=DoseCount.TOO_MANY),
         ((CardId.TOCI_MAX_DOSES, CRITICAL),), Source.LABEL),
    Rule("K12", _when(toci_draft=DRAFTED, dose_count=DoseCount.WITHIN), (), Source.LABEL),
    Rule("K13", _when(toci_draft=NOT_DRAFTED), (), Source.LABEL),
)  # fmt: skip

CAUTION = (
    Rule("K21", _when(toci_draft=DRAFTED, hypersensitivity=Hypersensitivity.KNOWN),
         ((CardId.TOCI_CAUTION, CRITICAL),), Source.LABEL),
    Rule("K23", _when(toci_draft=DRAFTED, hypersensitivity=Hypersensitivity.NONE), (), Source.LABEL),
    Rule("K24", _when(toci_draft=NOT_DRAFTED), (), Source.LABEL),
)  # fmt: skip

WITHOUT_CRS = (
    Rule("K31", _when(toci_draft=DRAFTED, grade=Grade.G0), ((CardId.NO_CRS, WARNING),), Source.ASTCT),
    Rule("K35", _when(toci_draft=DRAFTED, grade=(*NO_GRADE, *G1234)), (), Source.ASTCT),
    Rule("K36", _when(toci_draft=NOT_DRAFTED), (), Source.ASTCT),
)  # fmt: skip

DOSE = (
    Rule("K41", _when(toci_draft=DRAFTED, dose_check=DoseCheck.DOUBTFUL),
         ((CardId.TOCI_DOSE_CHECK, WARNING),), Source.LABEL),
    Rule("K42", _when(toci_draft=DRAFTED, dose_check=DoseCheck.FINE), (), Source.LABEL),
    Rule("K43", _when(toci_draft=NOT_DRAFTED), (), Source.LABEL),
)  # fmt: skip

STEROID_DRAFT = (
    Rule("K51", _when(steroid_check=SteroidCheck.DOUBTFUL), ((CardId.STEROID_CHECK, WARNING),), Source.ASCO),
    Rule("K52", _when(steroid_check=SteroidCheck.FINE), (), Source.ASCO),
)

DATA = (
    Rule("D01", _when(data_doubt=DataDoubt.NONE), (), Source.ASTCT),
    Rule("D02", _when(data_doubt=DataDoubt.INFO), ((CardId.DATA_QUALITY, INFO),), Source.ASTCT),
    Rule("D03", _when(data_doubt=DataDoubt.WARNING), ((CardId.DATA_QUALITY, WARNING),), Source.ASTCT),
)

STATE = (Rule("C01", _when(), ((CardId.CRS_GRADE, INFO),), Source.ASTCT),)

PARTS: Mapping[str, tuple[Rule, ...]] = {
    "management": MANAGEMENT,
    "minimum": MINIMUM,
    "surveillance": SURVEILLANCE,
    "neurotoxicity": NEUROTOXICITY,
    "draft: interval": INTERVAL,
    "draft: number of doses": MAXIMUM,
    "draft: hypersensitivity": CAUTION,
    "draft: no CRS to treat": WITHOUT_CRS,
    "draft: dose, route, age": DOSE,
    "draft: corticosteroid": STEROID_DRAFT,
    "data": DATA,
    "state": STATE,
}


@lru_cache(maxsize=4_096)
def rows_for(s: Situation) -> tuple[Rule, ...]:
    """The row of each part that the situation meets; one answer asks for it several times."""
    return tuple(next(rule for rule in part if rule.meets(s)) for part in PARTS.values())
