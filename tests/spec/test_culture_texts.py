"""The text of a culture or PCR says that nothing was found only if every word of it does, however it is laid out."""

from __future__ import annotations

import time

import pytest

from fhir_mappings.codes.terminology import packaged_terminology
from fhir_mappings.reading.culture_texts import MOST_CHARS, says_nothing_found
from tests.support.tables import rows

KNOWN = packaged_terminology().texts("negative-result")
TEXTS = rows("""
| text                                                       | nothing | because                                       |
| No growth ---------------------------------------- .       | yes     | a line drawn below it                         |
| ======== FINAL REPORT ======== No growth ======== 5 days = | yes     | lines on all sides, and for how long          |
| Blood culture, final: no growth to date (48 h).            | yes     | what it is, what was found, since when        |
| No growth x5 days                                          | yes     | for how long                                  |
| Result . . . . . . . . . . . . . . . . . . . . negative    | yes     | dots that lead to the result                  |
| No growth ---------------------------------------- E. coli | no      | something stands behind the line              |
| E. coli ---------------------------------------- no growth | no      | something stands before it                    |
| No growth ?                                                | no      | a question                                    |
| negative +                                                 | no      | a plus                                        |
| No growth 100000                                           | no      | a count                                       |
| No growth for 5 to 6 days                                  | no      | words that are not known                      |
| <20 copies/mL                                              | yes     | below a limit                                 |
| ≤ 0,5                                                      | yes     | at most a limit                               |
| CMV detected (<35 IU/mL)                                   | yes     | below a limit, in brackets                    |
| Klebsiella pneumoniae (<35 IU/mL)                          | no      | two long words side by side are a sentence    |
| CMV DNA (≤35) (< 35 IU/mL)                                 | yes     | the last brackets count                       |
| 0.00                                                       | yes     | zero                                          |
| 0.01                                                       | no      | more than zero                                |
| < limit                                                    | no      | no number                                     |
| <20 but Escherichia coli grew                              | no      | a sentence                                    |
| ----------------------------------------                   | no      | a line alone says nothing                     |
""")


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["because"])
def test_all_words_say_that_nothing_was_found(row: dict[str, str]) -> None:
    assert says_nothing_found(row["text"], KNOWN) is (row["nothing"] == "yes")


def test_a_text_that_is_too_long_to_be_a_way_to_say_so_counts_as_a_finding() -> None:
    assert says_nothing_found("No growth".ljust(MOST_CHARS, "-"), KNOWN)
    assert not says_nothing_found("No growth".ljust(MOST_CHARS + 1, "-"), KNOWN)


@pytest.mark.parametrize(
    "piece", ["-", " ", ". ", "(", "(<1", "final ", "culture ", "5 d ", "x", "blood culture ", "0"]
)
@pytest.mark.parametrize("begins", ["", "No growth", "<1", "0 "])
def test_no_layout_takes_longer_than_its_length(begins: str, piece: str) -> None:
    def seconds(length: int) -> float:
        text = (begins + piece * length)[:length] + "!"
        times = []
        for _ in range(3):
            began = time.process_time()
            for _ in range(50):
                says_nothing_found(text, KNOWN)
            times.append(time.process_time() - began)
        return min(times)

    assert seconds(MOST_CHARS - 1) < 4 * seconds(MOST_CHARS // 2) + 0.01
