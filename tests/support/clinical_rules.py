"""Writes docs/clinical-rules.md from the spec tests: a file is a chapter, a test a paragraph, its table the body.

`python -m tests.support.clinical_rules` prints the page; `make docs` writes it; a test says when it is stale.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from pathlib import Path

from tests.support.tables import SIGNS, rows

CHAPTERS = (
    "test_course.py",
    "test_crs_grade.py",
    "test_fold_change.py",
    "test_il10.py",
    "test_infection.py",
    "test_first_things_first.py",
    "test_weight.py",
    "test_steroids.py",
    "test_steroid_check.py",
    "test_blockers.py",
    "test_product.py",
    "test_bedside_treatment.py",
    "test_cards.py",
    "test_edges.py",
    "test_unreadable.py",
    "test_words.py",
)
FOLDER = Path(__file__).parents[1] / "spec"
INTRODUCTION = """\
# The clinical rules, as patients and answers

Made from the tests in `tests/spec/`: every line is a patient, the answer that is wanted, and why. `make test` checks
each of them, and that this page is not stale. What the service does with an answer stands in `docs/decision-table.md`.

Unless a line says otherwise the call is on 6 March 2026 at 12:00 in Shanghai, four days after the infusion (2 March,
10:00), of an adult of whom everything was read. `T 38.9 @-2h` is a temperature two hours before the call,
`@D4 07:00` a time counted from the day of the infusion, `@D4` a date whose time is not known. Drugs: `toci 560` is 560 mg of tocilizumab into a vein,
`start` a running infusion, `rate` a charted rate, `give` a dose.

Where a statement has no table, the test itself shows its patient and the wanted answer.
"""


def page() -> str:
    """The whole page as Markdown."""
    signs = [(f"`{name}`", meaning) for name, meaning in SIGNS.items()]
    parts = [INTRODUCTION, _table(("stands for", "signs"), signs)]
    parts += [_chapter(FOLDER / name) for name in CHAPTERS]
    return "\n".join(parts)


def _chapter(file: Path) -> str:
    source = file.read_text(encoding="utf-8")
    module = ast.parse(source)
    docstring = ast.get_docstring(module) or ""
    title, _, rest = docstring.partition("\n")
    tables = {name: text for node in module.body for name, text in _tables(node)}
    parts = [f"## {title.rstrip('.')}\n"]
    if rest.strip():
        parts.append(rest.strip() + "\n")
    tests = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    parts += [_paragraph(test, tables, source) for test in tests]
    return "\n".join(parts)


def _tables(node: ast.stmt) -> Iterable[tuple[str, str]]:
    """`NAME = rows(\"\"\"…\"\"\")`: the name and the text of the table."""
    if not (
        isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name)
    ):
        return
    call = node.value
    if isinstance(call.func, ast.Name) and call.func.id == "rows" and isinstance(call.args[0], ast.Constant):
        yield node.targets[0].id, str(call.args[0].value)


def _paragraph(test: ast.FunctionDef, tables: dict[str, str], source: str) -> str:
    """The sentence of a test with its table. A test without one shows its patient and its answer as it asks them."""
    sentence = test.name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
    parts = [f"### {sentence[0].upper()}{sentence[1:]}\n"]
    docstring = ast.get_docstring(test)
    if docstring:
        parts.append(docstring + "\n")
    marks = [d for d in test.decorator_list if isinstance(d, ast.Call) and len(d.args) == 2]
    shown = [table for mark in marks if (table := _parameters(mark.args[0], mark.args[1], tables))]
    return "\n".join([*parts, *(shown or [_code(test, source)])])


def _code(test: ast.FunctionDef, source: str) -> str:
    """The statements of a test, without its docstring."""
    first = test.body[1] if ast.get_docstring(test) and len(test.body) > 1 else test.body[0]
    lines = source.splitlines()[first.lineno - 1 : test.end_lineno]
    return f"```python\n{textwrap.dedent(chr(10).join(lines))}\n```\n"


def _parameters(names: ast.expr, values: ast.expr, tables: dict[str, str]) -> str:
    if isinstance(values, ast.Name) and values.id in tables:
        found = rows(tables[values.id])
        return _table(tuple(found[0]), [tuple(row.values()) for row in found])
    try:
        heads, lines = ast.literal_eval(names), ast.literal_eval(values)
    except ValueError:
        return ""
    heads = heads if isinstance(heads, tuple) else (heads,)
    shown = [tuple(str(cell) for cell in (line if isinstance(line, tuple) else (line,))) for line in lines]
    return _table(tuple(str(head) for head in heads), shown)


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    def cells(row: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in row) + " |\n"

    return "".join(map(cells, (head, ("---",) * len(head), *lines)))


if __name__ == "__main__":
    print(page(), end="")
