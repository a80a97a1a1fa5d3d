"""Drugs, routes, and what was given, ordered or drafted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum, auto
from typing import Any

from fhir_mappings.facts.time_and_range import Moment


class DrugClass(StrEnum):
    CAR_T = "car-t-product"
    TOCILIZUMAB = "tocilizumab"
    IL6_BLOCKER = "other-il6-blocker"
    IL1_BLOCKER = "il1-blocker"
    STEROID = "systemic-corticosteroid"
    ANTIPYRETIC = "antipyretic"
    VASOPRESSOR = "vasopressor"
    VASOPRESSIN = "vasopressin"
    OTHER = "other"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class DrugTraits:
    """The traits that one ingredient does not share with its class. The value sets state them beside its codes.

    `also_pushed`: an amount of it without a rate or a period is a push, however large. `carry` is how long a charted
    rate counts as running, in place of the threshold for all vasopressors. `treated_early`: guidance of the product
    treats CRS before grade 2. `prophylactic`: an anti-infective that is usually given to prevent.
    """

    also_pushed: bool = False
    carry: timedelta | None = None
    treated_early: bool = False
    prophylactic: bool = False


@dataclass(frozen=True, slots=True)
class Drug:
    """`resembles` are the classes of which an UNIDENTIFIED drug may be; its `ingredient` then says what stands there
    and why it is not identified."""

    drug_class: DrugClass
    ingredient: str
    traits: DrugTraits = DrugTraits()
    resembles: frozenset[DrugClass] = frozenset()


OURS = frozenset(DrugClass) - {DrugClass.OTHER, DrugClass.UNIDENTIFIED}
BLOCKERS = frozenset({DrugClass.TOCILIZUMAB, DrugClass.IL6_BLOCKER, DrugClass.IL1_BLOCKER})
PRESSORS = frozenset({DrugClass.VASOPRESSOR, DrugClass.VASOPRESSIN})
HIDE_FEVER = BLOCKERS | {DrugClass.STEROID, DrugClass.ANTIPYRETIC}


class Route(StrEnum):
    INTRAVENOUS = "intravenous"
    SUBCUTANEOUS = "subcutaneous"
    LOCAL = "local"
    OTHER = "other"
    NOT_STATED = "not stated"


class Delivery(Enum):
    """The way a drug is given, as the words of its route, method and dosage say. ELSEWHERE is not into a vein: into a
    muscle, under the skin, locally."""

    INFUSION = auto()
    PUSH = auto()
    ELSEWHERE = auto()
    NOT_STATED = auto()


@dataclass(frozen=True, slots=True)
class StatedDose:
    """The single dose of an administration, order or draft: in mg, in mg/kg, or in both where both are stated; neither
    if it could not be read.

    `said` are the ways in which it is stated, as charted; those of them that `differ` leave no dose, and what could not
    be compared stands in `not_compared`. `repeats`: more than one dose is ordered.
    """

    mg: Decimal | None = None
    mg_per_kg: Decimal | None = None
    said: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    repeats: bool = False

    @property
    def is_stated(self) -> bool:
        return bool(self.said)

    @property
    def is_read(self) -> bool:
        return self.mg is not None or self.mg_per_kg is not None


@dataclass(frozen=True, slots=True)
class HourlyRate:
    """The milligrams of a drug that run in an hour, or those for each kilogram; neither where that cannot be told."""

    mg: Decimal | None = None
    mg_per_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Administration:
    """One MedicationAdministration. Without an `end` it is running if it is `open_ended`, and an event if not.

    `is_event`: charted at a moment (effectiveDateTime), not over a period. `delivery` is read of vasopressors, the
    `hourly` rate of corticosteroids.
    """

    reference: str
    drug: Drug
    start: Moment
    end: datetime | None
    open_ended: bool
    status: str
    route: Route
    dose: StatedDose = StatedDose()
    has_amount: bool = False
    rate: Decimal | None = None
    requests: tuple[str, ...] = ()
    is_event: bool = False
    delivery: Delivery = Delivery.NOT_STATED
    hourly: HourlyRate = HourlyRate()

    @property
    def dose_mg(self) -> Decimal | None:
        return self.dose.mg


@dataclass(frozen=True, slots=True)
class Dose:
    """One tocilizumab dose; a record that starts within an hour of the one before belongs to it.

    If only the date is known, `start` is the latest moment at which the dose can have been given.
    """

    start: datetime
    last_start: datetime
    references: tuple[str, ...]
    date_only: bool = False


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An active order. `steroid_mg` is the dose of a corticosteroid, where that is known; `every` the interval between
    doses, where one is stated. `charted`: an administration answers it; without an interval it is then done."""

    reference: str
    drug: Drug | None
    sets: frozenset[str]
    authored: datetime | None
    route: Route = Route.NOT_STATED
    steroid_mg: Decimal | None = None
    dose: StatedDose = StatedDose()
    every: timedelta | None = None
    charted: bool = False


@dataclass(frozen=True, slots=True)
class Tocilizumab:
    """The doses of this course, and the start of every dose that a safety check must count.

    The safety checks count each dose of this course and each of the last 30 days (`dose_lookback`).
    """

    doses: tuple[Dose, ...]
    safety_starts: tuple[datetime, ...]
    history_complete: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockerGiven:
    """A drug that blocks IL-6 or IL-1 and was no dose for CRS in this course: the number of doses, and the last."""

    ingredient: str
    route: Route
    dose: StatedDose
    number: int
    last: datetime
    date_only: bool
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SteroidGiven:
    """A systemic corticosteroid: a dose, or an infusion by its `hourly` rate, which has ended at `until` or runs."""

    reference: str
    ingredient: str
    at: datetime
    infusing: bool
    dose: StatedDose = StatedDose()
    hourly: HourlyRate = HourlyRate()
    until: datetime | None = None

    @property
    def ended(self) -> datetime:
        """The time from which a dose or infusion counts: the start of a dose, the end of an infusion by its rate."""
        by_rate = self.hourly != HourlyRate() and not self.dose.is_stated
        return self.until if self.until is not None and by_rate else self.at


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """An order being written.

    A medication without a `drug` is one that nothing identifies; an `empty` draft names no medication yet. `replaces`
    is the active order that the draft takes the place of, `resource` the draft as the client sent it.
    """

    reference: str
    is_medication: bool
    drug: Drug | None
    sets: frozenset[str]
    selected: bool
    empty: bool = False
    replaces: str | None = None
    steroid_mg: Decimal | None = None
    dose: StatedDose = StatedDose()
    route: Route = Route.NOT_STATED
    every: timedelta | None = None
    resource: Mapping[str, Any] = field(default_factory=dict)


def of_class(given: Iterable[Administration], *classes: DrugClass) -> tuple[Administration, ...]:
    return tuple(a for a in given if a.drug.drug_class in classes)
