"""The mapping from FHIR date, dateTime and instant to a Moment in UTC. A time without an offset is not a time.

Python subtracts two datetimes of one zone by their wall clocks, which is an hour off across a clock change. That is
why every instant is converted to UTC when it is read, and back to the facility's zone only when it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from fhir_mappings.facts.time_and_range import Moment

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(\.\d{1,12})?(Z|[+-]\d\d:\d\d))?", re.ASCII)

_OFFSET = re.compile(r"Z|[+-]\d\d:\d\d", re.ASCII)
_WITHOUT_OFFSET = re.compile(r"(?:\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,12})?,)*", re.ASCII)
KEPT_TIMES = 256  # more of them would lie scattered over the memory of a long chart and keep it from being freed
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200  # outside lies a charting mistake, with which no date arithmetic is safe


class BadTimeError(ValueError):
    """A time that cannot be placed; the message names no patient data."""


@lru_cache(KEPT_TIMES)
def moment(text: str, zone: tzinfo) -> Moment:
    """The Moment of a FHIR dateTime or instant; a date stands for the local day in `zone`.

    Raises BadTimeError for a year or month alone, a time without offset, or no date at all. The last results are
    cached because many values of a chart share one time.
    """
    if _DATE_TIME.fullmatch(text) is None:
        raise BadTimeError("time is no FHIR dateTime of at least a day with, if timed, an offset")
    if not EARLIEST_YEAR <= int(text[:4]) <= LATEST_YEAR:
        raise BadTimeError("time is impossible")
    try:
        if len(text) == len("2026-03-02"):
            return day(date.fromisoformat(text), zone)
        instant = datetime.fromisoformat(text).astimezone(UTC)  # of a fraction it takes six digits
    except ValueError as error:
        raise BadTimeError("time is impossible") from error
    return Moment(instant, instant)


def sorting_texts(texts: Sequence[str]) -> list[str] | None:
    """The times as texts that sort as the times do, where all have seconds and one offset; None where they have not.
    There is at least one.

    A long page is looked through in a tenth of the time. Raises BadTimeError for a day that is none.
    """
    offset = "Z" if texts[0].endswith("Z") else texts[0][-len("+08:00") :]
    if _OFFSET.fullmatch(offset) is None or not all(text.endswith(offset) for text in texts):
        return None
    plain = [text[: -len(offset)] for text in texts]
    if _WITHOUT_OFFSET.fullmatch("".join(f"{text}," for text in plain)) is None:
        return None
    for one in {text[:10] for text in plain}:
        moment(one, UTC)
    return plain


def day(local: date, zone: tzinfo) -> Moment:
    """The whole local day, from its midnight to its last microsecond."""
    after = local + timedelta(days=1)
    start = datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)
    end = datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)
    return Moment(start, end - timedelta(microseconds=1))


def own_offset(text: str) -> tzinfo | None:
    """The offset written in a dateTime, or None for `Z`, +00:00 or a date."""
    match = _DATE_TIME.fullmatch(text)
    if match is None or match.group(4) in (None, "Z", "+00:00", "-00:00"):
        return None
    return datetime.fromisoformat(f"2000-01-01T00:00:00{match.group(4)}").tzinfo


def moment_or_none(text: str | None, zone: tzinfo) -> datetime | None:
    """The latest instant that a time stands for; None where there is none, or none that can be read."""
    try:
        return moment(text, zone).latest if text else None
    except BadTimeError:
        return None
