"""The searches of one call that are under way: started, waited for, and added to the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from datetime import datetime
from math import inf

from cds_server.operations.metrics import Metrics
from cds_server.outgoing.fhir_errors import Fault, FhirError
from cds_server.outgoing.read_outcome import InPart, ReadOutcome, failed
from cds_server.record.asked_server import AskedServer
from cds_server.record.coverage_growth import LATE, NOT_PERMITTED, grown
from cds_server.record.record_so_far import RecordSoFar
from cds_server.record.search_plan import Hint, Need
from fhir_mappings.facts.coverage import Kind


class SearchesUnderWay:
    """The searches under way. `hints` holds the error of each search by code that came back, None if it brought
    everything. `pages` are the most that a search without an end filled, which are those of the last days. `kinds` are
    those that were searched for, `brought` the forms of the patient in which something came. `came_whole`: a search
    was answered in full; `refused`: one failed as it may because of the form in which it names the patient."""

    def __init__(
        self, asked: AskedServer, so_far: RecordSoFar, as_of: datetime, metrics: Metrics, *, dense: bool
    ) -> None:
        self.hints: dict[Hint, FhirError | None] = {}
        self.pages: dict[Kind, int] = {Kind.ADMINISTRATIONS: 2} if dense else {}
        self.kinds: set[Kind] = set()
        self.brought: set[str] = set()
        self.came_whole = False
        self.refused = False
        self._tentative: set[Need] = set()
        self._asked = asked
        self._so_far = so_far
        self._as_of = as_of
        self._metrics = metrics
        self._futures: dict[Future[ReadOutcome], Need] = {}

    def start(self, needs: Iterable[Need], *, tentative: bool = False) -> None:
        """Send searches, those that decide first. Tentative ones may be refused (400): the server need not know that
        form of the patient."""
        for need in sorted(needs, key=lambda need: not need.search.decides):
            self._tentative.update((need,) if tentative else ())
            if self._asked.permits(need.search.resource_type):
                self._futures[self._asked.search(need.search)] = need
            elif need.hint is None:
                self._merge(need, failed(NOT_PERMITTED))

    def any(self, which: Callable[[Need], bool]) -> bool:
        return any(which(need) for need in self._futures.values())

    def take(self, which: Callable[[Need], bool], seconds: float = inf) -> None:
        """Wait for some searches in at most half of the time that is left, then take all that came: one search that
        hangs must not keep the next round from being asked."""
        self._wait(which, min(seconds, self._asked.remaining() / 2))
        self._merge_each([future for future in self._futures if future.done()])

    def take_all(self, which: Callable[[Need], bool]) -> None:
        """Wait for some searches until the deadline, then take what came and count the rest as late."""
        self._wait(which, self._asked.remaining())
        self._merge_each(list(self._futures))

    def _wait(self, which: Callable[[Need], bool], seconds: float) -> None:
        wait([future for future, need in self._futures.items() if which(need)], timeout=seconds)

    def _merge_each(self, futures: Iterable[Future[ReadOutcome]]) -> None:
        """Merge the results newest first, so that coverage grows back from now without a gap."""
        for future in sorted(futures, key=lambda f: self._futures[f].until or self._as_of, reverse=True):
            need = self._futures.pop(future)
            found = future.result() if future.done() else failed(LATE)
            if future.cancel():  # one that never began counts nothing by itself
                self._metrics.fhir_errors.labels(need.search.resource_type, LATE.label).inc()
            self._merge(need, found)

    def _merge(self, need: Need, found: ReadOutcome) -> None:
        so_far = self._so_far
        before = so_far.pool.added
        taken = so_far.add(found, need.search.resource_type, frozenset(need.kinds))
        if so_far.pool.added > before:
            self.brought.add(need.patient)
        if isinstance(taken, InPart):
            self.refused = self.refused or not _is_away(taken.error)
        else:
            self.came_whole = True
        self.kinds.update(need.kinds)
        if need in self._tentative and isinstance(taken, InPart) and taken.error.status == 400:
            return
        if need.hint is not None:
            self.hints[need.hint] = taken.error if isinstance(taken, InPart) else None
        if need.hint is Hint.BEHIND_REFERENCES:  # what it finds is found anyway, behind the references of the rest
            return
        for kind in need.kinds:
            if need.until is None:
                self.pages[kind] = max(taken.pages, self.pages.get(kind, 1))
            so_far.coverage[kind] = grown(so_far.coverage[kind], need, taken, self._as_of)


def _is_away(error: FhirError) -> bool:
    """Tell whether a server is busy, does not answer, or lets nobody in: the same search in another form would fare no
    better."""
    if error.status is None:
        return error.fault is not Fault.ANSWER and error.fault is not Fault.OUTCOME
    return error.status in (401, 429, 502, 503, 504)
