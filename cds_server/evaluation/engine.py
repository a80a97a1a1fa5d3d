"""The engine: one task a bucket, the largest first, in processes of this machine or on a cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from cds_server.evaluation.bucket_task import SUMMARY, Job, OtherRulesError, Summary, run_bucket

T = TypeVar("T")
TRIES = 3  # of a bucket whose process was killed
CONNECT_SECONDS = 10
GONE = "the Dask scheduler answers no more; what is done is kept: run the same command again."
_CLUSTER_ERRORS = ("CommClosedError", "FutureCancelledError")  # named, because Dask is an extra
Open = Callable[[], Executor]


class EngineError(Exception):
    """A run that cannot go on. What was done so far is kept."""


def run(job: Job, buckets: Iterable[int], open_executor: Open, say: Callable[[Summary], None]) -> None:
    """Do the tasks of all buckets, in the order given. Raises EngineError; what is done by then stays done.

    A worker that dies takes the pool with it: its tasks are done again in a new one, a few times at the most.
    """
    waiting, tries = list(buckets), Counter[int]()
    while waiting:
        with open_executor() as executor:
            futures = {executor.submit(run_bucket, job, number): number for number in waiting}
            lost = _collect(futures, waiting, say)
        tries.update(lost)
        given_up = [number for number in lost if tries[number] >= TRIES]
        if given_up:
            raise EngineError(
                f"the process that worked on bucket {given_up[0]} was ended {TRIES} times, perhaps for lack of memory; "
                "what is done is kept: run the same command again, with fewer --workers."
            )


def _collect(futures: dict[Future[Summary], int], waiting: list[int], say: Callable[[Summary], None]) -> list[int]:
    """Take each result; the buckets whose process was killed."""
    lost: list[int] = []
    for future in as_completed(futures):
        error = _error_of(future)
        if error is None:
            waiting.remove(futures[future])
            say(future.result())
        elif isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker":
            lost.append(futures[future])
        else:
            for other in futures:
                other.cancel()
            raise EngineError(str(error)) if isinstance(error, OtherRulesError) else error
    return lost


def _error_of(future: Future[Summary]) -> BaseException | None:
    """The error of a task. Raises EngineError where the cluster itself is gone."""
    try:
        error = future.exception()
    except CancelledError as cancelled:
        raise EngineError(GONE) from cancelled
    if type(error).__name__ in _CLUSTER_ERRORS:
        raise EngineError(GONE) from error
    return error


class _Here(Executor):
    """Does each task at once, in this process."""

    def submit(self, task: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(task(*given, **named))
        except Exception as error:  # it is raised where the result is taken
            future.set_exception(error)
        return future


def processes(workers: int) -> Open:
    """An executor of so many processes; one is this process itself. They are spawned: a fork would copy whatever the
    parent holds."""
    if workers == 1:
        return _Here
    return lambda: ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), end_with_the_parent)


def end_with_the_parent() -> None:
    """Let this process end as soon as its parent does: one that is killed cannot end its workers, and they would hold
    patient data for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def cluster(address: str) -> Open:
    """An executor on a Dask cluster. Raises EngineError if there is no such scheduler, or Dask is not installed."""
    try:
        from distributed import Client  # noqa: PLC0415  (an extra, and half a second)
    except ImportError as error:
        raise EngineError("--cluster needs Dask: install crs-cds[cluster].") from error

    for logger in ("distributed", "distributed.client"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # what goes wrong is said in one sentence

    @contextmanager
    def opened() -> Iterator[Any]:
        try:
            client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise EngineError(f"--cluster: no Dask scheduler answers at {address}.") from error
        with client:
            yield client.get_executor()

    return opened  # type: ignore[return-value]


class Rows(Generic[T]):
    """A table of a run, read from its files each time that it is walked."""

    def __init__(self, results: Path, table: str, of: type[T]) -> None:
        self._results, self._table = results, table
        self._decoder = msgspec.json.Decoder(of)

    def __iter__(self) -> Iterator[T]:
        for folder in bucket_folders(self._results):
            with (folder / f"{self._table}.ndjson").open("rb") as file:
                for line in file:
                    yield self._decoder.decode(line)


def bucket_folders(results: Path) -> list[Path]:
    return sorted((one for one in results.iterdir() if one.name.isdecimal()), key=lambda one: int(one.name))


def summaries(results: Path) -> list[Summary]:
    """The counts of every bucket that is done."""
    decoder = msgspec.json.Decoder(Summary)
    return [decoder.decode((folder / SUMMARY).read_bytes()) for folder in bucket_folders(results)]
