"""The rounds of searches in which a record is read.

Only a course says how far back to look, and only a search shows a course. So searches go out in rounds, side by side.

- A search *decides* where the next round depends on it: administrations, procedures, and signs, whose earlier part is
  asked for from where the recent one ends.
- A *hint* is a search by code. It may show the course early, and its failure costs nothing. At a site that believes
  codes alone, hints decide too.

| step        | when                              | asks for                           | waits for                    |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| first round | at once                           | all that shows a course; labs,     | what decides, for half of    |
|             |                                   | orders, 48 h of signs and          | the time left                |
|             |                                   | administrations; the hints         |                              |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| moment      | no course is seen; a hint is      | nothing                            | hints, for a quarter of the  |
|             | under way, and nothing that       |                                    | time that the round took     |
|             | decides                           |                                    |                              |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| doubt       | no course is seen, not all that   | nothing                            | hints and what decides, for  |
|             | shows one was read, and nothing   |                                    | half of the time left        |
|             | more can be asked for             |                                    |                              |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| medications | nothing more can be asked for     | Medications behind references      | all of them                  |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| next round  | earlier data are needed: as far   | earlier signs and administrations  | as in the first round        |
|             | back as the course, or its        |                                    |                              |
|             | absence, asks for                 |                                    |                              |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| end         | after that, or after MOST_ROUNDS  | nothing                            | everything, hints in doubt   |
|             |                                   |                                    | only                         |
|-------------|-----------------------------------|------------------------------------|------------------------------|
| last round  | the course that is now seen needs | as a next round                    | everything but hints         |
|             | more                              |                                    |                              |

After each step the course is looked for anew. The steps from `moment` to `medications` end each round. What has not
come by the deadline is unread, and said to be.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cds_server.limits import CourseLookup
from cds_server.record.patient_forms import PatientForm
from cds_server.record.patient_read import PatientRead
from cds_server.record.prefetch import KeyState
from cds_server.record.record_so_far import RecordSoFar
from cds_server.record.referred_medications import ReferredMedications
from cds_server.record.search_plan import Need, Plan
from cds_server.record.searches_under_way import SearchesUnderWay
from fhir_mappings.course_search import FoundCourse, MappingContext, find_course
from fhir_mappings.facts.course import CourseSearch
from fhir_mappings.facts.coverage import Kind

MOST_ROUNDS = 4
MOMENT_FOR_HINTS = 0.25  # of the time that the round took: a course that a hint shows saves a round
_DECIDING = frozenset({Kind.ADMINISTRATIONS, Kind.PROCEDURES, Kind.VITALS, Kind.OXYGEN})
_IN_DOUBT = frozenset({CourseSearch.UNREADABLE, CourseSearch.NONE_IN_PART_READ})


@dataclass(frozen=True)
class _Next:
    """The searches that the course asks for now and that were not asked before."""

    search: CourseSearch
    needs: tuple[Need, ...]


class SearchRounds:
    """The rounds of one call."""

    def __init__(
        self,
        searches: SearchesUnderWay,
        medications: ReferredMedications,
        plan: Plan,
        context: MappingContext,
        so_far: RecordSoFar,
    ) -> None:
        self._searches = searches
        self._medications = medications
        self._plans: tuple[Plan, ...] = (plan,)
        self._context = context
        self._so_far = so_far
        self._asked: set[Need] = set()
        self._found: tuple[object, FoundCourse] | None = None

    def read(self, states: Mapping[str, KeyState], patient: PatientRead | None = None) -> CourseSearch:
        """Read until all that the course asks for is there, or the time ends; return how surely there is a course.

        `patient` is given where nobody knows the form in which the server matches patients. If the first round brings
        nothing, on a Patient whom the server may know, it is sent once more in the other form.
        """
        needs: Sequence[Need] = self._plans[0].first_round(states)
        for number in range(MOST_ROUNDS):
            found = self._round(needs)
            if number == 0 and patient is not None and self._found_nothing_on(patient):
                self._plans = (self._plans[0], replace(self._plans[0], form=self._plans[0].form.other))
                found = self._round(self._plans[1].first_round(states))
            needs = found.needs
            if not needs and not self._searches.any(self._decides):
                break
        in_doubt = found.search in _IN_DOUBT
        self._searches.take_all(lambda need: self._decides(need) or need.hint is None or in_doubt)
        found = self._next()
        if found.needs:
            self._ask(found.needs)
            self._searches.take_all(lambda need: self._decides(need) or need.hint is None)
            found = self._next()
        return found.search

    @property
    def matched(self) -> PatientForm | None:
        """The form in which a search brought a match."""
        return next((p.form for p in self._plans if p.form.of(p.patient_id) in self._searches.brought), None)

    def _found_nothing_on(self, patient: PatientRead) -> bool:
        """Tell whether the whole round brought nothing, on a Patient whom the server may know, for a reason that may be
        the form. If the Patient could not be read, only an empty answer is such a reason."""
        if not self._searches.brought:
            self._searches.take(lambda _: True)
        if self._searches.brought or self._searches.any(lambda _: True):
            return False
        patient.take()
        if patient.is_there:
            return self._searches.came_whole or self._searches.refused
        return self._searches.came_whole and not patient.is_unknown

    def _round(self, needs: Sequence[Need]) -> _Next:
        began = time.monotonic()
        self._ask(needs)
        self._searches.take(self._decides)
        found = self._next()
        if (
            found.search is not CourseSearch.FOUND
            and self._searches.any(_is_hint)
            and not self._searches.any(self._decides)
        ):
            self._searches.take(_is_hint, (time.monotonic() - began) * MOMENT_FOR_HINTS)
            found = self._next()
        if not found.needs and found.search in _IN_DOUBT and self._searches.any(_is_hint):
            self._searches.take(lambda need: self._decides(need) or _is_hint(need))
            found = self._next()
        if not found.needs and self._medications.read():
            found = self._next()
        return found

    def _ask(self, needs: Sequence[Need]) -> None:
        first = self._plans[0]
        usual = [need for need in needs if need.patient == first.form.of(first.patient_id)]
        self._searches.start(usual)
        self._searches.start([need for need in needs if need not in usual], tentative=True)
        self._asked.update(needs)

    def _next(self) -> _Next:
        found = self._course()
        matched = self.matched
        plans = [plan for plan in self._plans if matched in (None, plan.form)]
        coverage, pages = self._so_far.coverage, self._searches.pages
        needs = [n for plan in plans for n in plan.next_round(coverage, found.course, self._asked, pages)]
        return _Next(found.search, tuple(needs))

    def _course(self) -> FoundCourse:
        """The course in what was read so far. It is worked out again only if more was read since."""
        read = (self._so_far.pool.added, dict(self._so_far.coverage))
        if self._found is None or self._found[0] != read:
            self._found = read, find_course(self._so_far.record(), self._context)
        return self._found[1]

    def _decides(self, need: Need) -> bool:
        """Tell whether the next round depends on this search."""
        if need.hint is not None:
            return self._plans[0].lookup is CourseLookup.CODES
        return bool(_DECIDING & set(need.kinds))


def _is_hint(need: Need) -> bool:
    return need.hint is not None
