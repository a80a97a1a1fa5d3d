"""The table of problems: each that can be raised has a row, and each row can be raised."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

from cds_server.problems import PROBLEMS, ProblemId

ROOT = Path(__file__).parents[2]
# codes of FHIR's value set `issue-type` that a client may act on
ISSUE_TYPES = {
    "invalid", "structure", "login", "expired", "forbidden", "suppressed", "processing", "not-supported", "not-found",
    "too-long", "incomplete", "transient", "throttled", "timeout", "exception",
}  # fmt: skip


def test_each_problem_has_a_row_of_a_status_and_an_issue_type() -> None:
    assert set(PROBLEMS) == set(ProblemId)
    assert {kind.code for kind in PROBLEMS.values()} == ISSUE_TYPES
    assert all(HTTPStatus(kind.status) >= HTTPStatus.BAD_REQUEST for kind in PROBLEMS.values())


def test_each_problem_is_raised_somewhere() -> None:
    files = [*(ROOT / "cds_server").rglob("*.py"), *(ROOT / "order_desk").rglob("*.py")]
    raised = {
        name
        for file in files
        if file.name != "problems.py"
        for name in re.findall(r"ProblemId\.([A-Z_]+)", file.read_text(encoding="utf-8"))
    }
    assert raised == {problem.name for problem in ProblemId}
