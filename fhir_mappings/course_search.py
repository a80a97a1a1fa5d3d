"""The search for the running course in administrations and procedures, and its certainty if there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from fhir_mappings.codes.car_t_bytes import name_cells
from fhir_mappings.codes.observed_sets import KIND_OF_SET
from fhir_mappings.codes.terminology import Terminology
from fhir_mappings.course import (
    current_course,
    infusion_administrations,
    infusions,
)
from fhir_mappings.facts import sought
from fhir_mappings.facts.course import Course, CourseDoubt, CourseSearch
from fhir_mappings.facts.coverage import NOT_SUPPLIED, Completeness, Coverage, Gap, Kind, Reach, SetAside, Sought, reach
from fhir_mappings.facts.thresholds import Thresholds
from fhir_mappings.facts.treatment import Administration, DrugClass, of_class
from fhir_mappings.infusions.facility_zone import facility_zone
from fhir_mappings.infusions.infusion_procedures import infusion_procedures
from fhir_mappings.medications.identified import UNNAMED
from fhir_mappings.medications.treatments import administrations
from fhir_mappings.reading import fhir_structs as fs
from fhir_mappings.reading.fhir_time import BadTimeError, moment
from fhir_mappings.reading.resource_pool import PatientRecord
from fhir_mappings.reading.resources import Broken
from fhir_mappings.reading.stated_values import StatedInBroken, stated_in_broken

_OBSERVED = frozenset(KIND_OF_SET)
_MOST_COPIES = 4  # of one id; more are read by their kinds alone
_INFUSION_KINDS = frozenset({Kind.ADMINISTRATIONS, Kind.PROCEDURES})


@dataclass(frozen=True)
class MappingContext:
    """The settings for the mapping of a record: codes, numbers, the facility's zone, the patient and the moment."""

    terms: Terminology
    thresholds: Thresholds
    zone: tzinfo | None
    patient_id: str
    fhir_base: str | None
    as_of: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "as_of", self.as_of.astimezone(UTC))


@dataclass(frozen=True)
class FoundCourse:
    """The course, the drugs given, and the certainty that nothing was missed; `doubt` says why it is not sure."""

    zone: tzinfo
    zone_assumed: bool
    given: tuple[Administration, ...]
    course: Course | None
    search: CourseSearch
    doubt: CourseDoubt | None
    set_aside: tuple[SetAside, ...]

    def given_reach(self, coverage: Mapping[Kind, Coverage], drugs: frozenset[DrugClass]) -> Reach:
        """The reach of what is known of whether drugs of these classes were given."""
        return reach(coverage, sought.given(*drugs), (*self.set_aside, *unidentified_drugs(self.given)))


def find_course(record: PatientRecord, context: MappingContext) -> FoundCourse:
    """The running course by administrations and procedures; without one, `search` says how sure that is."""
    pool, t = record.pool, context.thresholds
    zone, assumed = facility_zone(context.zone, pool, context.terms, context.fhir_base)
    given, bad_given = administrations(pool, context.terms, zone, context.as_of, t, context.fhir_base)
    procedures, bad_procedures = infusion_procedures(pool, context.terms, zone, context.as_of, t)
    products, bad_products = infusion_administrations(given)
    course = current_course(infusions((*procedures, *products), context.terms, zone), context.as_of, zone, t)
    doubtful = tuple(s for s in unidentified_drugs(given) if s.infusion)
    bad = (*_broken(record, context, zone), *bad_given, *bad_procedures, *bad_products, *doubtful)
    doubt = None if course else _doubt(record, context, given, bad)
    return FoundCourse(zone, assumed, given, course, _search(course, doubt), doubt, bad)


def _broken(record: PatientRecord, context: MappingContext, zone: tzinfo) -> tuple[SetAside, ...]:
    """The resources that could not be read at all.

    One that names a CAR-T product or its administration anywhere in its bytes may have been an infusion, so a card
    reports it. A needless card about a premedication does no harm.
    """
    terms, broken = context.terms, record.pool.broken.values()
    medications = record.pool.of_type(fs.Medication) if broken else ()
    products = tuple(m.reference.encode() for m in medications if name_cells(m.raw, terms))
    found = []
    for b in broken:
        try:
            at = moment(b.when, zone) if b.when else None
        except BadTimeError:
            at = None
        infusion = b.infusion or (
            bool(b.kinds & _INFUSION_KINDS)
            and any(name_cells(raw, terms) or any(product in raw for product in products) for raw in b.raws)
        )
        for stated in _copies(b):
            sets = terms.sets_of(stated.codings) & _OBSERVED
            found.append(SetAside(b.reference, b.why, b.kinds, at, infusion, value_sets=sets, stated=stated.value))
    return tuple(found)


def _copies(broken: Broken) -> Iterator[StatedInBroken]:
    """Yield what each copy of one id states: a temperature and a blood pressure may share it, and neither was read."""
    if 0 < len(broken.raws) <= _MOST_COPIES:
        yield from dict.fromkeys(map(stated_in_broken, broken.raws))
    else:
        yield StatedInBroken()  # which may be anything of its kinds


def _search(course: Course | None, doubt: CourseDoubt | None) -> CourseSearch:
    if course is not None:
        return CourseSearch.FOUND
    if doubt is None:
        return CourseSearch.NONE
    nothing_read = (CourseDoubt.NOTHING_READ, CourseDoubt.PATIENT_UNKNOWN)
    return CourseSearch.UNREADABLE if doubt in nothing_read else CourseSearch.NONE_IN_PART_READ


def _doubt(
    record: PatientRecord, context: MappingContext, given: tuple[Administration, ...], bad: tuple[SetAside, ...]
) -> CourseDoubt | None:
    """The reason why an infusion of the last 60 days may have been missed; None if everything was read."""
    opens, as_of = context.as_of - context.thresholds.course_days, context.as_of
    unnamed = tuple(s for s, a in _unidentified(given) if a.drug == UNNAMED)
    named = tuple(s for s, a in _unidentified(given) if a.drug != UNNAMED)
    cells = sought.given(DrugClass.CAR_T)
    fetched = _unfetched(record.coverage, opens)
    if fetched not in (None, CourseDoubt.FIRST_PAGE):
        return fetched
    if _leaves_a_hole(unnamed, cells, opens, as_of):
        whole = record.coverage.get(Kind.MEDICATIONS, NOT_SUPPLIED).state is Completeness.COMPLETE
        return CourseDoubt.DRUG_UNNAMED if whole else CourseDoubt.DRUG_UNREAD
    if _leaves_a_hole((*bad, *named), cells, opens, as_of):
        return CourseDoubt.UNUSABLE
    return CourseDoubt.UNUSABLE if _leaves_a_hole(bad, sought.INFUSION_PROCEDURES, opens, as_of) else fetched


def _unfetched(coverage: Mapping[Kind, Coverage], opens: datetime) -> CourseDoubt | None:
    """The reason why administrations and procedures were not all fetched."""
    both = [coverage.get(k, NOT_SUPPLIED) for k in (Kind.ADMINISTRATIONS, Kind.PROCEDURES)]
    short = [c for c in both if not c.covers(opens)]
    if not short:
        return None
    if any(c.gap is Gap.NOT_KNOWN for c in short):
        return CourseDoubt.PATIENT_UNKNOWN
    if all(c.state is Completeness.UNREAD for c in both):
        return CourseDoubt.NOTHING_READ
    if any(c.failed for c in short):
        return CourseDoubt.READ_FAILED
    by_code = coverage.get(Kind.CRS_DRUGS, NOT_SUPPLIED).state is Completeness.COMPLETE
    is_page = by_code and short == both[:1] and both[0].gap is Gap.SUPPLIED_IN_PART
    return CourseDoubt.FIRST_PAGE if is_page else CourseDoubt.NOT_ASKED_FOR


def _leaves_a_hole(set_aside: tuple[SetAside, ...], wanted: Sought, start: datetime, end: datetime) -> bool:
    """Tell whether a resource that was set aside may have been what is wanted, in [start, end]."""
    everything_fetched = dict.fromkeys(wanted.kinds, Coverage(Completeness.COMPLETE))
    return not reach(everything_fetched, wanted, set_aside).whole(start, end)


def unidentified_drugs(given: Iterable[Administration]) -> tuple[SetAside, ...]:
    """Administrations whose drug is not identified: holes in what is known of the drugs that each may be. One of
    which a text says that it may be CAR-T cells is never passed over in silence."""
    return tuple(set_aside for set_aside, _ in _unidentified(given))


def _unidentified(given: Iterable[Administration]) -> Iterator[tuple[SetAside, Administration]]:
    for a in of_class(given, DrugClass.UNIDENTIFIED):
        infusion = a.drug != UNNAMED and DrugClass.CAR_T in a.drug.resembles
        at = None if a.open_ended else a.start
        kinds = frozenset({Kind.ADMINISTRATIONS})
        yield SetAside(a.reference, a.drug.ingredient, kinds, at, infusion, a.drug.resembles), a
