"""The one direction: cds_server → fhir_mappings → cards' inputs, and nothing back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cds_server", "fhir_mappings", "cards", "example_patients", "order_desk")
MAY_SEE = {
    "cds_server": {"cds_server", "fhir_mappings", "cards"},
    "fhir_mappings": {"fhir_mappings"},
    "cards": {"cards", "fhir_mappings"},
    "example_patients": {"example_patients"},
    "order_desk": {"order_desk", "cds_server", "example_patients"},
}
DESK_MAY_SEE = {"cds_server.pages", "cds_server.problems", "cds_server.running"}
CARDS_MAY_SEE = {"fhir_mappings.clinical_facts", "fhir_mappings.thresholds", "fhir_mappings.terminology"}
SERVER_ONLY = {"flask", "flask_cors", "authlib", "requests", "sqlalchemy", "werkzeug", "urllib", "http", "socket"}
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = {f"{node.module}.{alias.name}" for alias in node.names}
            is_module = {m for m in modules if (ROOT / (m.replace(".", "/") + ".py")).exists()}
            found |= is_module or {node.module}
    return found


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_imports_only_what_its_package_may_see(file: Path) -> None:
    package = file.relative_to(ROOT).parts[0]
    for module in imports(file):
        top = module.split(".")[0]
        if top in PACKAGES:
            assert top in MAY_SEE[package], f"{package} may not see {module}"
        if package in ("fhir_mappings", "cards"):
            assert top not in SERVER_ONLY, f"{package} may not know {module}"
        if package == "order_desk" and top == "cds_server":
            assert module in DESK_MAY_SEE, f"the order desk may not see {module}"
        if package == "cards" and top == "fhir_mappings":
            assert module in CARDS_MAY_SEE, f"cards may not see {module}"


@pytest.mark.parametrize("module", sorted(CARDS_MAY_SEE))
def test_what_cards_see_sees_nothing_else_of_ours(module: str) -> None:
    ours = {m for m in imports(ROOT / (module.replace(".", "/") + ".py")) if m.split(".")[0] in PACKAGES}
    assert ours <= CARDS_MAY_SEE


@pytest.mark.parametrize("file", [f for f in FILES if f.parts[-2] in ("fhir_mappings", "cards")], ids=name_of)
def test_no_rule_reads_a_clock(file: Path) -> None:
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"now", "utcnow", "today", "monotonic", "time"}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
