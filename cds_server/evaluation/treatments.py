"""The doses of a course in a final chart: what was given, when, and the order behind each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_server.evaluation.protocol import Cards
from fhir_mappings.facts.treatment import Administration, DrugClass, of_class
from fhir_mappings.medications.treatments import counts_as_crs_dose


@dataclass(frozen=True)
class GivenDose:
    """One dose: its start, and the references of the orders that its administrations name."""

    start: datetime
    requests: tuple[str, ...]


def tocilizumab_doses(given: Iterable[Administration], since: datetime, cards: Cards) -> tuple[GivenDose, ...]:
    """The doses of tocilizumab for CRS from the infusion on."""
    return _merged([a for a in given if counts_as_crs_dose(a) and a.start.latest >= since], cards)


def steroid_doses(given: Iterable[Administration], since: datetime, cards: Cards) -> tuple[GivenDose, ...]:
    """The doses of systemic corticosteroids from the infusion on; a running infusion is one."""
    steroids = of_class(given, DrugClass.STEROID)
    return _merged([a for a in steroids if a.status != "unknown" and a.start.latest >= since], cards)


def _merged(given: Iterable[Administration], cards: Cards) -> tuple[GivenDose, ...]:
    """Administrations that start within `dose_merge_minutes` of the one before are one dose."""
    apart = timedelta(minutes=cards.dose_merge_minutes)
    doses: list[list[Administration]] = []
    for a in sorted(given, key=lambda one: (one.start.latest, one.reference)):
        if doses and a.start.latest - doses[-1][-1].start.latest <= apart:
            doses[-1].append(a)
        else:
            doses.append([a])
    return tuple(
        GivenDose(dose[0].start.latest, tuple(dict.fromkeys(r for a in dose for r in a.requests))) for dose in doses
    )
