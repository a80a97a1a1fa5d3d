"""The laboratory values whose rise since the infusion is followed: a row for each, which every place goes through.

One more for display takes a row here, with no limit, and a value set of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto

from fhir_mappings.facts.coverage import Kind
from fhir_mappings.facts.labs import Reason
from fhir_mappings.facts.measures import Measure
from fhir_mappings.facts.thresholds import Thresholds


class Blockade(Enum):
    """The way that samples from the first IL-6 blocker of a course on are taken."""

    SPOILS = auto()  # they count no longer: the blocked receptor itself makes IL-6 rise
    CONCEALS = auto()  # they are no peak and reassure of nothing, but a rise among them counts
    NOT_WEIGHED = auto()  # they count as any others: nothing is concluded from them


@dataclass(frozen=True)
class Limit:
    """The limit of a rise: `fold` in force, and whether a rise of exactly that is high.

    `low_barred_by`: reasons that keep a rise below the limit from being low. `near`: the part of the limit within
    which a rise is called near it; None where it never is.
    """

    fold: Callable[[Thresholds], Decimal]
    tie_is_high: bool
    low_barred_by: frozenset[Reason]
    near: Callable[[Thresholds], Decimal] | None = None


@dataclass(frozen=True, eq=False)
class Analyte:
    """A row. `id` is its name in the assessment, `kind` the data that it is asked for with, and so its prefetch key.

    Without a `limit` it is for display: its samples are shown, and nothing is concluded from them.
    """

    id: str
    name: str
    value_set: str
    measure: Measure
    kind: Kind
    blockade: Blockade
    limit: Limit | None


# Zhang 2022 leaves a rise of exactly four open: the tie goes to the side of the guideline, which is tocilizumab.
# Low moves advice away from tocilizumab: it takes a fresh sample of the fever and a baseline from before it.
IL6 = Analyte(
    "il6", "IL-6", "interleukin-6", Measure.CYTOKINE, Kind.IL6_CRP, Blockade.SPOILS,
    Limit(lambda t: t.il6_fold, tie_is_high=True, low_barred_by=frozenset(Reason), near=lambda t: t.il6_near),
)  # fmt: skip
CRP = Analyte(
    "crp", "CRP", "c-reactive-protein", Measure.CRP, Kind.IL6_CRP, Blockade.CONCEALS,
    Limit(lambda t: t.crp_fold, tie_is_high=False, low_barred_by=frozenset({Reason.UNUSABLE})),
)  # fmt: skip

# the study found no difference in IL-10 by treatment, and names no limit
IL10 = Analyte(
    "il10", "IL-10", "interleukin-10", Measure.CYTOKINE, Kind.CYTOKINES, Blockade.NOT_WEIGHED, limit=None
)  # fmt: skip

ANALYTES = (IL6, CRP, IL10)

# read by an evaluation alone: no search and no prefetch template asks for it, so its kind is never looked up
FERRITIN = Analyte(
    "ferritin", "Ferritin", "ferritin", Measure.FERRITIN, Kind.CYTOKINES, Blockade.NOT_WEIGHED, limit=None
)  # fmt: skip
RETROSPECTIVE = (FERRITIN,)
KINDS = tuple(dict.fromkeys(analyte.kind for analyte in ANALYTES))
KINDS_FOR_DISPLAY = frozenset(KINDS) - {analyte.kind for analyte in ANALYTES if analyte.limit is not None}
