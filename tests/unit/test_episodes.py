"""The episode of CRS in a final chart: onset, end, what came back, and the hours of which the grade is known."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from cds_server.evaluation.episode import Episode, episode_of, hours_decided, hours_known, spans_at_least
from cds_server.evaluation.protocol import FollowUp
from fhir_mappings.course_history import WholeHistory, whole_history
from fhir_mappings.course_search import MappingContext
from fhir_mappings.facts.coverage import Completeness, Coverage, Kind
from fhir_mappings.reading.resource_pool import PatientRecord, ResourcePool
from tests.support.tables import ALL_READ, TERMS, ZONE, T, moment_of, name_of, patient, rows

UNTIL = "D40 00:00"
# the infusion was on D0 at 10:00; the first fever is on D4 at 06:00 and lasts until 22:00
FEVER = "T 38.5 @D4 06:00; T 38.5 @D4 22:00"
PRESSURE, OXYGEN = "SBP 118 @D5 12:00", "device RA @D5 12:00"
QUIET = f"T 36.8 @D5 06:00; T 36.8 @D5 22:00; {PRESSURE}; {OXYGEN}"
MEANINGS = {"FEVER": FEVER, "QUIET": QUIET, "PRESSURE": PRESSURE, "OXYGEN": OXYGEN}


def history_of(chart: str, *, unread: Kind | None = None) -> WholeHistory:
    pool = ResourcePool()
    for number, resource in enumerate(patient(chart)):
        pool.add(json.dumps(resource).encode(), f"entry {number}")
    lost = {unread: Coverage(Completeness.UNREAD, "not in the export")} if unread is not None else {}
    context = MappingContext(TERMS, T, ZONE, "p", None, moment_of(UNTIL))
    found = whole_history(PatientRecord(pool, {**ALL_READ, **lost}), context, 2000)
    assert found is not None
    return found


def episode(chart: str) -> Episode:
    for word, meaning in MEANINGS.items():
        chart = chart.replace(word, meaning)
    return episode_of(history_of(chart), moment_of(UNTIL), FollowUp(), T)


def clock(at: datetime | None) -> str:
    if at is None:
        return ""
    local, first = at.astimezone(ZONE), moment_of("D0 00:00")
    return f"D{(local.date() - first.date()).days} {local:%H:%M}"


ONSET = rows("""
| chart                                    | onset     | late      | because                                      |
| T 38 @D4 06:00                           | D4 06:00  |           | 38.0 °C is fever                             |
| T 37.9 @D4 06:00                         |           |           | less is none                                 |
| T 39 @D0 08:00                           |           |           | before the infusion                          |
| T 39 @D0 10:00                           | D0 10:00  |           | with it                                      |
| T 39 @D14 23:59                          | D14 23:59 |           | day 14 to its end                            |
| T 39 @D15 00:00                          |           | D15 00:00 | a minute later the first fever is late       |
| T 39 @D4 06:00; T 39 @D20 06:00          | D4 06:00  |           | a later fever is no first one                |
""")


@pytest.mark.parametrize("row", ONSET, ids=name_of)
def test_onset_is_the_first_fever_up_to_day_14(row: dict[str, str]) -> None:
    found = episode(row["chart"])
    assert (clock(found.onset), clock(found.late)) == (row["onset"], row["late"])


# what follows the fever
END = rows("""
| chart                                                     | end      | censored | again | because                                                |
| QUIET                                                     | D4 22:00 | no       | 0     | a day with two temperatures, a pressure and oxygen     |
| T 36.8 @D5 06:00; PRESSURE; OXYGEN                        | D5 12:00 | yes      | 0     | one temperature is no proof: censored at the last sign |
| T 36.8 @D5 06:00; T 36.8 @D5 22:00; OXYGEN                | D5 22:00 | yes      | 0     | no pressure                                            |
| T 36.8 @D5 06:00; T 36.8 @D5 22:00; PRESSURE              | D5 22:00 | yes      | 0     | nothing on oxygen                                      |
| T 36.8 @D5 06:00; T 36.8 @D5 22:01; PRESSURE; OXYGEN      | D5 22:01 | yes      | 0     | the second temperature a minute after the 24 h         |
| SBP 84 @D5 02:00; QUIET                                   | D5 02:00 | no       | 0     | a low pressure is a positive sign                      |
| rate norepinephrine 0.1 @D4 20:00; rate norepinephrine 0 @D5 03:00; QUIET | D5 03:00 | no | 0 | a vasopressor is one until it ends                  |
| device NC @D5 02:00; flow 3 @D5 02:00; QUIET              | D5 02:00 | no       | 0     | and so is oxygen                                       |
| QUIET; T 38.5 @D7 22:00; T 36.8 @D8 06:00; T 36.8 @D8 10:00; SBP 118 @D8 10:00; device RA @D8 10:00 | D7 22:00 | no | 0 | a fever 72 h after reopens it |
| QUIET; T 38.5 @D7 22:01                                   | D4 22:00 | no       | 1     | a minute later it is a recrudescence                   |
| QUIET; T 38.5 @D9 06:00; T 38.5 @D11 06:00; T 38.5 @D20 06:00 | D4 22:00 | no   | 2     | two of them, more than 72 h apart                      |
""")


@pytest.mark.parametrize("row", END, ids=name_of)
def test_end_is_the_last_positive_sign_before_a_day_that_was_watched(row: dict[str, str]) -> None:
    found = episode(f"FEVER; {row['chart']}")
    assert (clock(found.end), found.censored, found.recrudescences) == (
        row["end"], row["censored"] == "yes", int(row["again"]),
    )  # fmt: skip


# from the fever on for four hours
DECIDED = rows("""
| chart                                           | unread         | known | decided | because                                                  |
| T 39 @D4 06:00                                  | –              | 4     | 0       | grade 1 at least: nobody charted oxygen                  |
| T 39 @D4 06:00; device RA @D4 06:00             | –              | 4     | 4       | without a pressure it is 2 at most                       |
| T 39 @D4 06:00; device RA @D4 06:00             | administrations | 4    | 0       | a vasopressor may have run                               |
| T 39 @D4 06:00; device RA @D4 06:00             | supports       | 4     | 4       | support is charted as a device too                       |
| T 39 @D4 06:00; device HFNC @D4 06:00           | administrations | 4    | 4       | severe, whatever else there was                          |
| T 36.8 @D4 06:00                                | –              | 4     | 4       | without fever it is 0                                    |
""")
KINDS = {"–": None, "administrations": Kind.ADMINISTRATIONS, "supports": Kind.SUPPORT_PROCEDURES}


@pytest.mark.parametrize("row", DECIDED, ids=name_of)
def test_the_hours_at_which_it_is_known_whether_a_course_is_severe(row: dict[str, str]) -> None:
    history, start = history_of(row["chart"], unread=KINDS[row["unread"]]), moment_of("D4 06:00")
    end = start + timedelta(hours=4)
    found = (hours_known(history, start, end), hours_decided(history, start, end))
    assert found == (float(row["known"]), float(row["decided"]))


GRADE_2 = rows("""
| chart                                                             | from and until                         | because                              |
| T 38.5 @D4 06:00                                                  |                                        | fever alone                          |
| T 38.5 @D4 06:00; SBP 84 @D4 08:00                                | D4 08:00, D4 20:00                     | a low pressure counts for 12 h       |
| T 38.5 @D4 06:00; SBP 84 @D4 08:00; T 38.5 @D5 06:00; SBP 84 @D5 06:00 | D4 08:00, D4 20:00, D5 06:00, D5 18:00 | low, not known, low again       |
| T 38.5 @D4 06:00; device NC @D4 08:00; device RA @D4 12:00        | D4 08:00, D4 12:00                     | oxygen, and then none                |
""")  # fmt: skip


@pytest.mark.parametrize("row", GRADE_2, ids=name_of)
def test_the_times_of_grade_2_or_more(row: dict[str, str]) -> None:
    found = spans_at_least(history_of(row["chart"]), 2, moment_of(UNTIL))
    assert ", ".join(map(clock, found)) == row["from and until"]
