"""The rows on the cohort and the run: who is in, who fell out and why, outcomes of a CSV, how times were known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.rows.charting import Charting
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseRow, GradeDayRow, MarkerRow
from cds_server.evaluation.rows.moments import CardRow, EpisodeRow, EventRow, MomentRow


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One line of `outcomes.csv`, its patient hashed. `course` is the n-th of the patient."""

    patient: str
    course: int
    event: str
    at: datetime | None
    value: str
    line: int
    until: datetime | None = None  # the latest moment that the date stands for


@dataclass(frozen=True)
class Outcomes:
    """The outcomes that were supplied besides FHIR.

    An event that `supplied` lacks is not known of anyone. Of one that it holds, a patient without a row had none.
    """

    supplied: frozenset[str] = frozenset()
    rows: tuple[OutcomeRow, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One step of who is in: the number of patients and courses left, or that fell out, by reason. Before a course is
    looked for, `courses` is None."""

    step: str
    patients: int
    courses: int | None


@dataclass(frozen=True, slots=True)
class AvailabilityRow:
    """The way in which the time at which data were known was found, and for how many."""

    quantity: str  # laboratory, vital signs, administrations, …
    source: str  # issued, last-updated, delay, effective, end-of-day, …
    count: int


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """The resources of one type in one month of the export, and how many of them were set aside."""

    type: str
    month: str  # YYYY-MM, or "" where the resource has no time
    resources: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """Something that the export lacks, and what therefore cannot be said."""

    what: str  # a type, a file, a line
    why: str
    count: int
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """A threshold or a card mode in which the rules of `--compare` differ from the site's."""

    rule: str
    here: str
    other: str


@dataclass(frozen=True)
class Run:
    """The means that an evaluation was made with. `constructed` patients are marked as test data in the export."""

    version: str
    rules_hash: str
    compare_hash: str
    protocol_hash: str
    seed: int
    policy: str
    exported_at: datetime | None
    patients: int
    seconds: float = 0.0
    constructed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """Everything that was worked out, before statistics.

    The tables of what was said can be long: each can be walked as often as needed, and is read from its file each time.
    """

    protocol: Protocol
    run: Run
    zone_name: str
    flow: tuple[FlowRow, ...]
    inventory: tuple[InventoryRow, ...]
    unread: tuple[UnreadRow, ...]
    availability: tuple[AvailabilityRow, ...]
    courses: tuple[CourseRow, ...]
    markers: tuple[MarkerRow, ...]
    outcomes: Outcomes
    grade_days: Iterable[GradeDayRow]
    charted_grades: Iterable[ChartedGradeRow]
    moments: Iterable[MomentRow]
    cards: Iterable[CardRow]
    episodes: Iterable[EpisodeRow]
    events: Iterable[EventRow]
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # value set → codes: the appendix
    thresholds: Mapping[str, Decimal] = field(default_factory=dict)
    changed: tuple[ChangedRule, ...] = ()
    charting: Charting = field(default_factory=Charting)
