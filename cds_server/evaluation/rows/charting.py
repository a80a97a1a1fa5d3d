"""The rows of the inventory: what an export holds by concept, what was set aside, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConceptCount:
    """A value set as it is read in one type of resource, with local days and the most frequent names."""

    value_set: str
    title: str
    type: str
    resources: int
    patients: int
    first_day: str
    last_day: str
    names: str


@dataclass(frozen=True)
class AbsentRow:
    """A value set of which the export holds nothing, and what it is needed for."""

    value_set: str
    title: str
    needed: str


@dataclass(frozen=True)
class NamedCount:
    """Something by its name with the reason why it does not count, and the value sets that it may belong to. Patients
    are told apart up to five."""

    what: str
    why: str
    resources: int
    patients: str
    may_be: str = ""


@dataclass(frozen=True)
class Charting:
    """The inventory by code. It is empty where nobody asked for it; `failed` says where it broke off."""

    concepts: tuple[ConceptCount, ...] = ()
    absent: tuple[AbsentRow, ...] = ()
    set_aside: tuple[NamedCount, ...] = ()
    not_known: tuple[NamedCount, ...] = ()
    other_codes: tuple[NamedCount, ...] = ()
    failed: str = ""
