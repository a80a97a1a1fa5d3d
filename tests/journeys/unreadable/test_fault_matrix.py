"""The fault matrix: each kind of data that is read × each fault of a FHIR server, over real sockets.

`OUTCOMES` states what comes back. What is not needed is done without, what could not be read is said, and where nothing
true can be said of CRS there is a 412. No answer outlasts the budget, is silent, has a lower grade, fewer doses or an
order of tocilizumab that the whole chart would not give, or shows anything of another patient.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_server.outgoing.fhir_connection import PAUSE_SECONDS
from tests.support.desk import Desk, assessment, card, card_ids
from tests.support.fault_scenes import SCENE_OF, charts
from tests.support.faults import FAULTS, SOMEONE_ELSE, STALL_SECONDS
from tests.support.faulty_server import KINDS, TOGETHER, FaultyServer, Request, faulty_server, kind_of, kinds_of
from tests.support.tables import rows

# a second; where that was too short for a busy machine to answer as it should, more
BUDGETS = (1.0, 3.0, 10.0)
CELLS_AT_ONCE = 6  # those of a server that hangs wait, side by side
ONE_AT_A_TIME = threading.Lock()  # Python 3.11 cannot make two Flask apps at once: `ast` is not safe there
TOO_BUSY = (408, 503)  # the machine took longer than the budget to hand over the body, or to work out the cards
MARGIN_SECONDS = 6.0  # far beyond what an answer takes on a busy machine: this is about hanging, not about speed
CHARTS = ("recommended", "laden")
COLUMNS = (*KINDS, *TOGETHER)
HINTS = ("behind", "byCode")  # nobody waits for their second try

# what `said` must name on crs-grade
NAMES: Mapping[str, tuple[str, ...]] = {
    "il6Crp": ("IL-6 and CRP",),
    "cytokines": ("cytokines",),
    "labs": ("weight", "blood counts and liver enzymes", "microbiology", "ICE and ICANS"),
    "signs": ("vital signs", "oxygen"),
    "earlier": ("vital signs before", "oxygen before"),
    "recent": ("medication administrations",),
    "slices": ("medication administrations before",),
    "given": ("medication administrations",),
    "procedures": ("cell therapy procedures", "respiratory support procedures"),
    "conditions": ("conditions",),
    "allergies": ("allergies",),
    "orders": ("active medication orders",),
    "services": ("active service orders",),
    "all": (
        "IL-6 and CRP",
        "cytokines",
        "vital signs",
        "oxygen",
        "weight",
        "medication administrations",
        "allergies",
        "conditions",
    ),
}
NO_INFUSION = ("data-quality",)
# what stands among the flags instead: the age, and drugs that nothing names
FLAGS = {"patient": "age_unknown", "drugs": "history_incomplete", "given": "history_incomplete"}


# Fault → how often one address is asked for, and the outcome for each kind of data:
#   same   the answer of the whole chart, word for word
#   said   cards, and what could not be read is named
#   lost   no infusion could be found: a 412, or where tocilizumab is drafted the card of that; what was not read is named
#   owner  a 412: the server sent data of another patient
#   –      a read of the Patient has no pages
# Lasting faults are asked for once, passing ones twice, as is a search whose results changed meanwhile. Searches by code
# (`behind` a reference, `byCode`) and `running` only help, the rest holds the same. The last two days (`signs`, `recent`)
# that were read in part are read again with what lies before them.
OUTCOMES = rows("""
| fault           | tries | patient | il6Crp | cytokines | labs  | earlier | signs | behind | byCode | running | slices | recent | procedures | conditions | allergies | orders | services | drugs | given | all   |
| 400             | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 401             | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 403             | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 404             | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 410             | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| redirect        | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 429             | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 500             | 2     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| 503             | 2     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| hang            | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| drip-headers    | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| drip-body       | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| dropped         | 2     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| cut-off         | 2     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| html            | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| truncated       | 2     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| empty           | 2     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| outcome         | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| another-type    | 1     | said    | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | lost  | lost  |
| another-patient | 1     | owner   | owner  | owner     | owner | owner   | owner | owner  | owner  | owner   | owner  | owner  | owner      | owner      | owner     | owner  | owner    | owner | owner | owner |
| 429-once        | 2     | same    | same   | same      | same  | same    | same  | same   | same   | same    | same   | same   | same       | same       | same      | same   | same     | same  | same  | same  |
| 503-once        | 2     | same    | same   | same      | same  | same    | same  | same   | same   | same    | same   | same   | same       | same       | same      | same   | same     | same  | same  | same  |
| dropped-once    | 2     | same    | same   | same      | same  | same    | same  | same   | same   | same    | same   | same   | same       | same       | same      | same   | same     | same  | same  | same  |
| truncated-once  | 2     | same    | same   | same      | same  | same    | same  | same   | same   | same    | same   | same   | same       | same       | same      | same   | same     | same  | same  | same  |
| doubled         | 1     | –       | same   | same      | same  | same    | same  | same   | same   | same    | same   | same   | same       | same       | same      | same   | same     | same  | same  | same  |
| changed         | 2     | –       | same   | same      | same  | same    | same  | same   | same   | same    | same   | same   | same       | same       | same      | same   | same     | same  | same  | same  |
| changing        | 2     | –       | said   | said      | said  | said    | same  | same   | same   | same    | said   | same   | said       | said       | said      | said   | said     | said  | said  | said  |
| page-again      | 1     | –       | said   | said      | said  | said    | same  | same   | same   | same    | said   | same   | said       | said       | said      | said   | said     | said  | said  | said  |
| next-loops      | 1     | –       | said   | said      | said  | said    | same  | same   | same   | same    | said   | same   | said       | said       | said      | said   | said     | same  | said  | said  |
| next-elsewhere  | 1     | –       | said   | said      | said  | said    | same  | same   | same   | same    | said   | same   | said       | said       | said      | said   | said     | said  | said  | said  |
| next-hangs      | 1     | –       | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | said  | said  | said  |
| endless         | 1     | –       | said   | said      | said  | said    | said  | same   | same   | same    | said   | said   | said       | said       | said      | said   | said     | same  | said  | said  |
""")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyServer]:
    with faulty_server(charts()) as found:
        yield found


@dataclass(frozen=True)
class Called:
    """An answer, and what the FHIR server was asked for it."""

    answer: TestResponse
    requests: Sequence[Request]
    seconds: float

    def tries(self, column: str) -> int:
        """How often one address of the kinds that met the fault was asked for, at most."""
        asked = Counter(r.search for r in self.requests if r.page == 1 and kind_of(r.search) in kinds_of(column))
        return max(asked.values(), default=0)


def service(bases: Iterable[str], budget: float, **environ: str) -> Desk:
    """A service that may call these bases: what it remembers of a server it remembers by the base."""
    environ = {
        "CRS_CDS_FHIR_SERVERS": ",".join(bases), "CRS_CDS_BUDGET_SECONDS": str(budget),
        "CRS_CDS_LOG_MILLISECONDS": str(int(budget * 200)), "CRS_CDS_MAX_PAGES": "120", **environ,
    }  # fmt: skip
    with ONE_AT_A_TIME:
        return Desk(environ=environ)


def called(server: FaultyServer, chart: str, column: str, fault: str, budget: float, **environ: str) -> Called:
    """The call of a chart's scene, without prefetch, by a service of its own."""
    base = server.base(chart, column, fault)
    return call_of(service([base], budget, **environ), server, chart, base)


def call_of(desk: Desk, server: FaultyServer, chart: str, base: str) -> Called:
    """The same by a service that other cells share."""
    began = time.monotonic()
    answer = desk.call(SCENE_OF[chart], fhirServer=base)
    return Called(answer, server.requests[base], time.monotonic() - began)


def without_uuids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_uuids(below) for name, below in value.items() if name != "uuid"}
    return [without_uuids(below) for below in value] if isinstance(value, list) else value


def named_unread(answer: TestResponse) -> str:
    """What crs-grade says could not be read."""
    found = re.search(r"\*\*Could not be read\*\*: (.*)\.", card(answer, "crs-grade")["detail"])
    return found[1] if found else ""


def is_same(answer: TestResponse, whole: TestResponse) -> bool:
    return bool(without_uuids(answer.get_json()) == without_uuids(whole.get_json()))


def says_so(answer: TestResponse, column: str) -> bool:
    named, flags = named_unread(answer), assessment(answer).get("flags", ())
    flagged = column not in FLAGS or FLAGS[column] in flags
    return flagged and all(name in named for name in NAMES.get(column, ()))


def outcome_of(answer: TestResponse, whole: TestResponse, column: str) -> str:
    """One word of `OUTCOMES`, or what is wrong."""
    if answer.status_code == 412:
        words = json.dumps(answer.get_json())
        if "sent data of another patient" in words:
            return "owner"
        return "lost" if "medication administrations: " in words else "412 without a reason"
    if is_same(answer, whole):
        return "same"
    if card_ids(answer) == NO_INFUSION:
        return (
            "lost" if "Not read: medication administrations: " in card(answer, "data-quality")["detail"] else "unsaid"
        )
    return "said" if says_so(answer, column) else "unsaid"


def check_never(answer: TestResponse, whole: TestResponse) -> None:
    """What no fault may do."""
    assert answer.status_code in (200, 412), "an error of ours"
    assert SOMEONE_ELSE not in answer.get_data(as_text=True), "another patient's data"
    if answer.status_code == 412:
        return
    assert card_ids(answer), "silence"
    found, wanted = assessment(answer), assessment(whole)
    if "crsGrade" in found and "crsGradeIsMinimum" not in found:
        assert found["crsGrade"] >= wanted["crsGrade"], "a lower grade"
    if "history_incomplete" not in found.get("flags", []) and "day" in found:
        assert found["tocilizumabDoses"] >= wanted["tocilizumabDoses"], "fewer doses"
    if card_ids(answer) != NO_INFUSION and not is_same(answer, whole):
        flagged = {*FLAGS.values()} & {*found.get("flags", ())}
        assert named_unread(answer) or flagged, "another answer without a word"
    assert suggested_tocilizumab(answer) <= suggested_tocilizumab(whole), "an order for want of data"


def suggested_tocilizumab(answer: TestResponse) -> set[str]:
    found = answer.get_json()["cards"]
    return {s["label"] for c in found for s in c.get("suggestions", ()) if "ocilizumab" in s["label"]}


@pytest.fixture(scope="module")
def wholes(server: FaultyServer) -> Mapping[str, TestResponse]:
    """The answer of each chart without a fault."""
    return {chart: called(server, chart, "all", "none", 10).answer for chart in CHARTS}


@dataclass(frozen=True)
class Row:
    """The cells of a fault and a chart, a base for each kind of data, and the service that calls them side by side."""

    server: FaultyServer
    chart: str
    fault: str
    bases: Mapping[str, str]
    desk: Desk

    def calls(self, column: str) -> Iterator[tuple[float, Called]]:
        """The seconds and the call of a cell; then, by services of their own, calls that have more time."""
        yield BUDGETS[0], call_of(self.desk, self.server, self.chart, self.bases[column])
        for budget in BUDGETS[1:]:
            yield budget, called(self.server, self.chart, column, self.fault, budget)


def row_of(server: FaultyServer, chart: str, fault: str) -> Row:
    bases = {column: server.base(chart, column, fault) for column in COLUMNS}
    return Row(server, chart, fault, bases, service(bases.values(), BUDGETS[0]))


def cell(cells: Row, row: dict[str, str], column: str, whole: TestResponse) -> str:
    """The outcome of one cell, with the number of tries where it is another. What no fault may do fails here."""
    if row[column] == "–":
        return "–"
    found = ""
    for budget, call in cells.calls(column):
        assert call.seconds < budget + MARGIN_SECONDS, f"{column}: it hung"
        if call.answer.status_code in TOO_BUSY:
            found = "no time"
            continue
        check_never(call.answer, whole)
        found, tries = outcome_of(call.answer, whole, column), call.tries(column)
        if found == row[column] and (tries == int(row["tries"]) or column in HINTS):
            return found
        found += f" after {tries} tries"
    return found


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row["fault"])
def test_a_fault_of_one_kind_of_data(
    row: dict[str, str],
    chart: str,
    server: FaultyServer,
    wholes: Mapping[str, TestResponse],
    caplog: pytest.LogCaptureFixture,
) -> None:
    cells = row_of(server, chart, row["fault"])
    with caplog.at_level(logging.DEBUG), ThreadPoolExecutor(CELLS_AT_ONCE) as pool:
        outcomes = pool.map(lambda column: cell(cells, row, column, wholes[chart]), COLUMNS)
        found = dict(zip(COLUMNS, outcomes, strict=True))
    assert found == {column: row[column] for column in COLUMNS}
    assert not server.strays, "a redirect or a next page elsewhere was followed"
    assert SOMEONE_ELSE not in caplog.text
    assert server.charts[chart][0] not in caplog.text, "a patient's id in the log"


def test_every_search_has_a_column_and_every_fault_a_row(
    server: FaultyServer, wholes: Mapping[str, TestResponse]
) -> None:
    for chart in CHARTS:
        call = called(server, chart, "all", "none", 10)
        assert outcome_of(call.answer, wholes[chart], "all") == "same"
        assert {kind_of(r.search) for r in call.requests} == set(KINDS)
    assert {row["fault"] for row in OUTCOMES} == set(FAULTS)


def test_the_charts_are_one_of_tocilizumab_recommended_and_one_of_a_dose_given(
    wholes: Mapping[str, TestResponse],
) -> None:
    assert card_ids(wholes["recommended"]) == ("toci-recommended", "crs-grade")
    assert suggested_tocilizumab(wholes["recommended"])
    laden = ("severe-crs", "toci-interval", "toci-caution", "icans-steroid", "infection-surveillance", "crs-grade")
    assert card_ids(wholes["laden"]) == laden
    assert assessment(wholes["laden"])["tocilizumabDoses"] == 1


@pytest.mark.parametrize(
    ("fault", "seconds"), [("503-once", PAUSE_SECONDS), ("429-in-a-second", 1), ("503-until-a-date", 1)]
)
def test_a_second_try_comes_after_a_pause_or_when_the_server_asks_for_it(
    fault: str, seconds: float, server: FaultyServer, wholes: Mapping[str, TestResponse]
) -> None:
    call = called(server, "recommended", "il6Crp", fault, 10)
    assert outcome_of(call.answer, wholes["recommended"], "il6Crp") == "same"
    asked = [request.at for request in call.requests if kind_of(request.search) == "il6Crp"]
    assert len(asked) == 2
    assert asked[1] - asked[0] >= seconds


def test_a_million_pages_of_one_search_leave_the_others_theirs(
    server: FaultyServer, wholes: Mapping[str, TestResponse]
) -> None:
    call = called(server, "recommended", "allergies", "endless", 10, CRS_CDS_MAX_PAGES="60")
    assert outcome_of(call.answer, wholes["recommended"], "allergies") == "said"
    assert named_unread(call.answer) == "allergies"
    assert len(call.requests) <= 60


@pytest.mark.parametrize("fault", ["drip-headers", "drip-body", "endless"])
def test_a_server_that_does_not_end_is_hung_up_on(fault: str) -> None:
    """So that it holds none of our threads longer than its own call. The server is one of its own: on the one of the
    matrix, answers that hang for other cells may still be under way."""
    with faulty_server(charts()) as server:
        called(server, "recommended", "all", fault, 0.5)
        deadline = time.monotonic() + STALL_SECONDS / 2
        while server.busy and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.busy == 0


def test_the_counts_of_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """Shown with -s: how many cells have which outcome."""
    cells = Counter(row[column] for row in OUTCOMES for column in COLUMNS for _ in CHARTS)
    del cells["–"]
    with capsys.disabled():
        print(f"\n{len(OUTCOMES)} faults × {len(COLUMNS)} kinds × {len(CHARTS)} charts: {dict(cells)}")
    assert set(cells) == {"same", "said", "lost", "owner"}
