"""Infection: the signs of it on record, what was read to find them, and the anti-infectives against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto


class Sign(Enum):
    """The kinds of signs; the order is the one in which they are named."""

    BLOOD_CULTURE = auto()
    OTHER_TEST = auto()
    DIAGNOSIS = auto()


@dataclass(frozen=True, slots=True)
class Infection:
    """A sign of infection: a culture or PCR (`test`) with a `finding` that is not negative, as it is charted ("" where
    only its interpretation says so), or an active diagnosis (`code`).

    `is_stain`: the finding says how bacteria look, and names none.
    """

    reference: str
    at: datetime | None
    sign: Sign
    test: str = ""
    finding: str = ""
    code: str = ""
    is_stain: bool = False


@dataclass(frozen=True, slots=True)
class TestRead:
    """The cultures or PCR of one kind that were read: how many, and when the latest was drawn."""

    test: str
    number: int
    latest: datetime


@dataclass(frozen=True, slots=True)
class AntiInfective:
    """A systemic anti-infective that is given, or ordered and not known to be given.

    `since` is the first dose of the present series, or the time of the order. `treats`: it is not one that is usually
    given to prevent.
    """

    reference: str
    name: str
    since: datetime | None
    given: bool
    antibacterial: bool
    treats: bool


@dataclass(frozen=True, slots=True)
class InfectionFacts:
    """The knowledge of infection.

    `counted` are the signs that speak of now, `named` older and lasting ones. `culture` is the blood culture that comes
    before everything else: positive, and drawn so lately.
    """

    counted: tuple[Infection, ...] = ()
    named: tuple[Infection, ...] = ()
    culture: Infection | None = None
    read: tuple[TestRead, ...] = ()
    anti_infectives: tuple[AntiInfective, ...] = ()

    @property
    def antibacterials(self) -> tuple[AntiInfective, ...]:
        """Those that make "antibiotics now" needless to say."""
        return tuple(one for one in self.anti_infectives if one.antibacterial and one.treats)
