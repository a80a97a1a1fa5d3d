"""All that the cards may know of a patient, as frozen dataclasses and enums.

Values are Decimal in one unit for each quantity (IL-6 pg/mL, CRP mg/L, temperature Cel, pressure mm[Hg],
flow L/min, FiO2 as a fraction, weight kg). Unknown is a value of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from fhir_mappings.facts.analytes import ANALYTES, CRP, IL6, Analyte
from fhir_mappings.facts.course import CodedCrs, Course, CourseDoubt, CourseSearch
from fhir_mappings.facts.coverage import Coverage, Kind, SetAside
from fhir_mappings.facts.grade import CrsGrade, FirstFever
from fhir_mappings.facts.icans import Icans
from fhir_mappings.facts.infection import InfectionFacts
from fhir_mappings.facts.labs import FoldChange, SafetyLabs
from fhir_mappings.facts.treatment import BlockerGiven, PendingOrder, SteroidGiven, Tocilizumab
from fhir_mappings.facts.weight import ImplausibleWeight, Weight


@dataclass(frozen=True, slots=True)
class Age:
    """A completed age; `days` matter below one year. A partial birthDate gives the oldest age that it allows."""

    years: int
    days: int


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """All that the cards may know of a patient at `as_of`."""

    as_of: datetime
    zone: tzinfo
    course_search: CourseSearch
    coverage: Mapping[Kind, Coverage]
    course_doubt: CourseDoubt | None = None
    course: Course | None = None
    deceased: bool = False
    age: Age | None = None
    grade: CrsGrade | None = None
    first_fever: FirstFever | None = None
    grade_at_dose_1: CrsGrade | None = None  # of a course with one dose
    grade_at_dose_2: CrsGrade | None = None
    progressed: bool | None = None
    folds: Mapping[Analyte, FoldChange] = field(default_factory=lambda: {analyte: FoldChange() for analyte in ANALYTES})
    tocilizumab: Tocilizumab = field(default_factory=lambda: Tocilizumab((), (), history_complete=False))
    last_il6_blocker: datetime | None = None  # since day −1, by any route
    other_blockers: tuple[BlockerGiven, ...] = ()  # of IL-6 or IL-1, by any route, and no doses for CRS
    steroids: tuple[SteroidGiven, ...] = ()  # of the last day and since the first fever
    steroid_orders: tuple[PendingOrder, ...] = ()  # the active ones, charted or not
    weight: Weight | None = None  # recent and plausible enough to dose by
    implausible_weight: ImplausibleWeight | None = None
    icans: Icans = field(default_factory=Icans)
    labs: SafetyLabs = field(default_factory=SafetyLabs)
    infection: InfectionFacts = InfectionFacts()
    tocilizumab_hypersensitivity: str | None = None
    coded_crs: tuple[CodedCrs, ...] = ()
    recent_coded_claim: bool = False
    pending: tuple[PendingOrder, ...] = ()
    done_recently: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def il6(self) -> FoldChange:
        return self.folds[IL6]

    @property
    def crp(self) -> FoldChange:
        return self.folds[CRP]

    @property
    def followed(self) -> Mapping[Analyte, FoldChange]:
        """The analytes to speak of: those with a limit always, one for display where it has samples."""
        return {analyte: fold for analyte, fold in self.folds.items() if analyte.limit is not None or fold.series}

    def local(self, at: datetime) -> datetime:
        """An instant as the facility's clock shows it, to be shown and not to be computed with.

        All other times here are UTC: the difference between two local times is an hour off across a clock change.
        """
        return at.astimezone(self.zone)
