"""The ICANS grade: an ICE score or grade charted under a site's code, else a coded diagnosis.

Grades by ICE: ASTCT consensus, Lee 2019 (PMC9327779). An ICE score of 0 is at least grade 3: whether the patient can
be roused is not in the score. No LOINC exists for either, so a site adds its codes to the value sets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal

from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.conditions import is_active
from fhir_mappings.facts import sought
from fhir_mappings.facts.coverage import Coverage, Kind, SetAside, reach
from fhir_mappings.facts.icans import CodedIcans, Icans, IcansSource, IcansUnknown
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.observations import Observations, Observed
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import moment_or_none
from fhir_mappings.reading.resource_pool import ResourcePool
from fhir_mappings.reading.units import states
from fhir_mappings.vital_signs import observed_at

# lowest ICE score → ICANS grade, from the best down
ICE_GRADES = ((10, 0), (7, 1), (3, 2), (0, 3))
MOST_SEVERE, MOST_ICE = 4, 10
SCORES = ("ice-score", "icans-grade")
NO_SCORE = "no ICE score of 0 to 10, or ICANS grade of 0 to 4"
_UNAROUSABLE = re.compile(r"\b(?:unarousable|unrousable|unresponsive|coma(?:tose)?)\b", re.IGNORECASE)
_NEURO = frozenset({Kind.NEURO})
# of a text with single blanks: two neighbours that each take any number of blanks would share them out in every way
_NUMBERS = {
    "ice-score": re.compile(r"(?:ICE\s?)?(?:score\s?)?:?\s?(\d{1,2})(?:\s?/\s?10)?", re.IGNORECASE | re.ASCII),
    "icans-grade": re.compile(r"(?:ICANS\s?)?(?:grade\s?)?:?\s?(\d)", re.IGNORECASE | re.ASCII),
}
_CODED = re.compile(r"G92\.0([1-5])")


def icans(
    observations: Observations,
    pool: ResourcePool,
    coverage: Mapping[Kind, Coverage],
    terms: Terminology,
    zone: tzinfo,
    as_of: datetime,
    t: Thresholds,
) -> tuple[Icans, tuple[SetAside, ...]]:
    """The highest grade charted within `icans_window`, else an active coded grade within `coded_icans_age`.

    A charted 0 is believed only if nothing else of that time was left unread. A charted value comes before a diagnosis;
    a recent diagnosis of more is named beside it. An entry that cannot be read makes the grade a minimum.
    """
    charted, bad = _charted(observations, as_of, t)
    opens = as_of - t.icans_window
    holes = tuple(s for s in (*bad, *observations.set_aside) if s.kinds and sought.NEURO.may_be(s))
    whole = reach(coverage, sought.NEURO, holes).whole(opens, as_of)
    best = max(charted, key=lambda found: (found.grade or 0, found.at), default=None)
    coded = _coded(pool, terms, zone, as_of, t)
    if best is not None and (best.grade or whole):
        higher = coded is not None and (coded.grade or 0) > (best.grade or 0)
        minimum = best.grade != MOST_SEVERE and (bool(holes) or best.from_ice_0)
        said = CodedIcans(coded.code, coded.reference) if coded is not None and higher else None
        return replace(best, minimum=minimum, coded_higher=said), bad
    if coded is not None and (coded.grade is not None or best is None):
        return coded, bad
    if best is not None or holes:
        return Icans(unknown=IcansUnknown.UNREADABLE), bad
    return Icans(unknown=IcansUnknown.NOT_ON_RECORD if whole else IcansUnknown.NOT_READ), bad


def _charted(observations: Observations, as_of: datetime, t: Thresholds) -> tuple[list[Icans], tuple[SetAside, ...]]:
    found: list[Icans] = []
    bad: list[SetAside] = []
    for set_id in SCORES:
        for o in observations.of(set_id):
            at = observed_at(o.at, as_of)
            if as_of - at > t.icans_window or (o.absent and o.quantity is None and o.text is None):
                continue
            icans = charted_icans(o, set_id)
            if icans is None:
                bad.append(SetAside(o.reference, NO_SCORE, _NEURO, o.at, value_sets=o.sets, stated=o.stated))
                continue
            found.append(replace(icans, reference=o.reference, at=at))
    return found, tuple(bad)


def charted_icans(o: Observed, set_id: str) -> Icans | None:
    """The ICANS grade of one Observation; None if it cannot be read. "Unarousable" is grade 4."""
    if any(_UNAROUSABLE.search(text) for text in _texts(o)):
        return Icans(MOST_SEVERE, IcansSource.UNAROUSABLE)
    number = _number(o, set_id)
    if number is None:
        return None
    if set_id == "icans-grade":
        return Icans(number, IcansSource.CHARTED_GRADE) if number <= MOST_SEVERE else None
    if number > MOST_ICE:
        return None
    return next(Icans(grade, IcansSource.ICE_SCORE, ice=number) for lowest, grade in ICE_GRADES if number >= lowest)


def _number(o: Observed, set_id: str) -> int | None:
    if o.quantity is not None and o.quantity.value is not None:
        value, bare = o.quantity.value, not (o.quantity.code or o.quantity.unit)
        counted = bare or states(o.quantity, Measure.SCORE)
        plain = not o.quantity.comparator and counted and value == value.to_integral_value()
        return int(value) if plain and Decimal(0) <= value else None
    matches = [_NUMBERS[set_id].fullmatch(" ".join(text.split())) for text in _texts(o)]
    return next((int(match[1]) for match in matches if match is not None), None)


def _texts(o: Observed) -> tuple[str, ...]:
    concept = o.concept
    named = (concept.text, *(c.display for c in concept.coding)) if concept is not None else ()
    return tuple(text for text in (o.text, *named) if text)


def _coded(pool: ResourcePool, terms: Terminology, zone: tzinfo, as_of: datetime, t: Thresholds) -> Icans | None:
    """The highest active coded grade with an onset or recording within `coded_icans_age`.

    A code without a grade (G92.00) leaves ICANS unknown and says so.
    """
    found: list[Icans] = []
    for resource in pool.of_type(fs.Condition):
        data = resource.data
        if not is_active(data) or "coded-icans" not in terms.sets_of(fs.codings_of(data.code)):
            continue
        times = [moment_or_none(text, zone) for text in (data.onset_date_time, data.recorded_date)]
        recent = [at for at in times if at is not None and at <= as_of + t.future_tolerance]
        recent = [at for at in recent if as_of - at <= t.coded_icans_age]
        if not recent:
            continue
        for coding in data.code.coding:
            match = _CODED.fullmatch(coding.code or "")
            grade = min(int(match[1]), MOST_SEVERE) if match else None  # grade 5 is never inferred
            found.append(
                Icans(
                    grade, IcansSource.DIAGNOSIS, code=coding.code or "", reference=resource.reference, at=max(recent),
                    unknown=IcansUnknown.CODED_WITHOUT_GRADE,
                )
            )  # fmt: skip
    return max(found, key=lambda i: (i.grade or 0, i.at), default=None)
