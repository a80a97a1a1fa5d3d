"""The windows in which a sample counts for the rise of a marker, to the minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.evaluations import evaluated, export
from tests.support.tables import moment_of, name_of, patient, rows

# infused on D0 at 10:00; fever from D4 06:00 to D5 22:00
SIGNS = "; ".join(
    f"T {39 if day in (4, 5) else 36.8} @D{day} {clock}; SBP 118 @D{day} {clock}; device RA @D{day} {clock}"
    for day in range(1, 10)
    for clock in ("06:00", "14:00", "22:00")
)

WINDOWS = rows("""
| drawn     | beside                         | crs | severe | study | because                                          |
| D5 11:59  | toci 560 @D5 12:00             | yes | yes    | yes   | a minute before the first dose                   |
| D5 12:00  | toci 560 @D5 12:00             | no  | no     | no    | with it                                          |
| D5 12:02  | toci 560 @D5 12:00             | no  | no     | no    | two minutes after it: no clock is that far ahead |
| D6 06:00  | –                              | yes | yes    | yes   | 48 h after onset                                 |
| D6 06:01  | –                              | yes | no     | yes   | a minute later                                   |
| D10 23:59 | –                              | yes | no     | yes   | the last minute of day 10                        |
| D11 00:01 | –                              | no  | no     | yes   | day 11                                           |
| D30 23:59 | –                              | no  | no     | yes   | the last minute of day 30                        |
| D31 00:01 | –                              | no  | no     | no    | day 31                                           |
| D5 09:59  | device HFNC @D5 10:00          | yes | yes    | yes   | not yet severe                                   |
| D5 10:01  | device HFNC @D5 10:00          | yes | no     | yes   | severe already                                   |
""")


@pytest.mark.parametrize("row", WINDOWS, ids=name_of)
def test_a_sample_counts_in_the_windows_in_which_it_was_drawn(row: dict[str, str], tmp_path: Path) -> None:
    beside = "" if row["beside"] == "–" else f"; {row['beside']}"
    resources = patient(f"{SIGNS}; il6 10 @D0 08:00; il6 900 @{row['drawn']}{beside}")
    found = evaluated(export(tmp_path / "export", resources), tmp_path / "work")
    counted = {one.window: one.peak_low for one in found.markers if one.marker == "il6"}
    assert counted == {window: 900 if row[window] == "yes" else None for window in ("crs", "severe", "study")}


def test_a_result_that_came_after_the_dose_counts_by_its_draw(tmp_path: Path) -> None:
    """The group is of what the blood held, not of what was known at the dose."""
    resources = patient(f"{SIGNS}; il6 10 @D0 08:00; il6 900 @D5 06:00; toci 560 @D5 12:00")
    (late,) = [one for one in resources if one.get("valueQuantity", {}).get("value") == 900]
    late["issued"] = moment_of("D7 06:00").isoformat()
    found = evaluated(export(tmp_path / "export", resources), tmp_path / "work")
    (course,) = found.courses
    assert (course.il6_group, course.il6_verdict_at_first_dose) == ("high", "unknown")
