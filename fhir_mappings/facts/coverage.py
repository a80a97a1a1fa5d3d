"""The extent to which each kind of data could be read, and the resources that could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from fhir_mappings.facts.time_and_range import Moment
from fhir_mappings.facts.treatment import DrugClass


class Kind(StrEnum):
    """The kinds of data that are read, each of which may be missing by itself."""

    PATIENT = "patient"
    IL6_CRP = "IL-6 and CRP"
    VITALS = "vital signs"
    OXYGEN = "oxygen"
    WEIGHT = "weight"
    SAFETY_LABS = "blood counts and liver enzymes"
    ADMINISTRATIONS = "medication administrations"
    RUNNING = "running infusions"
    CRS_DRUGS = "medication administrations by code"
    MEDICATIONS = "names of drugs"  # those that stand behind references
    PROCEDURES = "cell therapy procedures"
    SUPPORT_PROCEDURES = "respiratory support procedures"
    CONDITIONS = "conditions"
    ALLERGIES = "allergies"
    MICROBIOLOGY = "microbiology"
    NEURO = "ICE and ICANS"
    MEDICATION_ORDERS = "active medication orders"
    SERVICE_ORDERS = "active service orders"
    CYTOKINES = "cytokines"
    LASTING_INFECTIONS = "tuberculosis, hepatitis B and fungal disease"


class Completeness(StrEnum):
    COMPLETE = "complete"
    PART = "part"
    UNREAD = "unread"


class Gap(StrEnum):
    """The reason why a kind of data was not all read."""

    NOT_SUPPLIED = "not-supplied"
    SUPPLIED_IN_PART = "supplied-in-part"
    FAILED_AT_CLIENT = "failed-at-client"
    BROKEN = "broken"  # what the client sent cannot all be read
    NOT_PERMITTED = "not-permitted"  # by the granted scope: nobody was asked
    FAILED = "failed"  # the FHIR server was asked
    NOT_KNOWN = "not-known"  # the FHIR server does not know the patient


@dataclass(frozen=True, slots=True)
class Coverage:
    """The extent to which one kind of data could be read.

    `gap` is what stood in the way, `why` the same in words without patient data. `since` is how far back it is
    complete: None with COMPLETE is to the beginning, None with PART is nowhere.
    """

    state: Completeness
    why: str | None = None
    since: datetime | None = None
    gap: Gap | None = None

    @property
    def failed(self) -> bool:
        """Tell whether someone was asked and did not deliver; otherwise there was nobody to ask."""
        return self.gap in (Gap.FAILED_AT_CLIENT, Gap.BROKEN, Gap.FAILED, Gap.NOT_KNOWN)

    def covers(self, moment: datetime) -> bool:
        """Tell whether everything from `moment` on was read."""
        if self.since is not None:
            return self.since <= moment
        return self.state is Completeness.COMPLETE


FUTURE_DATED = "future_dated"
"""The reason for setting aside a resource that is charted ahead of the clock."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A resource that could not be used, and why; the kinds of data that it may have held, and its time if known.

    `infusion`: it would have been a CAR-T infusion, so that silence about it would be wrong. `drugs` are the classes of
    which an administration may be; none named is any. `value_sets` are those that its code is in; none named is any of
    its kinds. `stated` is its value as charted. Without kinds it is named, and leaves no hole in what is known.
    """

    reference: str
    why: str
    kinds: frozenset[Kind] = frozenset()
    at: Moment | None = None
    infusion: bool = False
    drugs: frozenset[DrugClass] = frozenset()
    value_sets: frozenset[str] = frozenset()
    stated: str = ""

    @property
    def is_ahead(self) -> bool:
        """Tell whether it is charted ahead of the clock: its time is wrong, and it may be of any time."""
        return self.why == FUTURE_DATED


@dataclass(frozen=True)
class Sought:
    """One concept that is asked for: the kinds of data it comes with, the value sets of its codes, and the classes of
    its drugs. A resource that names no code may be any concept of its kinds."""

    kinds: frozenset[Kind]
    value_sets: frozenset[str] = frozenset()
    drugs: frozenset[DrugClass] = frozenset()

    def may_be(self, one: SetAside) -> bool:
        """Tell whether a resource that was set aside may have been of this concept.

        Where its code is known that decides, and not the search that it came with.
        """
        if self.value_sets and one.value_sets:
            return bool(self.value_sets & one.value_sets)
        if self.drugs and one.drugs and not self.drugs & one.drugs:
            return False
        return bool(self.kinds & one.kinds)

    def of(
        self, set_aside: Iterable[SetAside], since: datetime | None = None, until: datetime | None = None
    ) -> tuple[SetAside, ...]:
        """Those set aside that may have been of this concept and of a span, each resource once. One without a usable
        time may be of any."""
        found = {s.reference: s for s in set_aside if self.may_be(s) and _is_within(s, since, until)}
        return tuple(found.values())


def _is_within(one: SetAside, since: datetime | None, until: datetime | None) -> bool:
    if one.at is None or one.is_ahead:
        return True
    return (since is None or one.at.latest >= since) and (until is None or one.at.earliest <= until)


ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
NOT_SUPPLIED = Coverage(Completeness.UNREAD, "neither supplied nor fetched", gap=Gap.NOT_SUPPLIED)


@dataclass(frozen=True)
class Reach:
    """The time over which some data are known in full.

    Everything from `since` on was read (None: nothing is sure), except in the holes that unusable resources leave; a
    hole without a time may be anywhere. A rule asks whether its window is whole. If it is not, the answer is "at
    least" or unknown: that is how unread data never become normal.
    """

    since: datetime | None
    holes: tuple[Moment | None, ...] = ()

    def whole(self, start: datetime, end: datetime) -> bool:
        """Tell whether nothing of this kind is missing in [start, end]."""
        return self.fetched(start) and not any(
            hole is None or (hole.earliest <= end and hole.latest >= start) for hole in self.holes
        )

    def fetched(self, start: datetime) -> bool:
        """Tell whether everything from `start` on was fetched, even if some of it could not be used."""
        return self.since is not None and self.since <= start


def reach(coverage: Mapping[Kind, Coverage], sought: Sought, set_aside: Iterable[SetAside]) -> Reach:
    """The reach of what is sought, with the set-aside resources that may be of it as holes."""
    holes = tuple(s.at for s in set_aside if s.kinds and sought.may_be(s))
    sinces = [_since(coverage.get(kind, NOT_SUPPLIED)) for kind in sought.kinds]
    if any(s is None for s in sinces):
        return Reach(None, holes)
    return Reach(max(s for s in sinces if s is not None), holes)


def _since(coverage: Coverage) -> datetime | None:
    if coverage.since is not None:
        return coverage.since
    return ALWAYS if coverage.state is Completeness.COMPLETE else None
