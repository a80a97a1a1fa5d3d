"""The protocol file of an evaluation: what it changes, what it refuses, and the digest that a report carries."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from cds_server.evaluation.protocol import Protocol, protocol_of
from cds_server.limits import SettingsError


def written(folder: Path, text: str) -> Path:
    file = folder / "protocol.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_definitions_are_those_of_the_documentation() -> None:
    assert protocol_of(None) == Protocol()


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    text = 'title = "One year"\n[cohort]\nsince = 2025-01-01\n[moments]\nchart_opened = [07:30:00]\n'
    found = protocol_of(written(tmp_path, text))
    assert (found.title, found.cohort.since, found.moments.chart_opened) == (
        "One year", date(2025, 1, 1), (time(7, 30),),
    )  # fmt: skip
    assert found.follow_up == Protocol().follow_up


def test_every_change_of_a_definition_changes_the_hash(tmp_path: Path) -> None:
    changed = protocol_of(written(tmp_path, "[follow_up]\nquiet_hours = 25\n"))
    assert changed.hash != Protocol().hash
    assert protocol_of(written(tmp_path, "[follow_up]\nquiet_hours = 24\n")).hash == Protocol().hash


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[follow_up]\nquiet_hour = 24\n", "follow_up.quiet_hour is unknown"),
        ("[folow_up]\nquiet_hours = 24\n", "folow_up is unknown"),
        ('[follow_up]\nquiet_hours = "a day"\n', "follow_up.quiet_hours"),
        ("follow_up = 3\n", "follow_up"),
        ('[comparisons]\np = "all"\n', "comparisons.p"),
        ("[cohort\n", "not TOML"),
    ],
)
def test_a_wrong_definition_is_named(tmp_path: Path, text: str, names: str) -> None:
    with pytest.raises(SettingsError, match=names):
        protocol_of(written(tmp_path, text))
