"""Baseline, peak, fold change and verdict of IL-6 and CRP: clinical specification §2.1."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.patient import PatientFacts
from tests.support.tables import T, changed, charted, facts_of, moment_of, name_of, patient, rows, shown_fold

FEVER = "T 38.5 @D3 06:00"


def il6(facts: PatientFacts) -> str:
    """`6.20 high`, `unknown: no_baseline`."""
    return shown_fold(facts, "il6")


VERDICT = rows("""
| chart                                                          | il6                            | because                                                      |
| il6 12 @D0 08:00; il6 48 @D4 07:00                             | 4.00 high                      | exactly fourfold is high                                     |
| il6 12 @D0 08:00; il6 47.99 @D4 07:00                          | 4.00 low                       | just below fourfold is low                                   |
| il6 0.3 @D0 08:00; il6 1.2 @D4 07:00                           | 4.00 high                      | 1.2/0.3 is exactly 4: no binary floats                       |
| il6 18 @D0 08:00; il6 47.7 @D4 07:00                           | 2.65 low                       | Patient A before tocilizumab                                 |
| il6 12 @D0 08:00                                               | unknown: no_peak               | no sample since the infusion                                 |
| il6 12 @D2 07:00; il6 48 @D4 07:00                             | unknown: no_baseline           | no sample of day 0 or the 72 h before                        |
| il6 12 @D0 08:00; il6 20 @D2 07:00                             | unknown: no_recent_sample      | low needs a sample at or after fever onset                   |
| il6 12 @D0 08:00; il6 60 @D2 07:00                             | 5.00 high                      | high needs none                                              |
| il6 12 @D0 08:00; il6 20 @D3 11:59                             | unknown: no_recent_sample      | low needs a sample of the last 24 h                          |
| il6 12 @D0 08:00; il6 20 @D3 12:00                             | 1.67 low                       | 24 h ago is still fresh                                      |
| T 38.1 @D0 04:00; il6 12 @D0 08:00; il6 20 @D4 07:00           | unknown: febrile_baseline      | a baseline drawn in fever cannot carry low                   |
| T 38.1 @D0 04:00; il6 12 @D0 08:00; il6 60 @D4 07:00           | 5.00 high                      | but it can prove high                                        |
| il6 0 @D0 08:00; il6 20 @D4 07:00                              | unknown: zero_baseline         | nothing can be divided by zero                               |
| il6 12 @D0 08:00; il6 21 @D2 07:00; il6 -48 @D4 07:00          | unknown: unusable_sample       | a negative result may have been high: it is no fresh low one |
| il6 12 @D0 08:00; il6 21 @D2 07:00; il6 -9 nmol/L @D4 07:00    | unknown: unusable_sample       | in whatever unit                                             |
| il6 -12 @D0 08:00; il6 60 @D4 07:00                            | unknown: no_baseline           | nor is it a baseline                                         |
| il6 100000000000000 @D0 08:00; il6 60 @D4 07:00                | unknown: no_baseline           | nor more than plasma holds of all proteins                   |
| il6 <1.5 @D0 08:00; il6 20 @D4 07:00                           | 13.33–∞ high                   | a baseline below 1.5 proves high                             |
| il6 <1.5 @D0 08:00; il6 2 @D4 07:00                            | unknown: censored_inconclusive | and never low                                                |
| il6 2 @D0 08:00; il6 >5000 @D4 07:00                           | 2500.00–∞ high                 | a peak above 5000 proves high                                |
| il6 2000 @D0 08:00; il6 >5000 @D4 07:00                        | unknown: censored_inconclusive | unless the baseline was high                                 |
| il6 12 @D0 08:00; il6 <1.5 @D4 07:00                           | 0.00–0.125 low                 | a peak below 1.5 is low                                      |
| il6 12 @D0 08:00; il6 20 @D4 07:00; il6 60 @D4 07:00           | unknown: two_results           | two values for one time span both verdicts                   |
| il6 10 @D0 08:00; il6 30 @D0 08:00; il6 60 @D4 07:00           | unknown: two_results           | two baselines of one time                                    |
| il6 <12 @D0 08:00; il6 20 @D4 07:00; il6 60 @D4 07:00          | unknown: censored_inconclusive | and a baseline below a limit                                 |
| il6 12 @D0 08:00; il6 20 @D4 07:00; il6 60 @D4 07:00; il6 70 @D4 09:00 | 5.83 high              | a later one of its own decides                               |
| il6 12 @D0 08:00; toci 560 @D3 12:00; il6 20 @D3 07:00; il6 5200 @D4 07:00 | 1.67 low           | after tocilizumab IL-6 no longer counts                      |
| il6 12 @D0 08:00; il6 20 @D3 07:00; toci 560 @D3 07:00         | unknown: no_peak               | a sample drawn at the dose is excluded                       |
| il6 12 @D0 08:00; il6 90 @D-10 07:00; il6 20 @D4 07:00         | 1.67 low                       | samples long before the infusion are not peaks               |
| toci 560 @D-20 10:00; il6 12 @D0 08:00; il6 60 @D4 07:00       | unknown: prior_il6r_blockade   | tocilizumab 20 days before                                   |
| toci 560 @D-29 10:00; il6 12 @D0 08:00; il6 60 @D4 07:00       | 5.00 high                      | 29 days before no longer matters                             |
| give sarilumab 200 SC @D2 10:00; il6 12 @D0 08:00; il6 60 @D4 07:00 | unknown: prior_il6r_blockade | another blocker under the skin, for another reason         |
""")


@pytest.mark.parametrize("row", VERDICT, ids=name_of)
def test_il6(row: dict[str, str]) -> None:
    assert il6(facts_of(patient(f"{FEVER}; {row['chart']}"))) == row["il6"]


CRP = rows("""
| chart                                                     | crp                            | because                                              |
| crp 30 @D0 08:00; crp 54.9 @D4 07:00                      | 1.83 low                       | exactly 1.83 is not above it                         |
| crp 30 @D0 08:00; crp 54.91 @D4 07:00                     | 1.83 high                      | just above is                                        |
| crp 0.3 @D0 08:00; crp 0.549 @D4 07:00                    | 1.83 low                       | 0.549/0.3 is exactly 1.83: no binary floats          |
| crp 3 mg/dL @D0 08:00; crp 60 @D4 07:00                   | 2.00 high                      | 3 mg/dL is 30 mg/L                                   |
| crp 30 @D0 08:00; toci 560 @D3 12:00; crp 9 @D4 07:00; crp 60 @D3 07:00 | 2.00 high       | a low CRP after tocilizumab never clears it          |
| crp 10 @D0 08:00; toci 560 @D3 08:00; crp 60 @D4 07:00    | 6.00 high                      | even where none was drawn between infusion and dose  |
| crp 30 @D0 08:00; crp 31 @D3 07:00; toci 560 @D3 12:00; crp 90 @D4 07:00 | 1.03 high      | a rise after tocilizumab raises it all the same      |
| crp 100 @D0 08:00; crp 101 @D3 07:00; toci 560 @D3 12:00; crp 183 @D4 07:00 | 1.01 low   | one of exactly the limit does not: CRP must exceed it |
| crp 30 nmol/L @D0 08:00; crp 60 nmol/L @D4 07:00          | 2.00 high                      | nmol/L: a ratio within one unit                      |
| crp 30 nmol/L @D0 08:00; crp 60 @D4 07:00                 | unknown: unusable_sample       | but not between nmol/L and mg/L                      |
| crp 10 @D0 08:00; crp 12 @D4 07:00; crp 60 @D4 07:00      | unknown: two_results           | two results of one minute: which of them is not known |
| crp 30 @D0 08:00; crp 20 @D2 07:00; crp -90 @D4 07:00     | unknown: unusable_sample       | a negative result may have been high                 |
| crp 30 @D0 08:00; crp 20 @D2 07:00; crp 90 stones @D4 07:00 | unknown: unusable_sample     | a unit nobody knows may have been any value          |
| crp 90 @D-10 07:00; crp 10 @D0 08:00; crp 11 @D4 07:00    | 1.10 low                       | a CRP long before the infusion is no rise            |
| crp 10 @D0 08:00; toci 560 @D3 12:00; crp 90 @D3 12:00    | 9.00 high                      | drawn as tocilizumab began                           |
""")


@pytest.mark.parametrize("row", CRP, ids=name_of)
def test_crp(row: dict[str, str]) -> None:
    assert shown_fold(facts_of(patient(f"{FEVER}; {row['chart']}")), "crp") == row["crp"]


BASELINE = rows("""
| chart                                    | baseline | tier | because                                                        |
| il6 10 @D0 07:00; il6 12 @D0 09:00       | 12       | 1    | the last of day 0 up to the infusion                           |
| il6 10 @D0 10:00                         | 10       | 1    | drawn at its very start                                        |
| il6 10 @D-1 20:00; il6 12 @D0 12:00      | 10       | 2    | else the last of the 24 h before                               |
| il6 12 @D0 12:00; il6 14 @D0 20:00       | 12       | 3    | else the first of day 0 after it, before fever                 |
| il6 10 @D-3 11:00                        | 10       | 4    | else the last of the 72 h before                               |
| il6 10 @D-3 09:00                        | –        | 0    | 73 h before is too early                                       |
| il6 10 @D0 00:00                         | 10       | 1    | midnight is of day 0                                           |
| il6 10 @D-1 10:00                        | 10       | 2    | exactly 24 h before                                            |
| il6 10 @D-1 09:59                        | 10       | 4    | a minute more                                                  |
| il6 10 @D0                               | 10       | 1    | on day 0, its time not known                                   |
| il6 10 @D0; il6 12 @D0 09:00             | 12       | 1    | one whose time is known comes first                            |
| il6 10 @D-3                              | –        | 0    | a date that may be more than 72 h before                       |
| il6 10 @D1                               | –        | 0    | a date after day 0                                             |
| T 38.5 @D0 12:00; il6 10 @D0 11:59       | 10       | 3    | after the infusion, a minute before fever                      |
| T 38.5 @D0 12:00; il6 10 @D0 12:00       | –        | 0    | as fever began                                                 |
| T 38.5 @D0 12:00; il6 10 @D0 14:00       | –        | 0    | in fever                                                       |
""")


@pytest.mark.parametrize("row", BASELINE, ids=name_of)
def test_baseline(row: dict[str, str]) -> None:
    fold = facts_of(patient(f"{FEVER}; {row['chart']}; il6 99 @D4 07:00")).il6
    shown = f"{fold.baseline.value.low:f}" if fold.baseline else "–"
    assert (shown, str(fold.baseline_tier)) == (row["baseline"], row["tier"])


BY_DATE = rows("""
| chart                                                          | il6                       | baseline | tier | because                                                             |
| il6 10 @D0 08:00; il6 12 @D0 20:00; il6 20 @D4 07:00           | 2.00 low                  | 10       | 1    | the first sample of that day                                        |
| il6 10 @D-1 20:00; il6 20 @D4 07:00                            | 2.00 low                  | 10       | 2    | else the last of the 24 h before that day                           |
| il6 10 @D1 00:00; il6 20 @D4 07:00                             | unknown: no_baseline      | –        | 0    | the next midnight is of another day                                 |
| il6 10 @D0 08:00; il6 90 @D0 20:00; il6 20 @D4 07:00           | 2.00 low                  | 10       | 1    | nothing of that day is a peak                                       |
| il6 10 @D0 08:00; il6 90 @D1 00:00; il6 20 @D4 07:00           | 9.00 high                 | 10       | 1    | from the next midnight on it is                                     |
| il6 10 furlong @D0 07:00; il6 10 @D0 09:00; il6 20 @D4 07:00   | unknown: unusable_sample  | 10       | 1    | the first of that day could not be read                             |
| il6 10 @D0 08:00; il6 10 furlong @D0 09:00; il6 20 @D4 07:00   | 2.00 low                  | 10       | 1    | a later one changes nothing                                         |
| T 38.5 @D0 03:00; il6 10 @D0 08:00; il6 20 @D4 07:00           | unknown: febrile_baseline | 10       | 1    | the first of that day, drawn in fever                               |
""")


@pytest.mark.parametrize("row", BY_DATE, ids=name_of)
def test_an_infusion_known_by_date_only(row: dict[str, str]) -> None:
    fold = facts_of(patient(f"car-t tisagenlecleucel @D0; {FEVER}; {row['chart']}", infused=False))
    baseline = f"{fold.il6.baseline.value.low:f}" if fold.il6.baseline else "–"
    assert (il6(fold), baseline, str(fold.il6.baseline_tier)) == (row["il6"], row["baseline"], row["tier"])


def test_a_baseline_drawn_after_fever_began_carries_no_small_rise_however_long_after() -> None:
    """A site may let a baseline count from 12 h after an earlier fever on; after onset none does."""
    chart = "car-t tisagenlecleucel @D0; T 38.5 @D0 03:00; T 38.5 @D3 06:00; il6 10 @D0 20:00; il6 20 @D4 07:00"
    site = replace(T, baseline_after_fever=timedelta(hours=12))
    assert il6(facts_of(patient(chart, infused=False), thresholds=site)) == "unknown: febrile_baseline"


DATED = rows("""
| chart                                                          | il6                       | because                                                             |
| T 38.5 @D0 23:00; il6 10 @D0; il6 20 @D4 07:00                 | unknown: febrile_baseline | a baseline of that date may have been drawn after fever began       |
| T 38.5 @D1 00:00; il6 10 @D0; il6 20 @D4 07:00                 | 2.00 low                  | fever from the next midnight on                                     |
| T 38.5 @D-1 00:00; il6 10 @D0; il6 20 @D4 07:00                | unknown: febrile_baseline | it may have been drawn 24 h after fever                             |
| T 38.5 @D-2 23:59; il6 10 @D0; il6 20 @D4 07:00                | 2.00 low                  | but not more than 24 h after it                                     |
| il6 10 @D0 08:00; toci 560 @D3; il6 90 @D3 02:00               | unknown: no_peak          | a dose of that date may have been given at its first minute         |
| il6 10 @D0 08:00; toci 560 @D4; il6 20 @D3 23:59               | 2.00 low                  | the minute before that date                                         |
| il6 10 @D0 08:00; toci 560 @D4 08:00; il6 90 @D4; il6 20 @D4 07:00 | 2.00 low              | a sample of that date may have been drawn after the dose            |
| il6 10 @D0 08:00; toci 560 @D4 08:00; il6 90 @D3; il6 20 @D4 07:00 | 9.00 high             | one of the date before was not                                      |
""")


@pytest.mark.parametrize("row", DATED, ids=name_of)
def test_samples_and_doses_known_by_date_only(row: dict[str, str]) -> None:
    assert il6(facts_of(patient(f"{FEVER}; {row['chart']}"))) == row["il6"]


DAYS = rows("""
| chart                                                | at        | il6              | because                                                  |
| T 39 @D30 06:00; il6 10 @D0 08:00; il6 90 @D30 23:59 | D31 12:00 | 9.00 high        | the last minute of day 30                                |
| T 39 @D30 06:00; il6 10 @D0 08:00; il6 90 @D31 00:00 | D31 12:00 | unknown: no_peak | day 31 is after the study's days                         |
""")


@pytest.mark.parametrize("row", DAYS, ids=name_of)
def test_the_peak_ends_with_day_30(row: dict[str, str]) -> None:
    assert il6(facts_of(patient(row["chart"]), as_of=moment_of(row["at"]))) == row["il6"]


UNREADABLE = rows("""
| chart                                                                            | il6                      | because                                                            |
| il6 10 furlong @D0 07:00; il6 10 @D0 08:00; il6 20 @D4 07:00                     | 2.00 low                 | one from before the baseline would not have been it                |
| il6 10 furlong @D0 08:00; il6 10 @D0 08:00; il6 20 @D4 07:00                     | unknown: unusable_sample | drawn with the baseline it may have been lower                     |
| il6 10 @D0 08:00; il6 10 furlong @D0 08:00; il6 20 @D4 07:00                     | unknown: unusable_sample | in whatever order the two came                                     |
| il6 30 nmol/L @D0 10:00; il6 10 @D0 10:00; il6 20 @D4 07:00                      | 2.00 low                 | another unit, as the infusion began: no peak                       |
""")


@pytest.mark.parametrize("row", UNREADABLE, ids=name_of)
def test_a_result_that_cannot_be_used(row: dict[str, str]) -> None:
    assert il6(facts_of(patient(f"{FEVER}; {row['chart']}"))) == row["il6"]


def test_a_result_without_a_time_may_have_been_the_peak() -> None:
    found = patient(f"{FEVER}; il6 10 @D0 08:00; il6 15 @D4 07:00; il6 60 @D4 09:00")
    del found[-1]["effectiveDateTime"]
    assert il6(facts_of(found)) == "unknown: unusable_sample"


def test_a_preliminary_result_that_would_make_it_high_leaves_it_unknown() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 60 @D4 09:00")
    found[-1] = changed(found[-1], status="preliminary")
    assert il6(facts_of(found)) == "unknown: preliminary"


def test_a_corrected_result_beats_the_final_one_of_the_same_time() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 60 @D4 07:00; il6 20 @D4 07:00")
    found[-1] = changed(found[-1], status="corrected")
    assert il6(facts_of(found)) == "1.67 low"


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", "unknown"])
def test_results_that_were_never_results_do_not_count(status: str) -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 600 @D4 09:00")
    found[-1] = changed(found[-1], status=status)
    assert il6(facts_of(found)) == "1.67 low"


TEXTS = rows("""
| text           | il6                            | because                                      |
| 60             | 5.00 high                      | a number in a text, unit of its neighbours   |
| 60 pg/mL       | 5.00 high                      | with its unit                                |
| 60,5           | 5.04 high                      | a decimal comma                              |
| > 5000 pg/mL   | 416.67–∞ high                  | a comparator and a space                     |
| 1,234          | unknown: unusable_sample       | may be thousands or a decimal: rejected      |
| see comment    | unknown: unusable_sample       | no number                                    |
""")


@pytest.mark.parametrize("row", TEXTS, ids=name_of)
def test_results_as_text(row: dict[str, str]) -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 1 @D4 09:00")
    text = {k: v for k, v in found[-1].items() if k != "valueQuantity"}
    found[-1] = changed(text, valueString=row["text"])
    assert il6(facts_of(found)) == row["il6"]


def test_cerebrospinal_fluid_is_no_serum() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 900 @D4 09:00")
    found[-1] = changed(found[-1], specimen={"display": "Cerebrospinal fluid"})
    assert il6(facts_of(found)) == "unknown: unusable_sample"


SAMPLED_FROM = rows("""
| name                                         | il6                      | because                              |
| IL-6 im Serum                                | 75.00 high               | serum                                |
| Interleukin-6                                | 75.00 high               | says nothing of the sample           |
| IL-6 im Liquor                               | unknown: unusable_sample | German                               |
| IL-6 in CSF                                  | unknown: unusable_sample | English                              |
| IL-6 (LCR)                                   | unknown: unusable_sample | French, Spanish, Portuguese          |
| ИЛ-6 в ликворе                               | unknown: unusable_sample | Russian                              |
| 髄液IL-6                                     | unknown: unusable_sample | Japanese                             |
| 脑脊液白介素6                                | unknown: unusable_sample | Chinese                              |
""")  # fmt: skip


@pytest.mark.parametrize("row", SAMPLED_FROM, ids=name_of)
def test_a_laboratory_may_have_one_code_for_serum_and_cerebrospinal_fluid(row: dict[str, str]) -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 900 @D4 09:00")
    found[-1] = changed(found[-1], code={**found[-1]["code"], "text": row["name"]})
    assert il6(facts_of(found)) == row["il6"]


def test_a_quantity_without_a_unit_is_rejected() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 1 @D4 09:00")
    found[-1]["valueQuantity"] = {"value": 15}
    assert il6(facts_of(found)) == "unknown: unusable_sample"


def test_a_baseline_that_cannot_be_read_leaves_no_small_rise_from_a_later_one() -> None:
    """It may have been lower than the one taken in its place, and the rise larger."""
    found = patient(f"{FEVER}; il6 10 @D0 08:00; il6 40 @D0 18:00; il6 60 @D4 07:00")
    found[-3]["valueQuantity"] = {"value": 10, "unit": "furlong"}
    assert il6(facts_of(found)) == "unknown: unusable_sample"


def test_low_needs_temperatures_that_were_read() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00")
    assert il6(facts_of(found, unread=[Kind.VITALS])) == "unknown: temperatures_unread"


def test_a_split_dose_counts_its_month_from_the_last_infusion() -> None:
    second = changed(patient("")[1], id="second")
    second["effectivePeriod"] = {"start": "2026-03-12T10:00:00+08:00"}
    chart = "T 39 @D35 06:00; il6 10 @D0 08:00; il6 90 @D35 07:00"
    assert il6(facts_of([*patient(chart), second], as_of=moment_of("D35 12:00"))) == "9.00 high"


def test_before_tocilizumab_the_peak_has_no_last_day() -> None:
    chart = "T 39 @D32 06:00; crp 10 @D0 08:00; crp 60 @D32 07:00; toci 560 @D33 10:00"
    assert shown_fold(facts_of(patient(chart), as_of=moment_of("D34 12:00")), "crp") == "6.00 high"


def test_a_comparator_that_fhir_r4_does_not_have_is_rejected() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D4 07:00; il6 1 @D4 09:00")
    found[-1]["valueQuantity"]["comparator"] = "ad"
    assert il6(facts_of(found)) == "unknown: unusable_sample"


def test_a_sample_known_by_date_only_on_the_day_of_the_dose_is_left_out() -> None:
    found = patient(f"{FEVER}; il6 12 @D0 08:00; il6 20 @D3 07:00; toci 560 @D4 08:00; il6 90 @D4 07:00")
    found[-1] = changed(found[-1], effectiveDateTime="2026-03-06")
    facts = facts_of(found)
    assert il6(facts) == "unknown: no_recent_sample"
    assert "ambiguous_order" in facts.il6.flags


def test_entries_are_read() -> None:
    assert [e.value for e in charted("il6 12 @D0 08:00; T 38 @-2h")] == ["12", "38"]
