"""When a FHIR server that does not answer is left alone, and when it is tried again."""

from __future__ import annotations

import pytest

from cds_server.outgoing.circuit import Circuit
from tests.support.tables import rows

# at second S: "fails" and "answers" are calls that may ask and how they end; "leaves" may ask and
# says nothing; "refused" may not ask; "asks" has not ended
CIRCUITS = rows("""
| calls                                                                     | because                                      |
| 0 fails; 1 fails; 2 fails; 3 fails; 4 asks                                | four failures are not five                   |
| 0 fails; 1 fails; 2 fails; 3 fails; 4 fails; 5 refused; 13 refused        | after five it is left alone for 10 s         |
| 0 fails; 1 fails; 2 fails; 3 fails; 31 fails; 32 asks                     | five failures in more than 30 s              |
| 0 fails; 1 fails; 2 fails; 3 answers; 4 fails; 5 fails; 6 fails; 7 asks   | an answer between them                       |
| 0 fails; 0 fails; 0 fails; 0 fails; 0 fails; 10 asks; 11 refused          | then one call is tried, and no other         |
| 0 fails; 0 fails; 0 fails; 0 fails; 0 fails; 10 answers; 10 asks; 10 asks | a trial that is answered opens it to all     |
| 0 fails; 0 fails; 0 fails; 0 fails; 0 fails; 10 fails; 29 refused; 30 fails; 69 refused; 70 fails; 129 refused; 130 asks | each trial that fails doubles the pause, to 60 s at most |
| 0 fails; 0 fails; 0 fails; 0 fails; 0 fails; 10 asks; 69 refused; 70 asks | a trial that never ends is replaced          |
| 0 fails; 0 fails; 0 fails; 0 fails; 0 fails; 10 leaves; 10 asks; 11 refused | a trial that says nothing goes to the next call |
| 0 leaves; 0 leaves; 0 leaves; 0 leaves; 0 leaves; 1 asks                  | calls that say nothing are no failures       |
""")


@pytest.mark.parametrize("row", CIRCUITS, ids=lambda row: row["because"])
def test_a_circuit(row: dict[str, str]) -> None:
    now = 0.0
    circuit = Circuit(clock=lambda: now)
    for step in row["calls"].split("; "):
        second, _, what = step.partition(" ")
        now = float(second)
        assert circuit.begin() == (what != "refused"), step
        if what in ("fails", "answers"):
            circuit.end(answered=what == "answers")
        elif what == "leaves":
            circuit.leave()


def test_calls_that_began_before_it_opened_do_not_keep_it_open() -> None:
    now = 0.0
    circuit = Circuit(clock=lambda: now)
    for _ in range(20):
        assert circuit.begin()
    for _ in range(20):
        circuit.end(answered=False)
    now = 10.0
    assert circuit.begin()
    circuit.end(answered=True)
    assert not circuit.is_open
