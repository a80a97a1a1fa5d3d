"""The gate of tocilizumab: the bar to a dose and the time at which it opens. Orders, words and draft checks ask it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cards.deciding.drafts import counted_starts
from fhir_mappings.facts.coverage import Completeness, Kind
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.sought import weights_set_aside
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder


class Bar(StrEnum):
    """A bar to a dose, the most important first. The values name its sentences."""

    HYPERSENSITIVITY = "hypersensitivity"
    INTERVAL = "interval"
    NUMBER = "number"
    DAY = "day"
    UNDER_AGE = "under age"
    HISTORY = "history"
    AGE_UNKNOWN = "age unknown"
    IMPLAUSIBLE_WEIGHT = "implausible weight"
    WEIGHT_UNREAD = "weight unread"
    NO_WEIGHT = "no weight"


# these bars speak against a dose by themselves; the others only keep a dose from being computed
_OF_PATIENT = frozenset({Bar.HYPERSENSITIVITY, Bar.INTERVAL, Bar.NUMBER, Bar.DAY})
SAID_BESIDE_ADVICE = _OF_PATIENT | {Bar.UNDER_AGE}


@dataclass(frozen=True)
class Gate:
    """The state of the gate: open without a `bar`. `opens` is the end of the interval, `doses` the number counted."""

    bar: Bar | None
    opens: datetime | None
    doses: int

    @property
    def by_patient(self) -> bool:
        """True if the patient bars the dose, and not a gap in what is known."""
        return self.bar in _OF_PATIENT


def tocilizumab_gate(facts: PatientFacts, t: Thresholds) -> Gate:
    """The gate for a dose given now, with the most important bar."""
    starts = facts.tocilizumab.safety_starts
    bars = (
        *([Bar.HYPERSENSITIVITY] if facts.tocilizumab_hypersensitivity else []),
        *bars_by_doses(starts, facts.as_of, t),
        *_gaps(facts, t),
    )
    bar = bars[0] if bars else None
    counted = _of_a_day(starts, facts.as_of, t) if bar is Bar.DAY else starts
    return Gate(bar, interval_ends(facts, t), len(counted))


def bars_by_doses(starts: tuple[datetime, ...], now: datetime, t: Thresholds) -> tuple[Bar, ...]:
    """The bars that the starts of earlier doses raise."""
    found = {
        Bar.INTERVAL: any(now - start < t.dose_interval for start in starts),
        Bar.NUMBER: len(starts) >= t.doses_max,
        Bar.DAY: len(_of_a_day(starts, now, t)) >= t.doses_per_day,
    }
    return tuple(bar for bar, holds in found.items() if holds)


def draft_bars(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> tuple[Bar, ...]:
    """The bars to a drafted dose, which also count orders not yet charted and other drafts."""
    return bars_by_doses(counted_starts(facts, drafts), facts.as_of, t)


def interval_ends(facts: PatientFacts, t: Thresholds) -> datetime | None:
    """The end of the interval since the last dose that may have been given; None if it is over or none was given."""
    starts = facts.tocilizumab.safety_starts
    if not starts or facts.as_of - max(starts) >= t.dose_interval:
        return None
    return max(starts) + t.dose_interval


def is_under_age(facts: PatientFacts, t: Thresholds) -> bool:
    """Tell whether the patient is younger than the age from which the label gives a dose."""
    return facts.age is not None and facts.age.years < t.toci_min_age


def weight_is_unread(facts: PatientFacts, t: Thresholds) -> bool:
    """Tell whether there is, or may be, a weight on record that could not be used."""
    coverage = facts.coverage.get(Kind.WEIGHT)
    in_part = coverage is None or coverage.state is not Completeness.COMPLETE
    known = facts.weight is not None or facts.implausible_weight is not None
    return not known and (in_part or bool(weights_set_aside(facts, t)))


def _of_a_day(starts: tuple[datetime, ...], now: datetime, t: Thresholds) -> tuple[datetime, ...]:
    return tuple(start for start in starts if now - start < t.doses_day)


def _gaps(facts: PatientFacts, t: Thresholds) -> tuple[Bar, ...]:
    """The bars raised by what a dose needs and nobody knows, and by an age without a dose."""
    found = {
        Bar.UNDER_AGE: is_under_age(facts, t),
        Bar.HISTORY: not facts.tocilizumab.history_complete,
        Bar.AGE_UNKNOWN: facts.age is None,
        Bar.IMPLAUSIBLE_WEIGHT: facts.implausible_weight is not None,
        Bar.WEIGHT_UNREAD: weight_is_unread(facts, t),
        Bar.NO_WEIGHT: facts.weight is None,
    }
    return tuple(bar for bar, holds in found.items() if holds)
