"""The chapter from shadow to live, and the page that has it alone."""

from __future__ import annotations

from pathlib import Path

from cds_server.evaluation.report.part import Chapter, Page, Part
from cds_server.evaluation.tables.logged import LoggedTables
from cds_server.evaluation.tables.table import write_csv


def logged_chapter(tables: LoggedTables) -> Chapter:
    """Replay, shadow and live, each by the same denominator: the days of a patient on which a call was made."""
    return Chapter(
        "log",
        "9 From shadow to live",
        (
            Part(
                "Calls",
                (
                    "Shadow and live are the decision log, which knows patients by pseudonyms only; a replay is what "
                    "the rules would have said at the moments of the policy. The patients and the calls differ too: "
                    "compare the order of size, not the decimals.",
                ),
                table=tables.calls,
            ),
            Part(
                "Cards",
                (
                    "Per patient and 10 days on which a call was made; limits draw patients. In shadow nobody sees a "
                    "card. The log holds no doses, so there is no lead time.",
                ),
                table=tables.rates,
            ),
            Part(
                "Answers of users",
                (
                    "Of live cards that a user saw, by the last answer. Many clients send none, and a card that was "
                    "not answered was not overridden.",
                ),
                table=tables.responses,
            ),
        ),
    )


def log_page(tables: LoggedTables, facts: tuple[tuple[str, str], ...]) -> Page:
    """The page of a decision log without a replay."""
    return Page("What the service said", "", (), (logged_chapter(tables),), holds_patient_data=False, facts=facts)


def write_logged(tables: LoggedTables, out: Path) -> None:
    """Write the CSVs of the chapter. Raises OSError."""
    for table in tables.all:
        write_csv(out, table.name, table.columns, table.rows)
