"""Texts that a second reader wrote from memory of hospitals, before he saw the tables of words.

They measure the vocabulary: at least nine in ten of what a nurse or a pharmacist places is read, and nothing of what
she would not place. What failed was mended for its kind, so that all of them are read now. Their tables stand in
`second_reader/`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.text_readings import (
    cells_of_administration,
    cells_of_procedure,
    device_read,
    device_wanted,
    read_as,
    table,
)

DEVICES = table("second_reader/devices_read.txt")
NO_DEVICES = table("second_reader/devices_not_read.txt")
DRUGS = table("second_reader/drugs.txt")
CELLS = table("second_reader/car_t.txt")


@pytest.mark.parametrize("row", DEVICES, ids=lambda row: row["text"])
def test_a_device_that_a_nurse_places_is_read_with_its_numbers(row: dict[str, str]) -> None:
    assert device_read(row["text"]) == device_wanted(row)


@pytest.mark.parametrize("row", NO_DEVICES, ids=lambda row: row["text"])
def test_a_device_that_is_off_planned_refused_or_something_else_is_no_row_and_no_room_air(row: dict[str, str]) -> None:
    assert device_read(row["text"])[0] == ""


@pytest.mark.parametrize("row", DRUGS, ids=lambda row: row["text"])
def test_a_drug_is_read_as_a_pharmacist_would(row: dict[str, str]) -> None:
    assert read_as(row["text"]) == row["wanted"]


@pytest.mark.parametrize("row", CELLS, ids=lambda row: row["text"])
def test_an_infusion_of_cells_is_told_from_what_happens_around_it(row: dict[str, str]) -> None:
    assert (cells_of_procedure(row["text"]), cells_of_administration(row["text"])) == (row["wanted"], row["wanted"])


def test_the_tables_are_long_enough_to_measure() -> None:
    assert len(DEVICES) >= 150
    assert len(NO_DEVICES) >= 150
    assert len(DRUGS) >= 200
    assert len(CELLS) >= 80
    rules = Counter(row["rule"] for row in DRUGS)
    assert min(rules[rule] for rule in "345") >= 20
