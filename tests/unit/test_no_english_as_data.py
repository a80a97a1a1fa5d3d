"""Nothing decides by a sentence: no text of words is compared, searched, split or cut.

Facts carry enums and numbers; their words are made once, and nobody reads them back. What a module takes from outside is
another matter: such a module is named here, with what it reads.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("fhir_mappings", "cards", "cds_server", "example_patients", "order_desk")
METHODS = frozenset({
    "split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "startswith", "endswith", "find",
    "rfind", "index", "rindex", "count", "match", "fullmatch", "search", "compile", "sub", "finditer", "findall",
})  # fmt: skip
# modules that read the words of others
FOREIGN = {
    "fhir_mappings/lab_series.py": "the names of specimens",
    "fhir_mappings/reading/resources.py": "messages of msgspec, which name the broken field nowhere else",
    "cds_server/evaluation/graded.py": "grades as they were charted",
    "cds_server/record/recorded_bundle.py": "the same messages",
    "cards/sentences/escaping.py": "references of a record, which are shown only in a form that is safe",
    "example_patients/stories/chart.py": "the lines of a story's chart",
}
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
SCRIPTS = [
    file
    for package in PACKAGES
    for ending in ("js", "html")
    for file in sorted((ROOT / package).rglob(f"*.{ending}"))
    if ".min." not in file.name
]


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def is_words(text: str) -> bool:
    """A letter and a space: a sentence, or a piece of one."""
    return " " in text and any(c.isalpha() for c in text)


def sentences_named_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The module's constants that are sentences: name, and text."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for target in node.targets:
                if isinstance(target, ast.Name) and is_words(node.value.value):
                    yield target.id, node.value.value


TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
SENTENCES = {
    f"{name_of(file).removesuffix('.py').replace('/', '.')}.{name}": text
    for file, tree in TREES.items()
    for name, text in sentences_named_in(tree)
}


def known_by_name(file: Path) -> dict[str, str]:
    """The sentences that a module may name: its own, and those that it imports."""
    module = name_of(file).removesuffix(".py").replace("/", ".")
    found = {name.removeprefix(f"{module}."): text for name, text in SENTENCES.items() if name.startswith(f"{module}.")}
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.ImportFrom):
            names = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name: SENTENCES[full] for name, full in names.items() if full in SENTENCES}
    return found


def texts_of(operand: ast.AST, known: dict[str, str]) -> Iterator[str]:
    """The texts that an operand is, or holds."""
    match operand:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Constant(value=bytes(text)):
            yield text.decode("latin-1")
        case ast.Name(id=name) if name in known:
            yield known[name]
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                yield from texts_of(part, known)
        case ast.BinOp(left=left, right=right):
            yield from texts_of(left, known)
            yield from texts_of(right, known)


def decisions_in(file: Path) -> Iterator[tuple[int, str]]:
    """The places where a text decides: line, and the text."""
    known = known_by_name(file)
    for node in ast.walk(TREES[file]):
        match node:
            case ast.Compare(left=left, comparators=others):
                operands = [left, *others]
            case ast.Call(func=ast.Attribute(attr=name), args=operands) if name in METHODS:
                pass
            case ast.MatchValue(value=value):
                operands = [value]
            case _:
                continue
        for operand in operands:
            for text in texts_of(operand, known):
                yield node.lineno, text


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_module_decides_by_a_sentence(file: Path) -> None:
    found = [f"line {line}: {text}" for line, text in decisions_in(file) if is_words(text)]
    if name_of(file) in FOREIGN:
        assert found, "it does so no more: take it out of the list"
    else:
        assert found == []


# a comparison or a method that looks into a text, with the text; and a pattern that is tried on one
_IN_SCRIPT = (
    re.compile(r"""[!=]==?\s*(["'`])(?P<text>.*?)\1"""),
    re.compile(r"""\.(?:startsWith|endsWith|includes|indexOf|split|match|search)\(\s*(["'`/])(?P<text>.*?)\1"""),
    re.compile(r"""/(?P<text>[^/\n]+)/[a-z]*\.(?:test|exec)\("""),
)


@pytest.mark.parametrize("file", SCRIPTS, ids=name_of)
def test_no_script_or_template_decides_by_a_sentence(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert [m["text"] for form in _IN_SCRIPT for m in form.finditer(text) if is_words(m["text"])] == []
