"""Reports for the clinical lead: how users responded to cards, how often the service was silent, and why."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow
from cds_server.storage.decisions import decision_of_rows
from cds_server.storage.spool import Spool

_BEGINS_A_FORMULA = frozenset("=+-@|%\t\r\n")


@dataclass
class CardReport:
    """One card and how users responded to it in a period."""

    card: str
    shown: int = 0
    in_trial: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def feedback_report(session: Session, since: datetime, until: datetime) -> list[CardReport]:
    """Every card of the period, most shown first."""
    reports: dict[str, CardReport] = {}
    for card, shown, number in session.execute(_cards(since, until)):
        report = reports.setdefault(card, CardReport(card))
        if shown:
            report.shown = number
        else:
            report.in_trial = number
    # if a card was answered several times, the last answer counts
    last = {uuid: (card, row) for card, uuid, row in session.execute(_answers(since, until))}
    for card, row in last.values():
        report = reports[card]
        if row.outcome == "accepted":
            report.accepted += 1
        else:
            report.overridden += 1
            report.reasons.update(_plain(reason) for reason in row.reasons or ["no reason given"])
    return sorted(reports.values(), key=lambda r: (-r.shown, r.card))


def _cards(since: datetime, until: datetime) -> Select[str, bool, int]:
    """The number of each card in a period, by whether it was shown."""
    return (
        select(CardRow.card, CardRow.shown, func.count())
        .join(DecisionRow, CardRow.decision_id == DecisionRow.id)
        .where(DecisionRow.at >= since, DecisionRow.at < until)
        .group_by(CardRow.card, CardRow.shown)
    )


def _answers(since: datetime, until: datetime) -> Select[str, str, FeedbackRow]:
    """The feedback on the cards of a period in the order in which it came, with each card and its uuid."""
    return (
        select(CardRow.card, CardRow.uuid, FeedbackRow)
        .join(DecisionRow, CardRow.decision_id == DecisionRow.id)
        .join(FeedbackRow, FeedbackRow.card_uuid == CardRow.uuid)
        .where(DecisionRow.at >= since, DecisionRow.at < until, FeedbackRow.matched)
        .order_by(FeedbackRow.received_at)
    )


def _plain(reason: str) -> str:
    """A client's words without characters that steer a terminal or separate the cells of a spreadsheet."""
    return "".join(c if c.isprintable() and c != ";" else " " for c in reason).strip()


def _cell(text: str) -> str:
    """A text that no spreadsheet runs as a formula, in whatever width its first sign is written."""
    # each text of a cell is guarded by itself: a spreadsheet that separates by semicolons makes a cell of each
    plain = unicodedata.normalize("NFKC", text.lstrip())[:1]
    return f"'{text}" if plain in _BEGINS_A_FORMULA or unicodedata.category(plain or " ") in ("Pd", "Sm") else text


def feedback_text(reports: Sequence[CardReport], unmatched: int) -> str:
    lines = [f"{'card':<24}{'shown':>7}{'trial':>7}{'accepted':>10}{'overridden':>12}  reasons"]
    for r in reports:
        reasons = ", ".join(f"{reason} ×{number}" for reason, number in r.reasons.most_common())
        lines.append(f"{r.card:<24}{r.shown:>7}{r.in_trial:>7}{r.accepted:>10}{r.overridden:>12}  {reasons}".rstrip())
    if unmatched:
        lines.append(f"{unmatched} entries of feedback name a card that is not in the log.")
    return "\n".join(lines) + "\n"


def feedback_csv(reports: Sequence[CardReport]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["card", "shown", "in_trial", "accepted", "overridden", "reasons"])
    for r in reports:
        reasons = "; ".join(f"{_cell(reason)} x{number}" for reason, number in r.reasons.most_common())
        writer.writerow([_cell(r.card), r.shown, r.in_trial, r.accepted, r.overridden, reasons])
    return out.getvalue()


def unmatched_feedback(session: Session, since: datetime, until: datetime) -> int:
    query = select(func.count()).where(
        FeedbackRow.matched.is_(False), FeedbackRow.received_at >= since, FeedbackRow.received_at < until
    )
    return int(session.execute(query).scalar_one())


def waiting_decisions(spool: Spool | None, since: datetime, until: datetime) -> tuple[list[DecisionRow], int]:
    """The decisions of a period that wait in the spool, and the number of those that no key of ours opens."""
    waiting = list(spool.oldest_first()) if spool is not None else []
    rows = [decision_of_rows(one.rows).row for one in waiting if one.rows is not None]
    return [row for row in rows if since <= row.at < until], len(waiting) - len(rows)


def alerts_text(session: Session, since: datetime, until: datetime, waiting: Sequence[DecisionRow]) -> str:
    """The calls, the calls with a card, and the silent ones by reason, for each service; `waiting` are not in the
    database yet."""
    query = (
        select(DecisionRow.service, DecisionRow.silence, func.count())
        .where(DecisionRow.at >= since, DecisionRow.at < until)
        .group_by(DecisionRow.service, DecisionRow.silence)
    )
    by_service: dict[str, Counter[str]] = defaultdict(Counter)
    for service, silence, number in session.execute(query):
        by_service[service][silence or ""] = number
    for row in waiting:
        by_service[row.service][row.silence or ""] += 1
    lines = [f"{'service':<20}{'calls':>8}{'with cards':>12}{'silent':>8}  why"]
    for service, counts in sorted(by_service.items()):
        total, spoken = counts.total(), counts[""]
        why = ", ".join(f"{reason} ×{number}" for reason, number in counts.most_common() if reason)
        lines.append(f"{service:<20}{total:>8}{spoken:>12}{total - spoken:>8}  {why}".rstrip())
    return "\n".join(lines) + "\n"
