"""The safety case is true: each hazard names tests that are there, and each spec test is in the trace."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.safety_pages import PAGES, SAFETY
from tests.support.tables import rows

ROOT = Path(__file__).parents[2]
HAZARDS = rows(
    "\n".join(
        line
        for line in (SAFETY / "hazards.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("|---")
    )
)
CHANGES = rows(
    "\n".join(
        line
        for line in (SAFETY / "version-2.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("|---")
    )
)
# the seventeen that must be there, by a word of each
AT_LEAST = (
    "Wrong weight", "Sepsis taken for CRS", "Shock", "second corticosteroid", "Hidden blockade", "Guideline withheld",
    "ICANS with CRS", "ICANS 4", "Stale signs", "Wrong patient", "Late or corrected result", "Alert fatigue",
    "Local code unmapped", "Doses elsewhere", "Site number wrong", "Accepted unread", "Automation bias",
)  # fmt: skip
RISK = ("low", "medium", "high")


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda row: row["id"])
def test_a_hazard_is_judged_and_names_tests_that_are_there(hazard: dict[str, str]) -> None:
    assert all(hazard.values())
    assert hazard["harm"].split(":")[0] in ("minor", "serious", "fatal")
    initial, residual = (hazard[name].split(":")[0] for name in ("initial", "residual"))
    assert RISK.index(residual) <= RISK.index(initial)
    assert residual == "low" or ":" in hazard["residual"], "a risk that stays is explained"
    named = re.findall(r"`([^`]+)::([^`]+)`", hazard["tests"])
    assert named
    assert [f"{file}::{test}" for file, test in named if test not in functions_of(file)] == []


@pytest.mark.parametrize("change", CHANGES, ids=lambda row: row["what changed"])
def test_a_change_of_version_2_names_tests_that_are_there(change: dict[str, str]) -> None:
    named = re.findall(r"`([^`]+)::([^`]+)`", change["tests"])
    assert named
    assert [f"{file}::{test}" for file, test in named if test not in functions_of(file)] == []


def test_the_hazards_of_the_reading_are_there_and_no_id_twice() -> None:
    ids = [hazard["id"] for hazard in HAZARDS]
    assert len(ids) == len(set(ids)) >= len(AT_LEAST)
    text = " ".join(next(v for k, v in hazard.items() if k.startswith("hazard")) for hazard in HAZARDS)
    assert [name for name in AT_LEAST if name not in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_not_stale(name: str) -> None:
    assert (SAFETY / name).read_text(encoding="utf-8") == PAGES[name](), "run: make docs"


def test_every_spec_test_is_in_the_trace() -> None:
    trace = PAGES["trace.md"]()
    files = sorted((ROOT / "tests" / "spec").glob("test_*.py"))
    wanted = [test for f in files for test in functions_of(f.relative_to(ROOT).as_posix()) if test.startswith("test_")]
    assert [test for test in wanted if f"`{test}`" not in trace] == []


@pytest.mark.parametrize("page", sorted(SAFETY.glob("*.md")), ids=lambda page: page.name)
def test_a_link_of_the_safety_case_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (SAFETY / target).exists()] == []
