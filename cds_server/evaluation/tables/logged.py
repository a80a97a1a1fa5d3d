"""Replay, shadow and live beside each other: how often each card came, and how users answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cds_server.evaluation.logged import LoggedCall, LoggedCard, Period
from cds_server.evaluation.protocol import Statistics
from cds_server.evaluation.statistics.proportions import Share, exact_share
from cds_server.evaluation.statistics.resampling import rate
from cds_server.evaluation.tables.cards import ALL_OTHERS, PER_DAYS, STATE_CARDS
from cds_server.evaluation.tables.table import Cell, Table, numbers

Calls = Mapping[Period, Sequence[LoggedCall]]
MOST_REASONS = 3


@dataclass(frozen=True)
class LoggedTables:
    """The tables of the chapter, each of which has a row a period."""

    calls: Table
    rates: Table
    responses: Table

    @property
    def all(self) -> tuple[Table, ...]:
        return (self.calls, self.rates, self.responses)


def logged_tables(found: Calls, statistics: Statistics) -> LoggedTables:
    """The tables of all periods."""
    return LoggedTables(calls(found), rates(found, statistics), responses(found))


def calls(found: Calls) -> Table:
    """The calls of each period: patients, days, those with a card, and the silent ones by reason."""
    rows: list[tuple[Cell, ...]] = []
    for period, of_period in found.items():
        with_cards = sum(bool(call.cards) for call in of_period)
        silent = Counter(call.silence for call in of_period if not call.cards)
        why = ", ".join(f"{reason or 'not said'} ×{number}" for reason, number in silent.most_common())
        patients, days = {call.patient for call in of_period}, {(call.patient, call.day) for call in of_period}
        rows.append((period.value, len(patients), len(days), len(of_period), with_cards, why))
    columns = ("period", "patients", "patient_days", "calls", "with_cards", "silent_because")
    return Table("log_calls", columns, tuple(rows), columns[1:5])


def rates(found: Calls, statistics: Statistics) -> Table:
    """Each card in each period, per patient and ten days with a call, with limits by drawing patients."""
    rows: list[tuple[Cell, ...]] = []
    for period, of_period in found.items():
        days = Counter(patient for patient, _ in {(call.patient, call.day) for call in of_period})
        for name in _names(of_period):
            cards = [(call.patient, card) for call in of_period for card in call.cards if _is_of(card, name)]
            counts = Counter(patient for patient, _ in cards)
            estimate = rate(
                np.array([counts[p] for p in sorted(days)]), np.array([days[p] for p in sorted(days)]), PER_DAYS,
                statistics.seed, statistics.bootstrap,
            )  # fmt: skip
            seen = sum(card.shown for _, card in cards)
            rows.append((period.value, name, len(cards), seen, len(counts), *numbers(estimate)))
    columns = (
        "period",
        "card",
        "cards",
        "seen_by_users",
        "patients",
        "per_10_days",
        "per_10_days_low",
        "per_10_days_high",
    )
    return Table("log_rates", columns, tuple(rows), ("cards", "seen_by_users", "patients"))


def _names(calls: Sequence[LoggedCall]) -> list[str]:
    """Every card of a period, the most frequent first, after all of them but the grade together."""
    counts = Counter(card.card for call in calls for card in call.cards)
    named = sorted(counts, key=lambda name: (-counts[name], name))
    return [ALL_OTHERS, *named] if set(counts) - STATE_CARDS else named


def _is_of(card: LoggedCard, name: str) -> bool:
    return card.card not in STATE_CARDS if name == ALL_OTHERS else card.card == name


def responses(found: Calls) -> Table:
    """The answers to the cards that users saw: a card without an answer is no override."""
    by_card: dict[str, list[LoggedCard]] = {}
    for call in found.get(Period.LIVE, ()):
        for card in call.cards:
            if card.shown:
                by_card.setdefault(card.card, []).append(card)
    rows: list[tuple[Cell, ...]] = []
    for name, cards in sorted(by_card.items(), key=lambda one: (-len(one[1]), one[0])):
        outcomes = Counter(card.outcome for card in cards if card.outcome)
        accepted = outcomes["accepted"]
        reasons = Counter(reason for card in cards if card.outcome == "overridden" for reason in card.reasons)
        why = ", ".join(f"{reason} ×{number}" for reason, number in reasons.most_common(MOST_REASONS))
        rows.append((
            name, len(cards), accepted, outcomes.total() - accepted, len(cards) - outcomes.total(),
            *numbers(exact_share(Share(accepted, outcomes.total()))), why,
        ))  # fmt: skip
    columns = ("card", "seen", "accepted", "overridden", "no_answer", "share_accepted", "share_accepted_low",
               "share_accepted_high", "reasons")  # fmt: skip
    return Table("log_responses", columns, tuple(rows), ("seen", "accepted", "overridden", "no_answer"))
