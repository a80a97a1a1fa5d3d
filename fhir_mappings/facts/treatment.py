"""Drugs, routes, and what was given, ordered or drafted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
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
    """What holds of one ingredient and not of its class. The value sets state it beside the ingredient's codes.

    `also_pushed`: given by push as well as by infusion. `carry` is how long a charted rate counts as running, in place
    of the threshold for all vasopressors. `treated_early`: guidance of the product treats CRS before grade 2.
    """

    also_pushed: bool = False
    carry: timedelta | None = None
    treated_early: bool = False


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


@dataclass(frozen=True, slots=True)
class Administration:
    """One MedicationAdministration. `end` None with `open_ended` is running; without it, an event.

    `is_event`: charted at a moment (effectiveDateTime), not over a period.
    """

    reference: str
    drug: Drug
    start: Moment
    end: datetime | None
    open_ended: bool
    status: str
    route: Route
    dose_mg: Decimal | None = None
    has_amount: bool = False
    rate: Decimal | None = None
    requests: tuple[str, ...] = ()
    is_event: bool = False


@dataclass(frozen=True, slots=True)
class Dose:
    """One tocilizumab dose; records that start within an hour of the one before belong to it. Of one known by date only
    `start` is the latest moment it can have been."""

    start: datetime
    last_start: datetime
    references: tuple[str, ...]
    date_only: bool = False


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An active order that no administration answers yet. For a corticosteroid, its dose where one is stated."""

    reference: str
    drug: Drug | None
    sets: frozenset[str]
    authored: datetime | None
    route: Route = Route.NOT_STATED
    dexamethasone_mg: Decimal | None = None
    dose_stated: bool = False


@dataclass(frozen=True, slots=True)
class Tocilizumab:
    """Doses of this course, and every start of the last 30 days that a safety check must see."""

    doses: tuple[Dose, ...]
    safety_starts: tuple[datetime, ...]
    history_complete: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SteroidGiven:
    reference: str
    ingredient: str
    at: datetime
    infusing: bool
    dexamethasone_mg: Decimal | None


@dataclass(frozen=True, slots=True)
class DraftDose:
    """The single dose of a draft, in mg or in mg/kg; neither where it could not be read.

    `repeats`: more than one dose is asked for.
    """

    mg: Decimal | None = None
    mg_per_kg: Decimal | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """An order being written. `drug` None is a medication nothing identifies; `empty` has no medication yet;
    `replaces` is the active order that it takes the place of; `resource` is the draft as it was sent."""

    reference: str
    is_medication: bool
    drug: Drug | None
    sets: frozenset[str]
    selected: bool
    empty: bool = False
    replaces: str | None = None
    dexamethasone_mg: Decimal | None = None
    dose_stated: bool = False
    dose: DraftDose = DraftDose()
    route: Route = Route.NOT_STATED
    resource: Mapping[str, Any] = field(default_factory=dict)


def of_class(given: Iterable[Administration], *classes: DrugClass) -> tuple[Administration, ...]:
    return tuple(a for a in given if a.drug.drug_class in classes)
