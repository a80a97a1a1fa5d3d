"""The events that cards preceded: doses, grade 3 and intensive care, and the orders that followed a card."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from cds_server.evaluation.protocol import Cards, Statistics
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.moments import EpisodeRow, EventKind, EventRow, Preceded
from cds_server.evaluation.statistics.numbers import quantile
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.statistics.resampling import rate
from cds_server.evaluation.tables.table import Cell, Table, defined, numbers


def preceded(evaluation: Evaluation) -> Table:
    """Doses, grade 3 and intensive care: preceded by a card, only at or after, never. The three add up."""
    by_kind: dict[EventKind, list[EventRow]] = defaultdict(list)
    for row in evaluation.events:
        if row.rules == 1:
            by_kind[row.event].append(row)
    rows = []
    for kind in EventKind:
        events = by_kind[kind]
        if not events:
            continue
        count = Counter(event.preceded for event in events)
        lead = [float(event.lead_hours) for event in events if event.lead_hours is not None]
        rows.append((
            kind.value, len(events), *(count[how] for how in Preceded),
            *numbers(exact_share(Share(count[Preceded.BEFORE], len(events)))),
            *(defined(quantile(lead, q)) for q in (0.5, 0.25, 0.75)),
            sum(e.would_have_spoken is True for e in events), sum(e.on_the_order for e in events),
        ))  # fmt: skip
    columns = ("event", "n", "preceded", "only_at_or_after", "never", "share_preceded", "share_preceded_low",
               "share_preceded_high", "lead_hours", "lead_hours_low", "lead_hours_high",
               "never_but_would_have_spoken", "on_the_order")  # fmt: skip
    counts = ("n", "preceded", "only_at_or_after", "never", "never_but_would_have_spoken", "on_the_order")
    return Table("preceded", columns, tuple(rows), counts)


def orders_after(evaluation: Evaluation) -> Table:
    """Episodes of a card that suggests a drug not yet in hand, and the share ordered or given within some hours; its
    limits draw patients.

    Beside it, of those not yet severe and not treated for some hours, the courses that became severe.
    """
    cards, statistics = evaluation.protocol.cards, evaluation.protocol.statistics
    by_card: dict[tuple[str, str], list[EpisodeRow]] = defaultdict(list)
    for row in evaluation.episodes:
        if row.rules == 1 and row.drug and not row.in_hand:
            by_card[row.card, row.drug].append(row)
    rows = tuple(
        (*which, len(e), *_ordered(e, cards.ordered_within_hours, statistics), *_severe(e, cards))
        for which, e in sorted(by_card.items())
    )
    ordered = [f"ordered_within_{h}_h" for h in cards.ordered_within_hours]
    shares = (f"share_{name}{end}" for name in ordered for end in ("", "_low", "_high"))
    later = [f"severe_within_{h}_h" for h in cards.severe_within_hours]
    untreated = f"not_treated_within_{cards.untreated_after_hours}_h"
    counts = ("episodes", *ordered, untreated, *later)
    columns = ("card", "drug", "episodes", *ordered, *shares, untreated, *later)
    return Table("orders_after", columns, rows, counts)


def _ordered(episodes: list[EpisodeRow], within: Sequence[int], asked: Statistics) -> Iterator[Cell]:
    """The number ordered within each of the hours, and then the shares with their limits."""
    patients = sorted({e.patient for e in episodes})
    of_all = Counter(e.patient for e in episodes)
    in_time = [
        Counter(e.patient for e in episodes if e.order_within_hours is not None and e.order_within_hours <= hours)
        for hours in within
    ]
    yield from (counts.total() for counts in in_time)
    n = np.array([of_all[p] for p in patients])
    for counts in in_time:
        yield from numbers(rate(np.array([counts[p] for p in patients]), n, 1, asked.seed, asked.bootstrap))


def _severe(episodes: list[EpisodeRow], cards: Cards) -> Iterator[Cell]:
    """A course that is severe at the card cannot become so after it."""
    untreated = [
        e
        for e in episodes
        if not e.severe_already and (e.order_within_hours is None or e.order_within_hours > cards.untreated_after_hours)
    ]
    yield len(untreated)
    for hours in cards.severe_within_hours:
        yield sum(e.severe_within_hours is not None and e.severe_within_hours <= hours for e in untreated)
