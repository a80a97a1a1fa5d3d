"""Calls that are made from the API description, valid and not, get an answer that the description allows.

`make fuzz` does the same for longer, with other calls each time, and keeps what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import Phase, settings
from schemathesis import GenerationMode

from tests.support import api_fuzz
from tests.support.api_fuzz import OPERATIONS, FaultError, Operation, keep, kept_calls, send_again, service, try_out

BOUNDS = settings(max_examples=12, derandomize=True, database=None)
AT_ONCE = settings(BOUNDS, phases=[Phase.generate])  # the simplest call that finds a fault is not looked for
# feedback is read alike for each service, and making its bodies takes longest: one stands for the four
IN_EACH_RUN = [row for row in OPERATIONS if not row[1].endswith("/feedback") or "patient-view" in row[1]]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    with service(tmp_path_factory.mktemp("service")) as schema:
        yield schema


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # schemathesis leaves files open
@pytest.mark.parametrize("operation", IN_EACH_RUN, ids=lambda row: f"{row[0]} {row[1]} {row[2].value}")
def test_a_call_gets_what_the_description_allows(operation: Operation, api: schemathesis.BaseSchema) -> None:
    assert try_out(api, operation, BOUNDS)


def test_no_call_that_once_found_a_fault_finds_one(api: schemathesis.BaseSchema) -> None:
    assert [call.why for call in kept_calls() if send_again(call, api) == 500] == []


def test_a_fault_is_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_fuzz, "FOUND", tmp_path / "found")
    with service(tmp_path) as broken:
        broken.app.view_functions["cds.call"] = lambda **_: {}["nothing"]
        with pytest.raises(FaultError, match="the service failed") as fault:
            try_out(broken, ("post", "/cds-services/crs-order-sign", GenerationMode.POSITIVE), AT_ONCE)
        keep(fault.value)
        (kept,) = kept_calls()
        assert send_again(kept, broken) == 500
