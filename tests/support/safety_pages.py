"""Writes docs/safety/trace.md from the spec tests and docs/safety/sources.md from the table of sources.

`python -m tests.support.safety_pages` writes both; `make docs` runs it; a test says when they are stale.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from cards.deciding.rules_version import CITED_RULES
from cards.evidence.card_evidence import CARD_EVIDENCE
from cards.evidence.sources import SOURCES
from tests.support.clinical_rules import FOLDER
from tests.support.tables import rows

SAFETY = Path(__file__).parents[2] / "docs" / "safety"
TRACE_HEAD = """\
# Requirements and their tests

Made from the tests in `tests/spec/`: each requirement is the sentence that a test's name says, under the chapter of the
specification that its file is. "Patients" are the rows of its tables, each a patient with the wanted answer;
`docs/clinical-rules.md` shows them. A requirement without a table shows its patient in the test itself. The rows of the
decision table have a patient each (`test_every_row_of_the_decision_table_has_a_patient_here`).
"""
SOURCES_HEAD = """\
# Sources

Made from `cards/evidence/sources.py`, which the page `/evidence` and the page to sign show too. Whoever reads a source
again compares each card that rests on it, and sets the date there. A test fails for a source that nobody read for twelve
months (`tests/journeys/smart/test_evidence_page.py`). Rules: {rules}.

| source | kind | how it was read | last read | cards that rest on it |
|---|---|---|---|---|
"""


def trace_page() -> str:
    """Every requirement of the spec tests with its test and the number of its patients."""
    parts = [TRACE_HEAD]
    for file in sorted(FOLDER.glob("test_*.py")):
        module = ast.parse(file.read_text(encoding="utf-8"))
        title = (ast.get_docstring(module) or "").partition("\n")[0].rstrip(".")
        parts.append(f"## {title}\n\n`tests/spec/{file.name}`\n\n| requirement | test | patients |\n|---|---|---|")
        parts += [f"| {says} | `{test}` | {patients or '–'} |" for says, test, patients in _requirements(module)]
        parts.append("")
    return "\n".join(parts)


def _requirements(module: ast.Module) -> Iterator[tuple[str, str, int]]:
    tables = dict(_tables(module))
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            sentence = node.name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
            used = {name.id for mark in node.decorator_list for name in ast.walk(mark) if isinstance(name, ast.Name)}
            patients = sum(size for name, size in tables.items() if name in used)
            yield sentence[0].upper() + sentence[1:], node.name, patients


def _tables(module: ast.Module) -> Iterator[tuple[str, int]]:
    """The tables of a module with the number of their rows."""
    for node in module.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="rows"), args=[ast.Constant(value=str(text)), *_]),
            ):
                yield name, len(rows(text))


def sources_page() -> str:
    """Every source with the day on which it was last read."""
    lines = []
    for source, found in SOURCES.items():
        cards = ", ".join(f"`{card}`" for card, evidence in CARD_EVIDENCE.items() if source in evidence.sources)
        citation = f"[{found.citation}]({found.url})" if found.url else found.citation
        read = found.read.isoformat()
        lines.append(f"| {citation} | {found.kind} | {found.reading.value} | {read} | {cards} |\n")
    return SOURCES_HEAD.format(rules=CITED_RULES) + "".join(lines)


PAGES = {"trace.md": trace_page, "sources.md": sources_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (SAFETY / name).write_text(page(), encoding="utf-8")
