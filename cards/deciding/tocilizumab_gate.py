"""What bars a dose of tocilizumab, and until when."""

from __future__ import annotations

from datetime import datetime

from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds


def interval_ends(facts: PatientFacts, t: Thresholds) -> datetime | None:
    """When the 8 h since the last dose that may have been given are over; None where they are, or none was given."""
    starts = facts.tocilizumab.safety_starts
    if not starts or facts.as_of - max(starts) >= t.dose_interval:
        return None
    return max(starts) + t.dose_interval
