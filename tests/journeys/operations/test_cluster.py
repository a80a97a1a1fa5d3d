"""An evaluation on a Dask cluster: a scheduler and two workers of their own on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from cds_server.evaluation import engine
from cds_server.evaluation.bucket_task import TABLES, RulesFrom
from cds_server.evaluation.engine import EngineError, Open, bucket_folders, cluster, processes
from cds_server.evaluation.evaluate import Progress, Wanted, evaluate
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.workplace import Workplace
from tests.support.desk import EXAMPLE_VALUE_SETS, ZONE
from tests.support.evaluations import RULES, SILENT, chart, export
from tests.support.program import crs_cds

PATIENTS = "abcdefgh"
ON_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")
READY_SECONDS = 30


@dataclass(frozen=True)
class Cluster:
    """A scheduler with its workers; the first of the processes is its own."""

    address: str
    processes: list[subprocess.Popen[bytes]]


@contextmanager
def scheduler(folder: Path) -> Iterator[Cluster]:
    """A scheduler with two workers, each a process without a nanny that would start it again."""
    file = folder / "scheduler.json"
    started = [_dask("scheduler", *ON_LOOPBACK, "--port", "0", "--scheduler-file", str(file))]
    try:
        _wait(file.exists)
        worker = ("worker", *ON_LOOPBACK, "--no-nanny", "--nthreads", "1", "--scheduler-file", str(file),
                  "--local-directory", str(folder))  # fmt: skip
        started += [_dask(*worker), _dask(*worker)]
        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2, timeout=READY_SECONDS)
            address = client.scheduler.address
        yield Cluster(address, started)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _dask(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def _wait(ready: Any) -> None:
    until = time.monotonic() + READY_SECONDS
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.05)


def evaluated(folder: Path, work: Path, opened: Open, progress: Progress = SILENT) -> dict[str, list[bytes]]:
    """The rows of every table, sorted: a bucket is done in whatever order, and a killed worker leaves parts behind."""
    wanted = Wanted((folder,), Protocol(), (RULES,), (RulesFrom(None, EXAMPLE_VALUE_SETS),), ZONE, "Asia/Shanghai", "0")
    work.mkdir(exist_ok=True)
    (work / "salt").write_bytes(b"s" * 32)
    evaluate(wanted, Workplace(work), opened, progress)
    return {
        table: sorted(
            line
            for folder in bucket_folders(work / "results")
            for line in (folder / f"{table}.ndjson").read_bytes().splitlines()
        )
        for table in TABLES
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("export"), [one for name in PATIENTS for one in chart("3", name)])


@pytest.fixture(scope="module")
def alone(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    return evaluated(exported, tmp_path_factory.mktemp("alone") / "work", processes(1))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scheduler(tmp_path_factory.mktemp("cluster")) as found:
        yield found.address


def test_a_cluster_gives_the_rows_of_this_process(exported: Path, address: str, alone: Any, tmp_path: Path) -> None:
    assert evaluated(exported, tmp_path / "work", cluster(address)) == alone
    assert len(alone["courses"]) == len(PATIENTS)


def test_a_worker_that_is_killed_half_way_costs_no_row_and_doubles_none(
    exported: Path, address: str, alone: Any, tmp_path: Path
) -> None:
    """The last test of the cluster: one worker is left. It is one with a task in hand, or nothing would be lost."""
    killed: list[int] = []
    with Client(address) as client:

        def kill_one(_: int, __: int, last: Any) -> None:
            if last is not None and not killed:
                busy = [worker for worker, tasks in client.processing().items() if tasks]
                killed.append(client.run(os.getpid)[busy[0]])
                os.kill(killed[0], signal.SIGKILL)

        found = evaluated(exported, tmp_path / "work", cluster(address), Progress(lambda _: None, kill_one))
    assert killed
    assert found == alone


def test_a_scheduler_that_ends_half_way_is_one_sentence_and_what_is_done_is_kept(
    exported: Path, alone: Any, tmp_path: Path
) -> None:
    with scheduler(tmp_path) as own:

        def end(_: int, __: int, last: Any) -> None:
            if last is not None:
                own.processes[0].kill()

        with pytest.raises(EngineError, match="answers no more; what is done is kept"):
            evaluated(exported, tmp_path / "work", cluster(own.address), Progress(lambda _: None, end))
    done = {folder.name for folder in bucket_folders(tmp_path / "work" / "results")}
    assert done
    again: list[str] = []

    def note(_: int, __: int, last: Any) -> None:
        again.extend([str(last.bucket)] if last is not None else [])

    assert evaluated(exported, tmp_path / "work", processes(1), Progress(lambda _: None, note)) == alone
    assert not done & set(again)


def test_a_scheduler_that_is_not_there_is_one_sentence(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 1)
    result = crs_cds("evaluate", str(exported), "--out", str(tmp_path / "out"), "--cluster", "tcp://127.0.0.1:9")
    assert (result.exit_code, "no Dask scheduler answers at tcp://127.0.0.1:9" in result.stderr) == (2, True)
