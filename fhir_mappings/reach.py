"""How far a kind of data is known in full, and where in it something could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fhir_mappings.clinical_facts import Completeness, Coverage, Kind, Moment, SetAside

ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
NOT_SUPPLIED = Coverage(Completeness.UNREAD, "neither supplied nor fetched")


@dataclass(frozen=True)
class Reach:
    """`since`: from when on everything was read (None: nothing is sure). A hole without a time is anywhere."""

    since: datetime | None
    holes: tuple[Moment | None, ...] = ()

    def whole(self, start: datetime, end: datetime) -> bool:
        """Whether nothing of this kind in [start, end] is missing."""
        return self.fetched(start) and not any(
            hole is None or (hole.earliest <= end and hole.latest >= start) for hole in self.holes
        )

    def fetched(self, start: datetime) -> bool:
        """Whether everything from `start` on could be had; what was had may still have been unusable."""
        return self.since is not None and self.since <= start


def reach(coverage: Mapping[Kind, Coverage], kinds: Iterable[Kind], set_aside: Iterable[SetAside]) -> Reach:
    """The reach of some kinds of data together, with the set-aside resources that may be of them as holes."""
    kinds = frozenset(kinds)
    holes = tuple(s.at for s in set_aside if s.kinds & kinds)
    sinces = [_since(coverage.get(kind, NOT_SUPPLIED)) for kind in kinds]
    if any(s is None for s in sinces):
        return Reach(None, holes)
    return Reach(max(s for s in sinces if s is not None), holes)


def _since(coverage: Coverage) -> datetime | None:
    if coverage.since is not None:
        return coverage.since
    return ALWAYS if coverage.state is Completeness.COMPLETE else None
