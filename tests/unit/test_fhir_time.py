"""FHIR times: an instant in UTC, a local day, or a refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.reading.fhir_time import BadTimeError, moment, own_offset, sorting_texts

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T10:00:00+08:00", datetime(2026, 3, 2, 2, tzinfo=UTC)),
        ("2026-03-02T02:00:00Z", datetime(2026, 3, 2, 2, tzinfo=UTC)),
        ("2026-03-02T02:00Z", datetime(2026, 3, 2, 2, tzinfo=UTC)),
        ("2026-03-02T02:00:00.123456789Z", datetime(2026, 3, 2, 2, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_an_instant(text: str, instant: datetime) -> None:
    found = moment(text, SHANGHAI)
    assert (found.earliest, found.latest, found.is_date) == (instant, instant, False)
    assert found.earliest.tzinfo is UTC


def test_a_date_is_the_local_day() -> None:
    found = moment("2026-03-02", SHANGHAI)
    assert (found.earliest, found.is_date) == (datetime(2026, 3, 1, 16, tzinfo=UTC), True)
    assert found.latest < datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2026-03", "2026-13-45", "2026-02-30", "2026-03-02T10:00:00", "2026-03-02 10:00:00Z", "20260302",
        "2026-W10-1", "2026-03-02T25:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "yesterday",
        "2026-03-02T10:00:00+99:00", "\u0662\u0660\u0662\u0666-03-02",
    ],
)  # fmt: skip
def test_what_cannot_be_placed_is_refused(text: str) -> None:
    with pytest.raises(BadTimeError):
        moment(text, SHANGHAI)


def test_the_offset_that_is_written() -> None:
    written = own_offset("2026-03-02T10:00:00+08:00")
    assert written is not None
    assert written.utcoffset(None) == SHANGHAI.utcoffset(datetime(2026, 3, 2))  # noqa: DTZ001
    assert own_offset("2026-03-02T02:00:00Z") is None


@pytest.mark.parametrize(
    "oldest_first",
    [
        ["2026-03-01T23:59:59Z", "2026-03-02T09:00:00Z", "2026-03-02T09:00:00.5Z", "2026-03-02T09:00:00.52Z"],
        ["2026-02-28T09:00:00+08:00", "2026-03-02T09:00:00+08:00", "2026-03-02T09:00:00.04+08:00"],
        ["2026-03-02T09:00:00.123-05:00", "2026-03-02T09:00:00.13-05:00", "2026-03-02T09:00:01-05:00"],
    ],
    ids=["Z", "east", "west"],
)
def test_times_of_one_offset_sort_as_texts(oldest_first: list[str]) -> None:
    assert sorted(oldest_first, key=lambda text: moment(text, UTC).latest) == oldest_first
    plain = sorting_texts(oldest_first)
    assert plain is not None
    assert sorted(plain) == plain


@pytest.mark.parametrize(
    "texts",
    [
        ["2026-03-02T09:00:00Z", "2026-03-02T09:00:00+08:00"],
        ["2026-03-02T09:00:00Z", "2026-03-02"],
        ["2026-03-02", "2026-03-02T09:00:00Z"],
        ["2026-03-02T09:00Z"],
        ["2026-03-02T24:00:00Z"],
        ["2026-03-02T09:00:00Z 2026-03-02T09:00:00Z"],
        ["2026-03-02T09:00:00.Z"],
        [""],
    ],
)
def test_times_of_any_other_form_do_not(texts: list[str]) -> None:
    assert sorting_texts(texts) is None


def test_a_day_that_is_none_is_no_time_among_others_either() -> None:
    with pytest.raises(BadTimeError):
        sorting_texts(["2026-03-02T09:00:00Z", "2026-02-30T09:00:00Z"])
