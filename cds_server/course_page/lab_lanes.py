"""The lanes of the analytes: every sample with its use, and the line of the limit."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal

from cards.sentences.escaping import plain_reference
from cards.sentences.numbers_and_times import number
from cards.sentences.reasons import use_words
from cds_server.course_page.marks import Bound, Lane, Mark
from fhir_mappings.facts.analytes import Analyte, Blockade, Limit
from fhir_mappings.facts.labs import FoldChange, Reason, Sample, SampleUse
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.patient import PatientFacts
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.time_and_range import Interval


def lab_lanes(facts: PatientFacts, start: datetime, blocked: datetime | None, t: Thresholds) -> tuple[Lane, ...]:
    """A lane for each analyte that is followed. `start` is that of the axis, `blocked` the first IL-6 blocker."""
    return tuple(_lane(analyte, fold, start, blocked, t) for analyte, fold in facts.followed.items())


def _lane(analyte: Analyte, fold: FoldChange, start: datetime, blocked: datetime | None, t: Thresholds) -> Lane:
    """The samples in the unit of the baseline, or of most samples; others stand in the table. If a blocker given before
    the course spoils them, none counts from the start."""
    units = Counter(s.unit for s, _ in fold.series)
    unit = fold.baseline.unit if fold.baseline else units.most_common(1)[0][0] if units else analyte.measure.unit
    limit, words = _limit(fold, analyte.limit, unit, t)
    until = start if fold.reason is Reason.PRIOR_BLOCKADE else blocked
    return Lane(
        name=analyte.name,
        unit=unit,
        marks=tuple(_sample(s, use, unit) for s, use in fold.series),
        limit=limit,
        limit_words=words,
        is_log=analyte.measure is Measure.CYTOKINE,
        until=until if analyte.blockade is Blockade.SPOILS else None,
    )


def _limit(fold: FoldChange, limit: Limit | None, unit: str, t: Thresholds) -> tuple[Decimal | None, str]:
    """The height of the line of the limit and its words; none without a limit, or a baseline that is one number."""
    base = fold.baseline.value if fold.baseline is not None else None
    if limit is None or base is None or base.low != base.high or not base.low:
        return None, ""
    height = base.low * limit.fold(t)
    return height, f"{number(limit.fold(t))} × baseline = {number(height)} {unit}"


def _sample(s: Sample, use: SampleUse, unit: str) -> Mark:
    value = _height(s.value) if s.unit == unit else None
    source = plain_reference(s.reference)
    return Mark(
        s.at.earliest, s.text, source, value, use_words(use), use.value, bound=_bound(s.value), date_only=s.at.is_date
    )


def _height(value: Interval) -> Decimal:
    """The height at which a result is drawn. One below or above a limit is drawn at the limit."""
    return value.low if value.high is None else value.high


def _bound(value: Interval) -> Bound | None:
    if value.high is None:
        return Bound.ABOVE
    return Bound.BELOW if value.low == 0 and value.low_open else None
