"""What bars a dose of tocilizumab, and until when. Orders, words and the checks of a draft all ask here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cards.deciding.drafts import counted_starts
from fhir_mappings.facts.coverage import Completeness, Kind
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import DraftOrder


class Bar(StrEnum):
    """What bars a dose, the most important first. The values name its sentences."""

    HYPERSENSITIVITY = "hypersensitivity"
    INTERVAL = "interval"
    NUMBER = "number"
    DAY = "day"
    UNDER_AGE = "under age"
    HISTORY = "history"
    AGE_UNKNOWN = "age unknown"
    WEIGHT_UNREAD = "weight unread"
    NO_WEIGHT = "no weight"


# what speaks against a dose by itself; the others keep one from being computed
_OF_PATIENT = frozenset({Bar.HYPERSENSITIVITY, Bar.INTERVAL, Bar.NUMBER, Bar.DAY})
SAID_BESIDE_ADVICE = _OF_PATIENT | {Bar.UNDER_AGE}


@dataclass(frozen=True)
class Gate:
    """`bar` None lets a dose through. `opens` is when the interval ends, `doses` how many the bar counts."""

    bar: Bar | None
    opens: datetime | None
    doses: int

    @property
    def by_patient(self) -> bool:
        """The patient bars the dose, not a gap in what is known."""
        return self.bar in _OF_PATIENT


def tocilizumab_gate(facts: PatientFacts, t: Thresholds) -> Gate:
    """The first bar to a dose given now."""
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
    """What the starts of earlier doses bar."""
    found = {
        Bar.INTERVAL: any(now - start < t.dose_interval for start in starts),
        Bar.NUMBER: len(starts) >= t.doses_max,
        Bar.DAY: len(_of_a_day(starts, now, t)) >= t.doses_per_day,
    }
    return tuple(bar for bar, holds in found.items() if holds)


def draft_bars(facts: PatientFacts, drafts: tuple[DraftOrder, ...], t: Thresholds) -> tuple[Bar, ...]:
    """What bars a drafted dose, counting orders not yet charted and other drafts too."""
    return bars_by_doses(counted_starts(facts, drafts), facts.as_of, t)


def interval_ends(facts: PatientFacts, t: Thresholds) -> datetime | None:
    """When the interval since the last dose that may have been given is over; None where it is, or none was given."""
    starts = facts.tocilizumab.safety_starts
    if not starts or facts.as_of - max(starts) >= t.dose_interval:
        return None
    return max(starts) + t.dose_interval


def is_under_age(facts: PatientFacts, t: Thresholds) -> bool:
    """Below the age from which the label gives a dose."""
    return facts.age is not None and facts.age.years < t.toci_min_age


def weight_is_unread(facts: PatientFacts) -> bool:
    """There may be a weight on record that could not be read."""
    coverage = facts.coverage.get(Kind.WEIGHT)
    return facts.weight is None and (coverage is None or coverage.state is not Completeness.COMPLETE)


def _of_a_day(starts: tuple[datetime, ...], now: datetime, t: Thresholds) -> tuple[datetime, ...]:
    return tuple(start for start in starts if now - start < t.doses_day)


def _gaps(facts: PatientFacts, t: Thresholds) -> tuple[Bar, ...]:
    """What is not known and a dose needs."""
    found = {
        Bar.UNDER_AGE: is_under_age(facts, t),
        Bar.HISTORY: not facts.tocilizumab.history_complete,
        Bar.AGE_UNKNOWN: facts.age is None,
        Bar.WEIGHT_UNREAD: weight_is_unread(facts),
        Bar.NO_WEIGHT: facts.weight is None,
    }
    return tuple(bar for bar, holds in found.items() if holds)
