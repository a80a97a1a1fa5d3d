"""Every clinical number, with its unit, plausible range, source and status. They are passed to every rule.

No rule holds a number of its own. A site may set a number inside its range (`site_thresholds`). The range protects
the label: a site may ask for a longer interval or fewer doses, but never for the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The standing of a number: verified in its source, taken from the paper, our design, or unconfirmed."""

    VERIFIED = "verified"
    PAPER = "paper"
    DESIGN = "design"
    UNCONFIRMED = "unconfirmed"


ASTCT = "ASTCT consensus, Lee 2019"
ZHANG = "Zhang 2022, Front Immunol 13:914959"
LABEL = "tocilizumab label, CRS section"
RA_LABEL = "tocilizumab label, limits of other indications"
PALS = "PALS; PMC6882047"
ASCO = "ASCO 2021, Santomasso"
OURS = "design of this service"
MEDIANS = "medians by age: CDC growth charts 2000, in the table below"

SECONDS_PER = {"min": 60, "h": 3600, "d": 86400}
_SPANS = {"minutes": "min", "hours": "h", "days": "d"}


@dataclass(frozen=True)
class Number:
    """The description of one threshold: its meaning, unit (UCUM), plausible range in that unit, source and status."""

    name: str
    meaning: str
    unit: str
    low: Decimal
    high: Decimal
    source: str
    status: Status


def _number(value: str, unit: str, between: tuple[str, str], source: str, status: Status, meaning: str) -> Any:
    low, high = (Decimal(limit) for limit in between)
    known = Number("", meaning, unit, low, high, source, status)
    return field(default=Decimal(value), metadata={"known": known})


def _span(
    between: tuple[int, int], meaning: str, source: str = OURS, status: Status = Status.DESIGN, **parts: int
) -> Any:
    (name,) = parts
    known = Number("", meaning, _SPANS[name], Decimal(between[0]), Decimal(between[1]), source, status)
    return field(default=timedelta(**parts), metadata={"known": known})


V, P, D, U = Status.VERIFIED, Status.PAPER, Status.DESIGN, Status.UNCONFIRMED


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The numbers in force. Times are timedelta, quantities Decimal in the unit of `Number`."""

    # the grade
    fever: Decimal = _number("38.0", "Cel", ("37.5", "38.5"), ASTCT, V, "fever from")
    fever_window: timedelta = _span((6, 48), "fever now: highest temperature of the last", hours=24)
    bp_window: timedelta = _span((4, 24), "lowest blood pressure of the last", hours=12)
    o2_window: timedelta = _span((4, 24), "oxygen device, flow and lowest SpO2 of the last", hours=12)
    pressor_carry: timedelta = _span((1, 12), "a vasopressor charted at a moment counts as running for", hours=4)
    stale_limit: timedelta = _span((12, 72), "a device or vasopressor not stopped keeps its row for", hours=24)
    waiver_limit: timedelta = _span(
        (24, 168), "after the last sign or dose, fever counts as suppressed by treatment for", hours=72
    )
    push_below: Decimal = _number(
        "2", "mg", ("0.5", "4"), OURS, D, "a vasopressor charted as an amount alone is a push, no bag, below"
    )
    spo2_cut: Decimal = _number("90", "%", ("85", "95"), "Mahadeo 2019; PMC9978889", V, "needs oxygen: SpO2 below")
    spo2_readings_apart: timedelta = _span((0, 60), "two low SpO2 of which the latest is none, apart by", minutes=5)
    low_flow_max: Decimal = _number("6", "L/min", ("4", "6"), ASTCT, V, "low flow up to and with")
    room_air_fio2: Decimal = _number("0.21", "1", ("0.20", "0.22"), OURS, D, "no oxygen: FiO2 up to and with")
    high_fio2: Decimal = _number("0.40", "1", ("0.30", "0.60"), OURS, D, "beside low flow, grade may be 3: FiO2 from")
    ventilation_low_fio2: Decimal = _number(
        "0.30", "1", ("0.21", "0.50"), OURS, U, "ventilated, confirm the indication: FiO2 up to and with"
    )
    systolic_adult: Decimal = _number(
        "90", "mm[Hg]", ("80", "100"), "PMC8021214; PMC9978889", V, "hypotension, adult: systolic below"
    )
    mean_adult: Decimal = _number(
        "65", "mm[Hg]", ("55", "75"), "sepsis convention, not ASTCT", U, "hypotension, adult: mean below"
    )
    mean_readings_apart: timedelta = _span((5, 60), "consecutive low mean pressures at least apart by", minutes=15)
    mean_alone: Decimal = _number("1", "1", ("0", "1"), OURS, D, "low mean pressures alone are hypotension: 1, or 0")
    systolic_newborn: Decimal = _number("60", "mm[Hg]", ("50", "70"), PALS, V, "hypotension to 28 d: systolic below")
    systolic_infant: Decimal = _number("70", "mm[Hg]", ("60", "80"), PALS, V, "hypotension below 1 a: systolic below")
    systolic_child_base: Decimal = _number(
        "70", "mm[Hg]", ("60", "80"), PALS, V, "hypotension 1 to 9 a: systolic below this plus the next for each year"
    )
    systolic_child_per_year: Decimal = _number("2", "mm[Hg]/a", ("1", "3"), PALS, V, "added per completed year")
    systolic_from_10_years: Decimal = _number(
        "90", "mm[Hg]", ("80", "100"), PALS, V, "hypotension 10 to 17 a: systolic below"
    )
    pals_low_above: Decimal = _number(
        "12", "a", ("12", "12"), PALS, V, "the paediatric limit lies below the 5th centile above the age of"
    )
    antipyretic_before_onset: timedelta = _span((4, 48), "an antipyretic counts as given at onset, before it", hours=24)
    antipyretic_masks: timedelta = _span((4, 48), "an antipyretic may hide fever for", hours=24)
    steroid_masks: timedelta = _span((24, 168), "a systemic corticosteroid may hide fever for", hours=72)
    pressor_order_age: timedelta = _span((4, 72), "a vasopressor order not charted matters for", hours=24)
    future_tolerance: timedelta = _span((0, 30), "a time ahead of the clock counts as now up to", minutes=5)
    infusion_reaction: timedelta = _span((1, 24), "fever may be a reaction to the infusion up to", hours=6)
    late_first_fever: timedelta = _span((7, 21), "a first fever is late after day", "Blood Adv 2024;8:5346", V, days=14)
    fever_as_grade_2: timedelta = _span((48, 120), "grade 1 is managed as grade 2 after fever for", ASCO, V, hours=72)
    signs_before_infusion: timedelta = _span((72, 168), "signs are read from before the infusion", hours=96)
    low_before_readings: Decimal = _number(
        "3", "1", ("2", "10"), OURS, D, "hypotension is not new: readings before the infusion at least"
    )
    low_before_part: Decimal = _number(
        "0.5", "1", ("0.25", "1"), OURS, D, "hypotension is not new: part of those readings that was low"
    )
    # the course
    new_course_after: timedelta = _span((14, 42), "infusions are one course up to and with", days=21)
    study_days: timedelta = _span((14, 30), "the study's rules hold to day", ZHANG, P, days=30)
    course_days: timedelta = _span((30, 90), "advice ends after day", days=60)
    administrations_before: timedelta = _span((28, 56), "administrations are known from before the infusion", days=28)
    blockers_named: timedelta = _span(
        (28, 90), "other blockers of IL-6 and IL-1 are named from before the infusion", days=30
    )
    coded_claim_age: timedelta = _span((7, 90), "a coded CRS, ICANS or CAR-T history speaks for", days=60)
    # fold changes
    il6_fold: Decimal = _number("4", "1", ("2", "10"), ZHANG, P, "IL-6 rise is high from (fold)")
    il6_near: Decimal = _number("0.1", "1", ("0", "0.5"), OURS, D, "near that limit: within this part of it")
    crp_fold: Decimal = _number("1.83", "1", ("1.2", "5"), ZHANG, P, "CRP rise is high above (fold)")
    il6_fresh: timedelta = _span((6, 48), "a low IL-6 rise needs a sample of the last", hours=24)
    baseline_near: timedelta = _span((12, 48), "second-best baseline: before the infusion", hours=24)
    baseline_far: timedelta = _span((48, 72), "last baseline: before the infusion", hours=72)
    baseline_after_fever: timedelta = _span((12, 72), "a baseline after fever carries no low rise for", hours=24)
    prior_blockade: timedelta = _span((14, 90), "an IL-6 blocker before the infusion spoils IL-6 for", days=28)
    surveillance_after: timedelta = _span((7, 30), "infection surveillance after tocilizumab for", days=14)
    # ICANS and product guidance
    icans_severe: Decimal = _number("3", "1", ("3", "3"), ASTCT, V, "ICANS is severe from grade")
    icans_window: timedelta = _span((8, 48), "ICE or ICANS grade: the highest of the last", hours=24)
    methylprednisolone_icans: Decimal = _number(
        "1000", "mg", ("500", "1000"), ASCO, V, "methylprednisolone suggested at ICANS grade 4"
    )
    methylprednisolone_icans_every: timedelta = _span(
        (12, 24), "methylprednisolone at ICANS grade 4 every", ASCO, V, hours=24
    )
    coded_icans_age: timedelta = _span((24, 168), "a coded ICANS grade counts for", hours=72)
    early_onset: timedelta = _span(
        (24, 96), "product guidance: CRS within this of the infusion", f"{ZHANG}, quoting NCCN", P, hours=72
    )
    lasting_fever: timedelta = _span(
        (12, 72), "product guidance: grade 1 with fever for", "brexu-cel label by a secondary source", V, hours=24
    )
    # tocilizumab and corticosteroids
    dose_merge: timedelta = _span((0, 120), "administrations that start this close are one dose", minutes=60)
    dose_interval: timedelta = _span((8, 24), "between the starts of two doses at least", LABEL, V, hours=8)
    better_after_dose: timedelta = _span(
        (12, 48),
        "after a dose, a grade that fell is waited on; one that did not adds a corticosteroid after",
        ASCO,
        V,
        hours=24,
    )
    grade_at_dose_back: timedelta = _span(
        (4, 48), "the grade at a dose is looked for, where there is none at its start, in the last", hours=24
    )
    dose_lookback: timedelta = _span((30, 90), "the checks of a draft count doses of the last", days=30)
    doses_max: Decimal = _number("4", "1", ("1", "4"), LABEL, V, "doses in all at most")
    doses_per_day: Decimal = _number("3", "1", ("1", "3"), "Samsung protocol; ehoonline", V, "doses of a day at most")
    doses_day: timedelta = _span((24, 24), "the doses of a day are those of the last", hours=24)
    toci_per_kg: Decimal = _number("8", "mg/kg", ("4", "8"), LABEL, V, "tocilizumab from the next weight on")
    toci_per_kg_light: Decimal = _number("12", "mg/kg", ("8", "12"), LABEL, V, "tocilizumab below that weight")
    toci_light_below: Decimal = _number("30", "kg", ("30", "30"), LABEL, V, "the dose tier changes at")
    toci_max: Decimal = _number("800", "mg", ("400", "800"), LABEL, V, "one dose at most")
    toci_rounding: Decimal = _number("1", "mg", ("1", "80"), OURS, D, "a computed dose is rounded to multiples of")
    toci_min_age: Decimal = _number("2", "a", ("2", "18"), LABEL, V, "no dose is given below the age of")
    toci_strength: Decimal = _number("20", "mg/mL", ("20", "20"), LABEL, V, "strength of the concentrate")
    tier_margin: Decimal = _number("1", "kg", ("0", "3"), OURS, D, "the tier is near within")
    dose_off: Decimal = _number("0.1", "1", ("0.02", "0.2"), OURS, D, "a drafted dose is off by more than (part)")
    dose_agreement: Decimal = _number(
        "0.05", "1", ("0.01", "0.1"), OURS, D, "two ways to state a dose agree within (part)"
    )
    weight_age: timedelta = _span((1, 30), "a weight doses for", days=14)
    weight_lookback: timedelta = _span((30, 90), "a weight is compared with those of the last", days=60)
    weight_change: Decimal = _number(
        "0.15",
        "1",
        ("0.05", "0.3"),
        OURS,
        D,
        "adult: a weight that differs from the one before by more (part) is implausible",
    )
    weight_change_child: Decimal = _number("0.10", "1", ("0.05", "0.3"), OURS, D, "the same below adult age (part)")
    weight_factor_decimal: Decimal = _number(
        "10", "1", ("10", "10"), OURS, D, "a slip of the decimal point: a weight times this, or divided by it"
    )
    weight_factor_pounds: Decimal = _number(
        "2.2", "1", ("2.2", "2.21"), OURS, D, "pounds for kilograms: a weight times this, or divided by it"
    )
    weight_factor_near: Decimal = _number("0.03", "1", ("0.01", "0.05"), OURS, D, "near such a factor: within (part)")
    weight_adult_least: Decimal = _number("30", "kg", ("20", "40"), OURS, D, "an adult weighs at least")
    weight_adult_most: Decimal = _number("250", "kg", ("150", "350"), OURS, D, "an adult weighs at most")
    weight_child_least: Decimal = _number(
        "0.5", "1", ("0.3", "0.7"), MEDIANS, U, "a child weighs at least this part of the median for the age"
    )
    weight_child_most: Decimal = _number(
        "2.5", "1", ("2", "4"), MEDIANS, U, "a child weighs at most the median for the age times"
    )
    adult_age: Decimal = _number("18", "a", ("16", "21"), OURS, D, "adult from")
    study_min_age: Decimal = _number("13", "a", ("13", "13"), ZHANG, P, "youngest patient of the study")
    steroid_running: timedelta = _span((6, 24), "a corticosteroid counts as running for", hours=12)
    steroid_order_age: timedelta = _span(
        (4, 72), "a corticosteroid order not charted answers a suggestion for", hours=24
    )
    steroid_running_dose: Decimal = _number(
        "10", "mg", ("4", "20"), ASCO, V, "counts as running: dexamethasone or its equivalent from"
    )
    methylprednisolone_running: Decimal = _number(
        "250", "mg", ("125", "500"), OURS, D, "counts as the regimen of grade 4 and ICANS 4: methylprednisolone from"
    )
    dexamethasone_running_child: Decimal = _number(
        "0.25", "mg/kg", ("0.05", "0.6"), OURS, U, "counts as running below adult age: dexamethasone from"
    )
    methylprednisolone_running_child: Decimal = _number(
        "1", "mg/kg", ("0.5", "2"), OURS, U, "counts as running below adult age: methylprednisolone from"
    )
    steroid_named: timedelta = _span((12, 72), "corticosteroids are named from the last", hours=24)
    dexamethasone_dose: Decimal = _number("10", "mg", ("10", "20"), ASCO, V, "dexamethasone suggested")
    dexamethasone_every: timedelta = _span((6, 24), "dexamethasone at grades 1 and 2 every", ASCO, V, hours=12)
    dexamethasone_every_severe: timedelta = _span(
        (4, 12), "dexamethasone at grade 3, and at ICANS grade 3, every", ASCO, V, hours=6
    )
    icans_severe_steroid: Decimal = _number(
        "3", "1", ("2", "3"), ASCO, V, "dexamethasone as for severe CRS from ICANS grade"
    )
    methylprednisolone_dose: Decimal = _number("500", "mg", ("500", "1000"), ASCO, V, "methylprednisolone suggested")
    methylprednisolone_every: timedelta = _span((6, 24), "methylprednisolone every", ASCO, V, hours=12)
    methylprednisolone_per_dexa: Decimal = _number(
        "5", "1", ("4", "6"), OURS, D, "methylprednisolone equal to dexamethasone 1 mg (mg)"
    )
    prednisone_per_dexa: Decimal = _number(
        "6.5", "1", ("6", "7"), OURS, D, "prednisone or prednisolone equal to dexamethasone 1 mg (mg)"
    )
    hydrocortisone_per_dexa: Decimal = _number(
        "26.5", "1", ("20", "30"), OURS, D, "hydrocortisone equal to dexamethasone 1 mg (mg)"
    )
    dexamethasone_doses: Decimal = _number(
        "2", "1", ("1", "4"), ASCO, D, "dexamethasone at grades 1 and 2 ends after doses"
    )
    dexamethasone_doses_severe: Decimal = _number(
        "4", "1", ("1", "8"), ASCO, D, "dexamethasone at grade 3, and at ICANS grade 3, ends after doses"
    )
    methylprednisolone_doses: Decimal = _number("6", "1", ("1", "6"), ASCO, V, "methylprednisolone ends after doses")
    methylprednisolone_icans_doses: Decimal = _number(
        "3", "1", ("1", "5"), ASCO, D, "methylprednisolone at ICANS grade 4 ends after doses"
    )
    dexamethasone_max: Decimal = _number("20", "mg", ("20", "40"), OURS, D, "one dose of dexamethasone at most")
    methylprednisolone_max: Decimal = _number(
        "1000", "mg", ("1000", "2000"), OURS, D, "one dose of methylprednisolone at most"
    )
    dexamethasone_max_child: Decimal = _number(
        "0.6", "mg/kg", ("0.3", "1"), OURS, U, "one dose of dexamethasone below adult age at most"
    )
    methylprednisolone_max_child: Decimal = _number(
        "30", "mg/kg", ("10", "30"), OURS, U, "one dose of methylprednisolone below adult age at most"
    )
    # caution and infection
    neutropenia: Decimal = _number("0.5", "10*3/uL", ("0.1", "1.5"), RA_LABEL, V, "neutropenia: ANC below")
    platelets_low: Decimal = _number("50", "10*3/uL", ("10", "100"), RA_LABEL, V, "thrombocytopenia: platelets below")
    enzymes_times: Decimal = _number("5", "1", ("2", "10"), RA_LABEL, V, "liver enzymes above upper normal times")
    enzymes_normal: Decimal = _number(
        "40", "U/L", ("20", "80"), OURS, U, "upper normal of ALT and AST where the result states none"
    )
    safety_labs_age: timedelta = _span((1, 7), "counts and liver enzymes are known for", days=3)
    blood_culture_age: timedelta = _span((24, 168), "a positive blood culture puts infection first for", hours=72)
    coded_infection_age: timedelta = _span((7, 90), "a coded infection counts for", days=30)
    anti_infective_given: timedelta = _span((8, 48), "an anti-infective runs after its last dose for", hours=24)
    anti_infective_order_age: timedelta = _span(
        (24, 168), "an active order of an anti-infective of which no dose is charted counts for", hours=72
    )
    infection_age: timedelta = _span((2, 30), "a culture or viral PCR speaks for", days=7)
    done_recently: timedelta = _span((4, 72), "a test of the surveillance bundle is not repeated for", hours=24)


def numbers() -> Iterator[Number]:
    """The description of every threshold, in the order of the dataclass."""
    for f in fields(Thresholds):
        known: Number = f.metadata["known"]
        yield Number(f.name, known.meaning, known.unit, known.low, known.high, known.source, known.status)


def in_unit(value: Decimal | timedelta, unit: str) -> Decimal:
    """A threshold as a number in its unit."""
    if isinstance(value, timedelta):
        return Decimal(int(value.total_seconds())) / SECONDS_PER[unit]
    return value
