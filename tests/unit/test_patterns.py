"""Every regular expression of the packages is linear, on texts made to slow it down.

The patterns are found, not listed: each is compiled into a constant of its module, or it is one of `BUILT`. A text is
made from the pattern itself: what stands before a repetition, then what is repeated, many times, then a sign that fits
nowhere.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.codes.terminology import packaged_terminology

ROOT = Path(__file__).parents[2]
PACKAGES = ("fhir_mappings", "cards", "cds_server", "example_patients", "order_desk")
FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
# where a pattern is built from data while the service runs
BUILT: dict[str, Callable[[], re.Pattern[Any]]] = {
    "fhir_mappings.codes.terminology": lambda: packaged_terminology().infusion_marks,
}
METHODS = {"search", "match", "fullmatch", "findall", "finditer", "split", "sub"}
SEPARATORS = (" ", "-", ".", ",", "(", "/", ":", "0", "a", "\n")
SHORTEST, LONGEST = 20, 5_120
AT_MOST = 3.0  # times as long for a text twice as long
NOISE = 0.002  # seconds; shorter times are not compared
AGAIN = 4  # a busy machine makes one measurement slow, a slow pattern every one
MANY = 50  # a repetition of at most so many is no repetition


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def calls_of_re(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name != "escape":
                yield node


def patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from patterns_in(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from patterns_in(part)


def constants_of(file: Path) -> dict[str, list[re.Pattern[Any]]]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    targets = [t for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) for t in targets_of(node)]
    module = importlib.import_module(module_of(file))
    return {name: found for name in targets if (found := list(patterns_in(getattr(module, name, None))))}


def targets_of(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [t.id for t in targets if isinstance(t, ast.Name)]


USING = [file for file in FILES if any(True for _ in calls_of_re(file))]
FOUND = [
    pytest.param(pattern, name, id=f"{module_of(file)}.{name}-{number}")
    for file in USING
    for name, patterns in constants_of(file).items()
    for number, pattern in enumerate(patterns)
] + [pytest.param(build(), "", id=f"{module}-built") for module, build in BUILT.items()]


@pytest.mark.parametrize("file", USING, ids=module_of)
def test_every_pattern_is_compiled_into_a_constant_or_named_here(file: Path) -> None:
    calls = list(calls_of_re(file))
    known = sum(map(len, constants_of(file).values())) + (module_of(file) in BUILT)
    assert [ast.unparse(call) for call in calls if call.func.attr != "compile"] == []  # type: ignore[attr-defined]
    assert len(calls) == known, [ast.unparse(call) for call in calls]


@pytest.mark.parametrize(("pattern", "name"), FOUND)
def test_a_text_twice_as_long_takes_no_more_than_three_times_as_long(pattern: re.Pattern[Any], name: str) -> None:
    worst = [
        (how, before, pump)
        for how in methods_of(name)
        for before, pump in product(*hostile_parts(pattern))
        if not is_linear(pattern, how, before, pump)
    ]
    assert worst == []


@pytest.mark.parametrize(
    ("slow", "why"),
    [
        (r"(?:(?:a|b)[\s-]*)*c", "one repetition inside another"),
        (r"(?:ICE\s*)?:?\s*\d", "two repetitions of the same signs side by side"),
        (r".*\(\s*<[^)]*\)", "two that overlap, with signs between"),
        (r"[a-z]{4,} [a-z]{4,}", "a search that begins anew at every letter"),
    ],
)
def test_the_measure_notices_a_slow_pattern(slow: str, why: str) -> None:
    pattern = re.compile(slow)
    texts = product(*hostile_parts(pattern))
    assert any(not is_linear(pattern, how, *text) for text in texts for how in ("fullmatch", "search")), why


def methods_of(name: str) -> list[str]:
    """The methods by which a pattern is used anywhere; both kinds where its name does not say."""
    return sorted(uses().get(name, set()) & METHODS) or ["fullmatch", "search"]


@cache
def uses() -> Mapping[str, set[str]]:
    """The attributes of each name, over all packages."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found[node.value.id].add(node.attr)
    return found


def is_linear(pattern: re.Pattern[Any], how: str, before: str, pump: str) -> bool:
    length, last = SHORTEST, 0.0
    while length <= LONGEST:
        text = hostile_text(pattern, before, pump, length)
        seconds = shortest_time(pattern, how, text)
        if seconds > NOISE and seconds > AT_MOST * last and last > 0:
            half = hostile_text(pattern, before, pump, length // 2)
            if all(growth(pattern, how, half, text) > AT_MOST for _ in range(AGAIN)):
                return False
        length, last = 2 * length, seconds
    return True


def hostile_text(pattern: re.Pattern[Any], before: str, pump: str, length: int) -> str | bytes:
    text = before + pump * (length // len(pump)) + "\0"
    return text if isinstance(pattern.pattern, str) else text.encode()


def growth(pattern: re.Pattern[Any], how: str, half: str | bytes, text: str | bytes) -> float:
    return shortest_time(pattern, how, text) / max(shortest_time(pattern, how, half), NOISE / 10)


def shortest_time(pattern: re.Pattern[Any], how: str, text: str | bytes) -> float:
    """CPU seconds of the fastest of three; one is enough while it is short."""
    use = getattr(pattern, how)
    arguments = (lambda m: m[0], text) if how == "sub" else (text,)
    times: list[float] = []
    while len(times) < 3 and (not times or times[-1] > NOISE):
        began = time.process_time()
        for _ in use(*arguments) if how == "finditer" else [use(*arguments)]:
            pass
        times.append(time.process_time() - began)
    return min(times)


def hostile_parts(pattern: re.Pattern[Any]) -> tuple[set[str], set[str]]:
    """What may stand before a repetition, and what may be repeated."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    befores, pumps = {""}, set(SEPARATORS)
    text = ""
    for full in (True, False):  # with every optional part, and without
        text = _walked(re._parser.parse(source, pattern.flags & ~re.ASCII & ~re.UNICODE), "", full, befores, pumps)  # type: ignore[attr-defined]
        befores.add(text)
    return befores, pumps


def _walked(items: Any, before: str, full: bool, befores: set[str], pumps: set[str]) -> str:
    """A text that fits the parts of a parsed pattern; gathers what is met on the way."""
    said = ""
    for kind, value in items:
        match str(kind):
            case "LITERAL":
                said += chr(value)
            case "ANY" | "NOT_LITERAL":
                said += "a"
            case "IN":
                pumps |= (signs := _signs(value))
                said += min(signs)
            case "SUBPATTERN" | "ATOMIC_GROUP":
                said += _walked(value[-1] if str(kind) == "SUBPATTERN" else value, before + said, full, befores, pumps)
            case "BRANCH":
                parts = [_walked(part, before + said, full, befores, pumps) for part in value[1][:20]]
                said += parts[0]
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, body = value
                if most > MANY:
                    befores.add(before + said)
                once = _walked(body, before + said, full, befores, pumps)
                if most > MANY and once:
                    pumps.add(once)
                said += once * max(least, int(full))
    return said


def _signs(parts: Any) -> set[str]:
    """A few signs that a set of signs holds."""
    found: set[str] = set()
    for kind, value in parts:
        match str(kind):
            case "LITERAL":
                found.add(chr(value))
            case "RANGE":
                found.add(chr(value[0]))
            case "CATEGORY":
                found.add({"SPACE": " ", "DIGIT": "0", "WORD": "a"}.get(str(value).rpartition("_")[2], "a"))
    return found or {"a"}
