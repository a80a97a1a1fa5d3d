"""The protocol of an evaluation: every definition that a reader may want to change, in one TOML file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from cds_server.evaluation.rows.moments import Shown
from cds_server.limits import SettingsError
from cds_server.toml_file import toml_table
from fhir_mappings.known_at.delays import Delays


class PValues(Enum):
    """The comparisons that a p-value stands beside."""

    NONE = "none"
    LISTED = "listed"


@dataclass(frozen=True)
class Cohort:
    """The courses that count, by day 0, in local days, both included."""

    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Moments:
    """The policy: the local hours at which the chart is opened, and what else makes a call."""

    chart_opened: tuple[time, ...] = (time(8), time(20))
    every_hours: int = 0  # in place of the hours above, 0 for none
    results: bool = True
    grade_changes: bool = True
    orders: bool = True
    order_pause_seconds: int = 60  # orders signed within it are one call


@dataclass(frozen=True)
class FollowUp:
    """The time of a course that is looked at. Days count from the last infusion; those of ICANS and of the windows of
    markers from day 0."""

    days: int = 60
    late_fever_after_days: int = 14
    culture_near_onset_hours: int = 48
    quiet_hours: int = 24
    reopens_within_hours: int = 72
    grade_known_share: Decimal = Decimal("0.80")
    died_in_severe_days: int = 7
    icans_until_day: int = 30
    icans_charted_until_day: int = 14
    study_window_ends_day: int = 30
    crs_window_ends_day: int = 10
    severe_window_hours: int = 48
    agreement_beside_hours: int = 24  # before the onset of CRS and after its end


@dataclass(frozen=True)
class Availability:
    """The delays from the drawing of a sample to its result, where the record does not say, in hours."""

    il6_crp_hours: Decimal = Decimal(2)
    culture_hours: Decimal = Decimal(24)
    other_laboratory_hours: Decimal = Decimal(1)
    laboratory_at_most_hours: int = 7 * 24
    charted_at_most_hours: int = 12
    corrected_after_hours: int = 24
    order_lasts_hours: int = 24

    @property
    def delays(self) -> Delays:
        """The same as spans of time."""
        return Delays(
            il6_crp=hours(self.il6_crp_hours),
            culture=hours(self.culture_hours),
            other_result=hours(self.other_laboratory_hours),
            result_at_most=hours(self.laboratory_at_most_hours),
            charted_at_most=hours(self.charted_at_most_hours),
            corrected_after=hours(self.corrected_after_hours),
            order_lasts=hours(self.order_lasts_hours),
        )


@dataclass(frozen=True)
class Cards:
    """The numbers of the chapter on the cards."""

    new_after_hours: int = 12
    episode_gap_hours: int = 24
    preceded_at_least_minutes: int = 1
    preceded_at_most_hours: int = 24
    order_before_start_hours: int = 6
    dose_merge_minutes: int = 60
    ordered_within_hours: tuple[int, ...] = (4, 8, 24)
    severe_within_hours: tuple[int, ...] = (24, 48)
    untreated_after_hours: int = 8
    as_configured: bool = False  # else cards that are tried in shadow count as if live
    hold_hours: int = 0

    @property
    def counted(self) -> frozenset[Shown]:
        """The showings that count."""
        return frozenset({Shown.ACTIVE}) if self.as_configured else frozenset({Shown.ACTIVE, Shown.SHADOW})


@dataclass(frozen=True)
class Comparisons:
    """The comparisons that were planned, and the tests beside them."""

    p: PValues = PValues.NONE
    listed: tuple[str, ...] = ()
    table1_p: bool = False
    fragile_below_events: int = 5
    landmark_hours: int = 24  # after onset
    grade_before_hours: int = 6  # the grade for which the model is adjusted


@dataclass(frozen=True)
class Statistics:
    """The numbers of the statistics."""

    seed: int = 20220101
    bootstrap: int = 1000
    least_events: int = 10
    events_a_term: int = 10
    small_cell: int = 7


@dataclass(frozen=True)
class Protocol:
    """The definitions of an evaluation. `title` and `note` are printed on the report; `constructed`: the note says that
    the patients were made up."""

    title: str = "Retrospective evaluation of crs-cds"
    note: str = ""
    constructed: bool = False
    cohort: Cohort = field(default_factory=Cohort)
    moments: Moments = field(default_factory=Moments)
    follow_up: FollowUp = field(default_factory=FollowUp)
    availability: Availability = field(default_factory=Availability)
    cards: Cards = field(default_factory=Cards)
    comparisons: Comparisons = field(default_factory=Comparisons)
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def hash(self) -> str:
        """A digest of every definition, defaults included."""
        return hashlib.sha256(msgspec.json.encode(asdict(self))).hexdigest()[:12]


def hours(number: int | Decimal) -> timedelta:
    """A number of hours as a span."""
    return timedelta(seconds=float(number) * 3600)


def protocol_of(file: Path | None) -> Protocol:
    """The protocol in a TOML file, the rest by default. Raises SettingsError, which names table and field."""
    table = {} if file is None else toml_table("--protocol", file)
    found: Protocol = _filled(Protocol(), table, "")
    return found


def _filled(default: Any, table: Mapping[str, Any], above: str) -> Any:
    """A table of the protocol with the values of a file. Raises SettingsError."""
    types = get_type_hints(type(default))
    for name in table:
        if name not in types:
            raise SettingsError(f"--protocol: {above}{name} is unknown; there is {', '.join(types)}.")
    found = {}
    for name, value in table.items():
        inner = getattr(default, name)
        if is_dataclass(inner) and isinstance(value, Mapping):
            found[name] = _filled(inner, value, f"{name}.")
        else:
            found[name] = _value(value, types[name], f"{above}{name}")
    return replace(default, **found)


def _value(value: object, wanted: Any, name: str) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except (msgspec.ValidationError, ArithmeticError) as error:
        raise SettingsError(f"--protocol: {name} does not have a value of this field; see docs/evaluate.md.") from error
