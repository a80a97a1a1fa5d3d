"""The mistakes that mutmut makes, tried in forks of one process that has collected the tests: `make mutants`.

mutmut collects the tests anew for each mistake, which costs more than the tests that find it. Here each mistake gets a
fork, and the test that found the last mistake in the same function is asked first. A value that was worked out while
the tests were collected is that of the sound code, so mutmut itself then tries what survived.

mutmut writes the mistakes, which tests call which function, and how long each takes; the results go where it keeps its
own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

MUTANTS = Path("mutants")
ANY = "fhir_mappings.rules.crs_grade.x__graded__mutmut_1"
FOUND, SURVIVED, NO_TESTS, BROKEN = 1, 0, 33, 2  # exit codes; the first three are mutmut's
SECONDS, TIMES = 5, 4  # of CPU: a mistake that takes so much more than the sound code runs for ever


class Trials:
    """Tries the mistakes in place of running the tests."""

    def __init__(self, names: Sequence[str], results: Path, processes: int) -> None:
        stats = json.loads(Path("mutmut-stats.json").read_text(encoding="utf-8"))
        self._tests: Mapping[str, list[str]] = stats["tests_by_mangled_function_name"]
        self._seconds: Mapping[str, float] = stats["duration_by_test"]
        self._names, self._results, self._processes = names, results, processes
        self._first: dict[str, list[str]] = defaultdict(list)  # the tests that found a mistake, of each function

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        children = [pid for part in range(self._processes) if (pid := self._of_part(part, items))]
        for pid in children:
            os.waitpid(pid, 0)
        return True

    def _of_part(self, part: int, items: Mapping[str, pytest.Item]) -> int:
        """A process that tries a part of the mistakes."""
        pid = os.fork()
        if pid == 0:
            with self._results.open("a", encoding="utf-8", buffering=1) as results:
                for name in self._names[part :: self._processes]:
                    results.write(json.dumps([name, self._tried(name, items)]) + "\n")
            os._exit(0)
        return pid

    def _tried(self, name: str, items: Mapping[str, pytest.Item]) -> int:
        """The exit code of the tests with one mistake switched on."""
        function = name.rpartition("__mutmut_")[0]
        tests = [test for test in self._tests.get(function, ()) if test in items]
        if not tests:
            return NO_TESTS
        seconds = (sum(self._seconds.get(test, 0) for test in tests) + SECONDS) * TIMES
        first = self._first[function]
        tests.sort(key=lambda test: (test not in first, self._seconds.get(test, 0)))
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            _run_with(name, [items[test] for test in tests], int(seconds), write)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as pipe:
            found_by = pipe.read()
        if found_by and found_by not in first:
            first.append(found_by)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run_with(name: str, items: Sequence[pytest.Item], seconds: int, write: int) -> None:
    """Run the tests until one fails, which is written down, and end this process."""
    code = BROKEN
    try:
        most = int(time.process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        import_module("mutmut.mutation.trampoline").set_mutant_under_test(name)
        code = SURVIVED
        for item, following in zip(items, [*items[1:], None], strict=True):
            if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
                os.write(write, item.nodeid.encode())
                code = FOUND
                break
    finally:
        os._exit(code)


def codes_of(file: Path) -> dict[str, int | None]:
    """The exit code of each mistake in a module; None for one that was not tried."""
    found: dict[str, int | None] = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def trials(processes: int, selection: Sequence[str], arguments: Sequence[str]) -> None:
    """Try every mistake, and write what came of each into the files of mutmut."""
    os.chdir(MUTANTS)
    sys.path.insert(0, str(Path.cwd()))
    files = sorted(Path().rglob("*.meta"))
    names = [name for file in files for name in codes_of(file)]
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl", encoding="utf-8") as results:
        import_module("mutmut.mutation.trampoline").set_mutant_under_test("")
        tried = Trials(names, Path(results.name), processes)
        pytest.main(["--rootdir=.", "-p", "no:randomly", *arguments, *selection], plugins=[tried])
        codes = dict(json.loads(line) for line in results)
    for file in files:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        content["exit_code_by_key"] = {name: codes.get(name, BROKEN) for name in content["exit_code_by_key"]}
        file.write_text(json.dumps(content), encoding="utf-8")


def main() -> int:
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    mutmut, processes = [Path(sys.executable).with_name("mutmut"), "run"], os.cpu_count() or 1
    # one mistake: mutmut makes all of them first, and runs the tests once to see what each calls
    subprocess.run([*mutmut, "--max-children", "1", ANY], check=True)
    pid = os.fork()
    if pid == 0:
        trials(processes, settings["pytest_add_cli_args_test_selection"], settings["pytest_add_cli_args"])
        os._exit(0)
    os.waitpid(pid, 0)
    files = sorted(MUTANTS.rglob("*.meta"))
    survived = [name for file in files for name, code in codes_of(file).items() if code != FOUND]
    if survived:
        subprocess.run([*mutmut, *survived], check=True)
    codes = Counter(code for file in files for code in codes_of(file).values())
    print(f"{codes.total()} mistakes, the tests find {codes.total() - codes[SURVIVED] - codes[NO_TESTS]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
