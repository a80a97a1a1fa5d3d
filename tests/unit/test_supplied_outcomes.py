"""`outcomes.csv`: a line that cannot be used is named by its number and no value, and too many of them stop a report."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path

import pytest

from cds_server.evaluation.reading.grouping import id_now
from cds_server.evaluation.reading.outcomes import OutcomesError, SuppliedOutcomes, in_their_courses, read_outcomes
from tests.support.tables import name_of, rows

HEAD = "patient,event,date,value,course"
GOOD = "a,relapse,2026-05-01,,1"
DAYS0 = {"a": {1: date(2026, 3, 2), 2: date(2026, 6, 1)}}


def read(folder: Path, *lines: str) -> SuppliedOutcomes:
    """The outcomes of a file of these lines, and of so many good ones that one bad line stops nothing."""
    file = folder / "outcomes.csv"
    file.write_text("\n".join([HEAD, *lines, *[GOOD] * 20 * len(lines)]), encoding="utf-8")
    return read_outcomes(file, UTC, frozenset({"a", "new"}), {"old": "new"})


BAD = rows("""
| line                          | says                                                       | because                           |
| b,death,2026-05-01,,1         | patient is not in the export                               | nobody of the export              |
| a,fever,2026-05-01,,1         | event is none of severe-infection, icans                   | an event that nobody asks for     |
| a,crs-grade,2026-03-09,2-3,1  | value of crs-grade must be one of 0, 1, 2, 3, 4, 5         | two grades                        |
| a,crs-grade,2026-03-09,,1     | value of crs-grade must be one of                          | no grade                          |
| a,icans,2026-03-09,5,1        | value of icans must be one of 0, 1, 2, 3, 4                | a grade that ICANS has not        |
| a,response,2026-04-01,cr,1    | value of response must be one of CR, NR, PR                | another way to write it           |
| a,x-burden,,high,1            | value of x-burden must be % of blasts, 0 to 100           | a word                            |
| a,x-burden,,,1                | value of x-burden must be % of blasts, 0 to 100           | nothing                           |
| a,x-burden,,nan,1             | value of x-burden must be % of blasts, 0 to 100           | a number that is none             |
| a,x-burden,,101,1             | value of x-burden must be % of blasts, 0 to 100           | more than all                     |
| a,x-burden,,-1,1              | value of x-burden must be % of blasts, 0 to 100           | less than none                    |
| a,x-burden,,40 %,1            | value of x-burden must be % of blasts, 0 to 100           | with its unit                     |
| a,last-seen,,,1               | date is missing, which last-seen needs                     | no date of what rests on a date   |
| a,last-seen,soon,,1           | date must be a FHIR date or dateTime                       | a word                            |
| a,death,01.05.2026,,1         | date must be a FHIR date or dateTime                       | another way to write a date       |
| a,relapse,2026-05-01,,first   | course must be a number from 1 on                          | a word                            |
| a,relapse,2026-05-01,,0       | course must be a number from 1 on                          | courses count from 1              |
""")


@pytest.mark.parametrize("row", BAD, ids=name_of)
def test_a_bad_line_is_named_by_its_number(row: dict[str, str], tmp_path: Path) -> None:
    found = read(tmp_path, row["line"])
    ((number, why),) = found.bad
    assert (number, row["says"] in why, len(found.rows)) == (2, True, 20)


VALUES = ("0", "4.5", "25", "100", "100.0")


def test_a_burden_is_a_share_in_percent(tmp_path: Path) -> None:
    found = read(tmp_path, *(f"a,x-burden,,{value}," for value in VALUES))
    assert [row.value for _, row in found.rows if row.event == "x-burden"] == [*VALUES]
    assert found.bad == ()


def test_a_column_of_one_s_own_takes_any_value(tmp_path: Path) -> None:
    assert read(tmp_path, "a,x-humanised,,,", "a,x-bridging,,2-3 cycles,").bad == ()


def test_the_number_is_that_of_the_file_whatever_lines_are_empty(tmp_path: Path) -> None:
    assert [number for number, _ in read(tmp_path, "", "", "a,x-burden,,high,").bad] == [4]


def test_more_than_one_bad_line_in_twenty_stops_the_report(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text("\n".join([HEAD, *[GOOD] * 18, "a,x-burden,,high,"]), encoding="utf-8")
    with pytest.raises(OutcomesError, match="1 of 19 lines cannot be used: line 20: value of x-burden must be %"):
        read_outcomes(file, UTC, frozenset({"a"}), {})


FILES = rows("""
| content                      | says                                     | because                    |
|                              | the first line must name the column patient | an empty file           |
| patient;event;date           | the first line must name the column patient | semicolons              |
| patient,date                 | the first line must name the column event   | a column is missing     |
""")


@pytest.mark.parametrize("row", FILES, ids=name_of)
def test_a_file_that_is_no_table_of_outcomes_is_one_sentence(row: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "outcomes.csv").write_text(row["content"], encoding="utf-8")
    with pytest.raises(OutcomesError, match=row["says"]):
        read_outcomes(tmp_path / "outcomes.csv", UTC, frozenset(), {})


def test_a_file_that_is_not_there_or_not_utf_8_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match=r"outcomes.csv cannot be read \(No such file or directory\)"):
        read_outcomes(tmp_path / "outcomes.csv", UTC, frozenset(), {})
    (tmp_path / "outcomes.csv").write_bytes(HEAD.encode() + b"\na,relapse,2026-05-01,\xe4,1\n")
    with pytest.raises(OutcomesError, match="cannot be read as a CSV in UTF-8"):
        read_outcomes(tmp_path / "outcomes.csv", UTC, frozenset({"a"}), {})


def test_an_outcome_of_a_merged_id_is_of_the_patient_who_is_there_now(tmp_path: Path) -> None:
    assert {patient for patient, row in read(tmp_path, "old,sct,,,1").rows if row.event == "sct"} == {"new"}


COURSES = rows("""
| line                              | says                                       | because                                |
| a,relapse,2026-03-01,,1           | date lies before the course                | the day before the infusion            |
| a,relapse,2026-03-02,,1           |                                            | day 0 itself                           |
| a,relapse,2026-05-31,,1           |                                            | the last day before the next infusion  |
| a,relapse,2026-06-01,,1           | date lies in a later course of the patient | day 0 of the next course               |
| a,relapse,2026-06-01,,2           |                                            | of the course that it names            |
| a,relapse,2028-06-01,,2           |                                            | a relapse may come years later         |
| a,response,,CR,1                  |                                            | without a date it is of its course     |
| a,relapse,2026-03-01T23:30:00Z,,1 | date lies before the course                | a time of the day before               |
""")


@pytest.mark.parametrize("row", COURSES, ids=name_of)
def test_a_date_outside_the_course_is_named(row: dict[str, str], tmp_path: Path) -> None:
    found = in_their_courses(read(tmp_path, row["line"]), "outcomes.csv", DAYS0, UTC)
    assert found.bad == (((2, row["says"]),) if row["says"] else ())


def test_too_many_dates_outside_their_course_stop_the_report(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text(f"{HEAD}\n{GOOD}\na,relapse,2025-05-01,,1\n", encoding="utf-8")
    found = read_outcomes(file, UTC, frozenset({"a"}), {})
    with pytest.raises(OutcomesError, match="1 of 2 lines cannot be used: line 3: date lies before the course"):
        in_their_courses(found, file.name, DAYS0, UTC)


MERGES = rows("""
| id  | aliases       | now | because                               |
| a   |               | a   | nothing was merged                    |
| a   | a>b           | b   | merged once                           |
| a   | a>b b>c       | c   | merged twice                          |
| a   | a>b b>a       | a   | a circle says nothing                 |
""")


@pytest.mark.parametrize("row", MERGES, ids=name_of)
def test_the_id_that_a_patient_has_now(row: dict[str, str]) -> None:
    aliases = {old: now for old, _, now in (one.partition(">") for one in row["aliases"].split())}
    assert id_now(row["id"], aliases) == row["now"]
