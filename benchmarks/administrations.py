"""A call by prefetch with 200 Observations and many administrations of drugs that no rule reads."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.figures import NOT_SEEN, SEEN, Figure, our_figures
from benchmarks.our_service import CARDS
from benchmarks.peers import LIMIT
from benchmarks.tables import table

OBSERVATIONS = 200
ROUNDS = {0: 21, 2_000: 9, 20_000: 5}
A_PAGE = 500  # the number asked for: if as many came there may be more, and the answer says so
CARDS_OF_A_PAGE = ("steroid-after-2-toci", "data-quality", "crs-grade")


def with_administrations(rounds: Mapping[int, int] = ROUNDS) -> dict[int, list[Figure]]:
    """The figures by the number of administrations beside the story's own."""
    return {
        number: our_figures(OBSERVATIONS, times, number, CARDS_OF_A_PAGE if number >= A_PAGE else CARDS)
        for number, times in rounds.items()
    }


def of_administrations(found: Mapping[int, list[Figure]]) -> str:
    """The part of the page."""
    by_number = {number: {f.contender: f for f in figures} for number, figures in found.items()}
    rows = [
        f"| {number:,} | {f[LIMIT].limit:.2f} ms | {f[SEEN].times_the_limit:.1f} | {f[NOT_SEEN].times_the_limit:.1f} |"
        for number, f in by_number.items()
    ]
    few, many = min(found), max(found)
    each = (by_number[many][NOT_SEEN].milliseconds - by_number[few][NOT_SEEN].milliseconds) * 1000 / (many - few)
    return "\n\n".join(
        [
            "## With many administrations",
            "The same call of 200 Observations, with so many administrations of other drugs in the 17 days.",
            table(f"| administrations | the limit | {SEEN} | {NOT_SEEN} |", *rows),
            f"Each further administration, {NOT_SEEN}: {each:.1f} µs.",
        ]
    )
