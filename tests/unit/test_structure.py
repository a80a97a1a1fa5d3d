"""The house: imports go one way through the rooms, and what is read elsewhere stays out of them."""

from __future__ import annotations

import ast
import tomllib
from itertools import accumulate
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("fhir_mappings", "cards", "cds_server", "example_patients", "order_desk")

# The order of imports: a module sees its own room and those above it here. A room is a folder, or, for the mapping
# steps and what stands by itself in a package, a module. A folder that is not in the list fails the test.
ORDER = (
    "fhir_mappings.facts",
    "fhir_mappings.reading",
    "fhir_mappings.codes",
    "fhir_mappings.rules",
    "fhir_mappings.medications",
    "fhir_mappings.infusions",
    "fhir_mappings.known_at",
    "fhir_mappings",
    "cards.sentences",
    "cards.deciding",
    "cards.evidence",
    "cards.orders",
    "cards.wording",
    "cards.choose",
    "cards.pages",
    "cds_server.problems",
    "cds_server.limits",
    "cds_server.toml_file",
    "cds_server.data_keys",
    "cds_server.prefetch_parts",
    "cds_server.prefetch_room",
    "cds_server.rules_content",
    "cds_server.site_protocol",
    "cds_server.site_rules",
    "cds_server.operations",
    "cds_server.shares",
    "cds_server.outgoing",
    "cds_server.audit",
    "cds_server.record",
    "cds_server.exports",
    "cds_server.inventory",
    "cds_server.inventory_report",
    "cds_server.patient_advice",
    "cds_server.sign_off",
    "cds_server.settings",
    "cds_server.trust",
    "cds_server.storage",
    "cds_server.evaluation.rows.moments",
    "cds_server.evaluation.protocol",
    "cds_server.evaluation.rows",
    "cds_server.evaluation.reading",
    "cds_server.evaluation",
    "cds_server.recording",
    "cds_server.pages",
    "cds_server.running",
    "cds_server.hooks",
    "cds_server.course_page",
    "cds_server.smart_app",
    "cds_server.root_page",
    "cds_server.evidence_page",
    "cds_server.every_answer",
    "cds_server.app",
    "cds_server.command_line",
    "example_patients.stories",
    "example_patients.cohorts",
    "example_patients.client",
    "example_patients.programs",
    "order_desk",
)
# what a room may not see although it stands above it in the list
RULES_SEE = ("fhir_mappings.facts", "fhir_mappings.rules")
CARDS_SEE_OF_MAPPINGS = (
    "fhir_mappings.facts",
    "fhir_mappings.codes.terminology",
    "fhir_mappings.codes.code_systems",
    "fhir_mappings.codes.packaged_names",
    "fhir_mappings.reading.plausible_ranges",
    "fhir_mappings.reading.unit_table",
)
DESK_SEES_OF_SERVER = (
    "cds_server.outgoing.base_url", "cds_server.pages", "cds_server.problems", "cds_server.running",
)  # fmt: skip
MODULES_IN_A_FOLDER = 18
# A docstring begins with a verb or a noun phrase, never with a question.
QUESTIONS = {"How", "If", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why"}
# HTTP, storage and trust are the server's: the mapping and the cards know none of it
OUTSIDE = {"flask", "flask_cors", "authlib", "requests", "sqlalchemy", "werkzeug", "urllib", "http", "socket"}
CLOCKS = {"now", "utcnow", "today", "monotonic", "time"}
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """The longest name of ORDER that the module is or lies in."""
    above = accumulate(module.split("."), lambda a, b: f"{a}.{b}")
    return max((name for name in above if name in ORDER), key=len, default="")


def imported(file: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = {f"{node.module}.{alias.name}" for alias in node.names}
            is_module = {m for m in modules if (ROOT / (m.replace(".", "/") + ".py")).exists()}
            found |= is_module or {node.module}
    return found


def lies_in(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_a_module_sees_only_what_stands_before_it(file: Path) -> None:
    module = module_of(file)
    room = room_of(module)
    if module in PACKAGES and not room:
        assert not imported(file), "a package itself imports nothing"
        return
    assert room, f"{module} has no place in ORDER"
    package = module.partition(".")[0]
    for other in imported(file):
        if other.partition(".")[0] not in PACKAGES:
            continue
        assert room_of(other), f"{other} has no place in ORDER"
        assert ORDER.index(room_of(other)) <= ORDER.index(room), f"{room} stands before {room_of(other)}: {other}"
        if room == "fhir_mappings.rules":
            assert lies_in(other, RULES_SEE), f"a rule sees facts only, not {other}"
        if package == "cards" and other.startswith("fhir_mappings"):
            assert lies_in(other, CARDS_SEE_OF_MAPPINGS), f"cards see facts, codes and units, not {other}"
        if package == "example_patients":
            assert other.startswith("example_patients"), f"the example patients know nothing of {other}"
        if package == "order_desk" and other.startswith("cds_server"):
            assert lies_in(other, DESK_SEES_OF_SERVER), f"the order desk may not see {other}"


def test_the_order_names_what_there_is() -> None:
    rooms = {room_of(module_of(file)) for file in FILES}
    assert [name for name in ORDER if name not in rooms] == []


def test_modules_do_not_import_in_a_circle() -> None:
    left = {module_of(file): {m for m in imported(file) if m.partition(".")[0] in PACKAGES} for file in FILES}
    while ready := {module for module, sees in left.items() if not sees & left.keys()}:
        left = {module: sees for module, sees in left.items() if module not in ready}
    assert sorted(left) == []


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=module_of)
def test_a_folder_has_no_more_modules_than_one_subject_has(folder: Path) -> None:
    modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
    assert len(modules) <= MODULES_IN_A_FOLDER


@pytest.mark.parametrize(
    "file", [f for f in FILES if module_of(f).partition(".")[0] in ("fhir_mappings", "cards")], ids=module_of
)
def test_mapping_and_cards_know_no_http_and_no_database(file: Path) -> None:
    assert not {module.partition(".")[0] for module in imported(file)} & OUTSIDE


def test_no_rule_reads_a_clock() -> None:
    """Time is an argument everywhere between the record and the card."""
    files = [f for f in FILES if module_of(f).startswith(("fhir_mappings.", "cards."))]
    rooms = {room_of(module_of(f)) for f in files}
    assert {"fhir_mappings.rules", "fhir_mappings", "cards.deciding", "cards.choose"} <= rooms
    reads = {
        f"{module_of(file)}: {node.func.attr}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
    }
    assert reads == set()


def test_the_mutation_tests_mutate_what_they_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    named = [*project["only_mutate"], *project["pytest_add_cli_args_test_selection"]]
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert any("rules/crs_grade" in path for path in project["only_mutate"])


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_every_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def questions_in(file: Path) -> list[str]:
    """The docstrings of a module, its classes and functions that begin with a question."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [n for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, documented)]
    return [text for node in nodes if (text := ast.get_docstring(node) or "").split(" ", 1)[0] in QUESTIONS]


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_a_docstring_begins_with_a_verb_or_a_noun_phrase(file: Path) -> None:
    assert questions_in(file) == []


def test_no_test_imports_a_test() -> None:
    """What two tests share stands in `tests/support`."""
    tests = sorted((ROOT / "tests").rglob("*.py"))
    shared = {
        f"{file.relative_to(ROOT)}: {module}"
        for file in tests
        for module in imported(file)
        if any(part.startswith("test_") for part in module.split("."))
    }
    assert shared == set()
