"""The fault matrix: each read × each fault of a FHIR server, over real sockets.

The reads come from the search plan, `READS` states what a fault of each brings. What is not needed is done without, what
could not be read is said, and where nothing true can be said of CRS there is a 412. No answer outlasts the budget, is
silent, has a lower grade, fewer doses or an order of tocilizumab that the whole chart would not give, or shows anything
of another patient.
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
from tests.support.faults import FAULTS, ONLY_SEARCHES, SOMEONE_ELSE, STALL_SECONDS
from tests.support.faulty_server import READS as PLANNED
from tests.support.faulty_server import TOGETHER, FaultyServer, Request, faulty_server, read_at, reads_of
from tests.support.tables import rows

# a second; where that was too short for a busy machine to answer as it should, more
BUDGETS = (1.0, 3.0, 10.0)
CELLS_AT_ONCE = 6  # those of a server that hangs wait, side by side
ONE_AT_A_TIME = threading.Lock()  # Python 3.11 cannot make two Flask apps at once: `ast` is not safe there
TOO_BUSY = (408, 503)  # the machine took longer than the budget to hand over the body, or to work out the cards
MARGIN_SECONDS = 6.0  # far beyond what an answer takes on a busy machine: this is about hanging, not about speed
CHARTS = ("recommended", "laden")
HINTS = ("crsDrugs", "crsDrugs-behind")  # nobody waits for their second try

# Fault → how often one address is asked for, and what the fault does:
#   fails    the read brings nothing
#   gone     the same, and says that there is nothing: of the Patient, that the server does not know them
#   owner    it brings data of another patient
#   passes   it brings everything at the second try, or in an odd way
#   halved   half of the results do not come
#   loops    all come, and the pages do not end
#   endless  the same, for longer than the budget
#   hangs    half come, the next page hangs
# Lasting faults are asked for once by each method, passing ones twice, as is a search whose results changed meanwhile.
FAULT_ROWS = rows("""
| fault           | tries | does    |
| 400             | 1     | fails   |
| 401             | 1     | fails   |
| 403             | 1     | fails   |
| 404             | 1     | gone    |
| 410             | 1     | gone    |
| redirect        | 1     | fails   |
| 429             | 1     | fails   |
| 500             | 2     | fails   |
| 503             | 2     | fails   |
| hang            | 1     | fails   |
| drip-headers    | 1     | fails   |
| drip-body       | 1     | fails   |
| dropped         | 2     | fails   |
| cut-off         | 2     | fails   |
| html            | 1     | fails   |
| truncated       | 2     | fails   |
| empty           | 2     | fails   |
| outcome         | 1     | fails   |
| another-type    | 1     | fails   |
| another-patient | 1     | owner   |
| 429-once        | 2     | passes  |
| 503-once        | 2     | passes  |
| dropped-once    | 2     | passes  |
| truncated-once  | 2     | passes  |
| doubled         | 1     | passes  |
| changed         | 2     | passes  |
| changing        | 2     | halved  |
| page-again      | 1     | halved  |
| next-elsewhere  | 1     | halved  |
| next-loops      | 1     | loops   |
| next-hangs      | 1     | hangs   |
| endless         | 1     | endless |
""")

# Read → the outcome of each kind of fault, and the words or the flag by which the cards name what could not be read:
#   same   the answer of the whole chart, word for word
#   said   cards, and what could not be read is named
#   lost   no infusion could be found: a 412, or where tocilizumab is drafted the card of that; what was not read is named
# What passes is `same` for every read, data of another patient a 412. Searches by code and for what runs only help: the
# rest holds the same. The last two days that were read in part are read again with what lies before them. A read of the
# Patient has no pages.
READS = rows("""
| read                                 | fails | halved | loops | endless | hangs | named                                                            |
| patient                              | said  | –      | –     | –       | –     | patient, age_unknown                                                 |
| il6Crp-weight                        | said  | said   | said  | said    | said  | IL-6 and CRP, weight                                             |
| cytokines                            | said  | said   | said  | said    | said  | cytokines                                                        |
| safetyLabs-microbiology-neuro        | said  | said   | said  | said    | said  | blood counts and liver enzymes, microbiology, ICE and ICANS      |
| vitals-oxygen                        | said  | same   | same  | said    | said  | vital signs, oxygen                                              |
| vitals-oxygen-earlier                | said  | said   | said  | said    | said  | vital signs before, oxygen before                                |
| recentAdministrations                | said  | same   | same  | said    | said  | medication administrations                                       |
| recentAdministrations-earlier        | said  | said   | said  | said    | said  | medication administrations before                                |
| runningAdministrations               | same  | same   | same  | same    | same  |                                                                  |
| crsDrugs                             | same  | same   | same  | same    | same  |                                                                  |
| crsDrugs-behind                      | same  | same   | same  | same    | same  |                                                                  |
| cellTherapyProcedures                | said  | said   | said  | said    | said  | cell therapy procedures                                          |
| supportProcedures                    | said  | said   | said  | said    | said  | respiratory support procedures                                   |
| conditions-lastingInfections         | said  | said   | said  | said    | said  | conditions, tuberculosis                                         |
| allergies                            | said  | said   | said  | said    | said  | allergies                                                        |
| activeMedicationOrders               | said  | said   | said  | said    | said  | active medication orders                                         |
| activeServiceOrders                  | said  | said   | said  | said    | said  | active service orders                                            |
| Medication                           | said  | said   | same  | same    | said  | names of drugs, history_incomplete                               |
| given                                | lost  | said   | said  | said    | said  | medication administrations, history_incomplete                   |
| all                                  | lost  | said   | said  | said    | said  | IL-6 and CRP, cytokines, vital signs, oxygen, weight, medication administrations, allergies, conditions |
""")
# in the chart `referred`, where the infusion is known by these reads alone
REFERRED = rows("""
| read                                 | fails | named          |
| Medication                           | lost  | names of drugs |
| Substance                            | lost  | names of drugs |
""")
NO_INFUSION = ("data-quality",)
FLAGS = ("age_unknown", "history_incomplete")


@dataclass(frozen=True)
class Cell:
    """A read of a chart, the outcome of the fault of its row, and the words that name it where it is not read."""

    chart: str
    read: str
    wanted: str
    named: tuple[str, ...]


def cells_of(chart: str, fault: Mapping[str, str]) -> list[Cell]:
    """The cells of a fault and a chart. Those of `referred` are called beside those of `recommended`."""
    found = [(chart, row) for row in READS]
    found += [("referred", row) for row in REFERRED] if chart == "recommended" else []
    always = {"owner": "owner", "passes": "same"}
    cells = []
    for name, row in found:
        lost = row["read"] == "patient" and fault["does"] == "gone"
        pageless = row["read"] == "patient" and fault["fault"] in ONLY_SEARCHES
        fails = "lost" if lost else row["fails"]
        wanted = always.get(fault["does"]) or {**row, "fails": fails, "gone": fails}.get(fault["does"], "–")
        named = tuple(row["named"].split(", ")) if row["named"] else ()
        cells.append(Cell(name, row["read"], "–" if pageless else wanted, named))
    return [cell for cell in cells if cell.wanted != "–"]


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
        """How often one address of the kinds that met the fault was asked for by one method, at most."""
        asked = Counter(
            (r.search, r.posted) for r in self.requests if r.page == 1 and read_at(r.search) in reads_of(column)
        )
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


def says_so(answer: TestResponse, named: Iterable[str]) -> bool:
    words, flags = named_unread(answer), assessment(answer).get("flags", ())
    return all(one in (flags if one in FLAGS else words) for one in named)


def outcome_of(answer: TestResponse, whole: TestResponse, named: Sequence[str]) -> str:
    """One word of `READS`, or what is wrong."""
    if answer.status_code == 412:
        words = json.dumps(answer.get_json())
        if "sent data of another patient" in words:
            return "owner"
        said = "patient: not known" in words or any(f"{one}: " in words for one in named)
        return "lost" if said else "412 without a reason"
    if is_same(answer, whole):
        return "same"
    if card_ids(answer) == NO_INFUSION:
        unread = card(answer, "data-quality")["detail"].partition("Not read: ")[2]
        return "lost" if any(f"{one}: " in unread for one in named) else "unsaid"
    return "said" if says_so(answer, named) else "unsaid"


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
        flagged = {*FLAGS} & {*found.get("flags", ())}
        assert named_unread(answer) or flagged, "another answer without a word"
    assert suggested_tocilizumab(answer) <= suggested_tocilizumab(whole), "an order for want of data"


def suggested_tocilizumab(answer: TestResponse) -> set[str]:
    found = answer.get_json()["cards"]
    return {s["label"] for c in found for s in c.get("suggestions", ()) if "ocilizumab" in s["label"]}


@pytest.fixture(scope="module")
def wholes(server: FaultyServer) -> Mapping[str, TestResponse]:
    """The answer of each chart without a fault."""
    return {chart: called(server, chart, "all", "none", 10).answer for chart in SCENE_OF}


@dataclass(frozen=True)
class Row:
    """Cells of one fault: the base of each, and the service that calls them side by side."""

    server: FaultyServer
    fault: Mapping[str, str]
    bases: Mapping[Cell, str]
    desk: Desk

    def calls(self, cell: Cell) -> Iterator[tuple[float, Called]]:
        """The seconds and the call of a cell; then, by services of their own, calls that have more time."""
        yield BUDGETS[0], call_of(self.desk, self.server, cell.chart, self.bases[cell])
        for budget in BUDGETS[1:]:
            yield budget, called(self.server, cell.chart, cell.read, self.fault["fault"], budget)

    def outcome(self, cell: Cell, whole: TestResponse) -> str:
        """The outcome of a cell, with the number of tries where it is another. What no fault may do fails here."""
        found = ""
        for budget, call in self.calls(cell):
            assert call.seconds < budget + MARGIN_SECONDS, f"{cell.read}: it hung"
            if call.answer.status_code in TOO_BUSY:
                found = "no time"
                continue
            check_never(call.answer, whole)
            found, tries = outcome_of(call.answer, whole, cell.named), call.tries(cell.read)
            if found == cell.wanted and (tries == int(self.fault["tries"]) or cell.read in HINTS):
                return found
            found += f" after {tries} tries"
        return found


def row_of(server: FaultyServer, cells: Iterable[Cell], fault: Mapping[str, str]) -> Row:
    bases = {cell: server.base(cell.chart, cell.read, fault["fault"]) for cell in cells}
    return Row(server, fault, bases, service(bases.values(), BUDGETS[0]))


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("fault", FAULT_ROWS, ids=lambda row: row["fault"])
def test_a_fault_of_one_read(
    fault: dict[str, str],
    chart: str,
    server: FaultyServer,
    wholes: Mapping[str, TestResponse],
    caplog: pytest.LogCaptureFixture,
) -> None:
    cells = cells_of(chart, fault)
    row = row_of(server, cells, fault)
    with caplog.at_level(logging.DEBUG), ThreadPoolExecutor(CELLS_AT_ONCE) as pool:
        found = list(pool.map(lambda cell: row.outcome(cell, wholes[cell.chart]), cells))
    named = [(cell.chart, cell.read) for cell in cells]
    assert dict(zip(named, found, strict=True)) == dict(zip(named, [cell.wanted for cell in cells], strict=True))
    assert not server.strays, "a redirect or a next page elsewhere was followed"
    assert SOMEONE_ELSE not in caplog.text
    assert server.charts[chart][0] not in caplog.text, "a patient's id in the log"


def test_every_read_of_the_plan_and_every_fault_has_a_row(
    server: FaultyServer, wholes: Mapping[str, TestResponse]
) -> None:
    """A read that is added to the plan, or to what is read beside it, fails here until `READS` says what its failure
    brings."""
    asked: set[str] = set()
    for chart in SCENE_OF:
        call = called(server, chart, "all", "none", 10)
        assert is_same(call.answer, wholes[chart])
        asked |= {read_at(r.search) for r in call.requests}
    stated = {row["read"] for row in (*READS, *REFERRED)} - set(TOGETHER)
    assert asked == set(PLANNED) == stated
    assert {row["fault"] for row in FAULT_ROWS} == set(FAULTS)


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
    call = called(server, "recommended", "il6Crp-weight", fault, 10)
    assert outcome_of(call.answer, wholes["recommended"], ("IL-6 and CRP",)) == "same"
    asked = [request.at for request in call.requests if read_at(request.search) == "il6Crp-weight"]
    assert len(asked) == 2
    assert asked[1] - asked[0] >= seconds


def test_a_million_pages_of_one_search_leave_the_others_theirs(
    server: FaultyServer, wholes: Mapping[str, TestResponse]
) -> None:
    call = called(server, "recommended", "allergies", "endless", 10, CRS_CDS_MAX_PAGES="60")
    assert outcome_of(call.answer, wholes["recommended"], ("allergies",)) == "said"
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
    cells = Counter(cell.wanted for fault in FAULT_ROWS for chart in CHARTS for cell in cells_of(chart, fault))
    with capsys.disabled():
        print(f"\n{len(FAULT_ROWS)} faults × {len(PLANNED)} reads, {cells.total()} cells: {dict(cells)}")
    assert set(cells) == {"same", "said", "lost", "owner"}
