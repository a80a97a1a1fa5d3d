"""Every clinical number, with its unit, source and how sure we are of it. Passed to every rule.

A rule never holds a number of its own. `Thresholds().hash` names the numbers in force and stands in every
answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    VERIFIED = "verified"
    PAPER = "paper"
    DESIGN = "design"
    UNCONFIRMED = "unconfirmed"


ASTCT = "ASTCT consensus, Lee 2019"
ZHANG = "Zhang 2022, Front Immunol 13:914959"
LABEL = "tocilizumab label, CRS section"
PALS = "PALS; PMC6882047"
ASCO = "ASCO 2021, Santomasso"
OURS = "design of this service"


def _number(value: str, unit: str, source: str, status: Status) -> Any:
    return field(default=Decimal(value), metadata={"unit": unit, "source": source, "status": status})


def _span(source: str, status: Status = Status.DESIGN, **parts: int) -> Any:
    (unit,) = parts
    return field(default=timedelta(**parts), metadata={"unit": unit, "source": source, "status": status})


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The numbers in force. Times are timedelta, quantities Decimal in the unit of the metadata."""

    # the grade
    fever: Decimal = _number("38.0", "Cel", ASTCT, Status.VERIFIED)
    fever_window: timedelta = _span(OURS, hours=24)
    bp_window: timedelta = _span(OURS, hours=12)
    o2_window: timedelta = _span(OURS, hours=12)
    pressor_carry: timedelta = _span(OURS, hours=4)
    stale_limit: timedelta = _span(OURS, hours=24)
    waiver_limit: timedelta = _span(OURS, days=7)
    spo2_cut: Decimal = _number("90", "%", "Mahadeo 2019; PMC9978889", Status.VERIFIED)
    low_flow_max: Decimal = _number("6", "L/min", ASTCT, Status.VERIFIED)
    room_air_fio2: Decimal = _number("0.21", "1", OURS, Status.DESIGN)
    high_fio2: Decimal = _number("0.40", "1", OURS, Status.DESIGN)
    systolic_adult: Decimal = _number("90", "mm[Hg]", "PMC8021214; PMC9978889", Status.VERIFIED)
    mean_adult: Decimal = _number("65", "mm[Hg]", "sepsis convention, not ASTCT", Status.UNCONFIRMED)
    mean_readings_apart: timedelta = _span(OURS, minutes=5)
    systolic_newborn: Decimal = _number("60", "mm[Hg]", PALS, Status.VERIFIED)
    systolic_infant: Decimal = _number("70", "mm[Hg]", PALS, Status.VERIFIED)
    systolic_child_base: Decimal = _number("70", "mm[Hg]", PALS, Status.VERIFIED)
    systolic_child_per_year: Decimal = _number("2", "mm[Hg]/a", PALS, Status.VERIFIED)
    systolic_from_10_years: Decimal = _number("90", "mm[Hg]", PALS, Status.VERIFIED)
    antipyretic_before_onset: timedelta = _span(OURS, hours=24)
    antipyretic_masks: timedelta = _span(OURS, hours=24)
    steroid_masks: timedelta = _span(OURS, hours=72)
    pressor_order_age: timedelta = _span(OURS, hours=24)
    future_tolerance: timedelta = _span(OURS, minutes=5)
    signs_before_infusion: timedelta = _span(OURS, hours=96)
    # the course
    new_course_after: timedelta = _span(OURS, days=21)
    study_days: timedelta = _span(ZHANG, Status.PAPER, days=30)
    course_days: timedelta = _span(OURS, days=60)
    administrations_before: timedelta = _span(OURS, days=28)
    coded_claim_age: timedelta = _span(OURS, days=60)
    # fold changes
    il6_fold: Decimal = _number("4", "1", ZHANG, Status.PAPER)
    il6_near: Decimal = _number("0.1", "1", OURS, Status.DESIGN)
    crp_fold: Decimal = _number("1.83", "1", ZHANG, Status.PAPER)
    il6_fresh: timedelta = _span(OURS, hours=24)
    baseline_near: timedelta = _span(OURS, hours=24)
    baseline_far: timedelta = _span(OURS, hours=72)
    baseline_after_fever: timedelta = _span(OURS, hours=24)
    prior_blockade: timedelta = _span(OURS, days=28)
    surveillance_after: timedelta = _span(OURS, days=14)
    # tocilizumab and corticosteroids
    dose_merge: timedelta = _span(OURS, minutes=60)
    dose_interval: timedelta = _span(LABEL, Status.VERIFIED, hours=8)
    dose_lookback: timedelta = _span(OURS, days=30)
    doses_max: Decimal = _number("4", "1", LABEL, Status.VERIFIED)
    doses_per_day: Decimal = _number("3", "1", "Samsung protocol; ehoonline", Status.VERIFIED)
    toci_per_kg: Decimal = _number("8", "mg/kg", LABEL, Status.VERIFIED)
    toci_per_kg_light: Decimal = _number("12", "mg/kg", LABEL, Status.VERIFIED)
    toci_light_below: Decimal = _number("30", "kg", LABEL, Status.VERIFIED)
    toci_max: Decimal = _number("800", "mg", LABEL, Status.VERIFIED)
    toci_min_age: Decimal = _number("2", "a", LABEL, Status.VERIFIED)
    toci_strength: Decimal = _number("20", "mg/mL", LABEL, Status.VERIFIED)
    tier_margin: Decimal = _number("1", "kg", OURS, Status.DESIGN)
    weight_age: timedelta = _span(OURS, days=14)
    adult_age: Decimal = _number("18", "a", OURS, Status.DESIGN)
    study_min_age: Decimal = _number("13", "a", ZHANG, Status.PAPER)
    steroid_running: timedelta = _span(OURS, hours=12)
    steroid_running_dose: Decimal = _number("10", "mg", ASCO, Status.VERIFIED)
    steroid_running_child: Decimal = _number("0.15", "mg/kg", OURS, Status.UNCONFIRMED)
    dexamethasone_dose: Decimal = _number("10", "mg", ASCO, Status.VERIFIED)
    methylprednisolone_dose: Decimal = _number("500", "mg", ASCO, Status.VERIFIED)
    methylprednisolone_per_dexa: Decimal = _number("5", "1", OURS, Status.DESIGN)
    prednisone_per_dexa: Decimal = _number("6.5", "1", OURS, Status.DESIGN)
    neutropenia: Decimal = _number("0.5", "10*3/uL", ASCO, Status.VERIFIED)
    neutrophils_age: timedelta = _span(OURS, days=3)
    done_recently: timedelta = _span(OURS, hours=24)

    @property
    def hash(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 over every name, value and unit."""
        lines = (f"{f.name}={getattr(self, f.name)} {f.metadata['unit']}" for f in fields(self))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
