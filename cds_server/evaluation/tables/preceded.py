"""The events that cards preceded: doses, grade 3 and intensive care, and the orders that followed a card."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.moments import EpisodeRow, EventKind, EventRow, Preceded
from cds_server.evaluation.statistics.numbers import quantile
from cds_server.evaluation.statistics.proportions import Share, exact_share
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
    """Episodes of a card that suggests a drug not yet in hand, and the share ordered or given within some hours.

    Beside it, of those not treated within 8 h, the courses that became severe.
    """
    within, severe = evaluation.protocol.cards.ordered_within_hours, evaluation.protocol.cards.severe_within_hours
    by_card: dict[tuple[str, str], list[EpisodeRow]] = defaultdict(list)
    for row in evaluation.episodes:
        if row.rules == 1 and row.drug and not row.in_hand:
            by_card[row.card, row.drug].append(row)
    rows = tuple((*which, len(e), *_ordered(e, within), *_severe(e, severe)) for which, e in sorted(by_card.items()))
    ordered = tuple(f"ordered_within_{h}_h" for h in within)
    later = tuple(f"severe_within_{h}_h" for h in severe)
    columns = ("card", "drug", "episodes", *ordered, "not_treated_within_8_h", *later)
    return Table("orders_after", columns, rows, columns[2:])


UNTREATED_AFTER = 8  # h


def _ordered(episodes: list[EpisodeRow], within: Iterable[int]) -> Iterator[Cell]:
    for hours in within:
        yield sum(e.order_within_hours is not None and e.order_within_hours <= hours for e in episodes)


def _severe(episodes: list[EpisodeRow], within: Iterable[int]) -> Iterator[Cell]:
    untreated = [e for e in episodes if e.order_within_hours is None or e.order_within_hours > UNTREATED_AFTER]
    yield len(untreated)
    for hours in within:
        yield sum(e.severe_within_hours is not None and e.severe_within_hours <= hours for e in untreated)
