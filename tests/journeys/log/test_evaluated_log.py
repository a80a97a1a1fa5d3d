"""`crs-cds evaluate --decisions`: a shadow and a live period of the log, beside a replay or without one."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cds_server.storage.database import engine_for
from tests.support.decision_log import asked, desk_of, desks_let_go, said, uuid_of
from tests.support.evaluations import chart, export
from tests.support.program import crs_cds

AGREED = {"outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}], "outcomeTimestamp": "2026-03-09T10:00:00Z"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A log with one call in shadow and two live ones, of whose cards one was accepted and one overridden."""
    found = f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.db'}"
    with desks_let_go():
        asked(desk_of(found, CRS_CDS_SHADOW_SERVICES="crs-patient-view"))
        live = desk_of(found)
        answers: list[Any] = [asked(live), asked(live, user="Practitioner/2")]
        first, second = (uuid_of(answer, "toci-guideline") for answer in answers)
        said(live, {"card": first, **AGREED})
        said(live, {"card": second, "outcome": "overridden", "outcomeTimestamp": "2026-03-09T10:00:00Z",
                    "overrideReason": {"reason": {"code": "infection", "system": "urn:x"}}})  # fmt: skip
    return found


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_log_alone_gives_calls_cards_and_answers(database: str, tmp_path: Path) -> None:
    result = crs_cds("evaluate", "--decisions", "--out", str(tmp_path), CRS_CDS_DATABASE_URL=database)
    assert result.exit_code == 0, result.output
    assert "3 calls about 1 patients" in result.output
    calls = {row["period"]: row for row in table(tmp_path, "log_calls")}
    assert {period: row["calls"] for period, row in calls.items()} == {"shadow": "1", "live": "2"}
    rates = {(row["period"], row["card"]): row for row in table(tmp_path, "log_rates")}
    assert rates["shadow", "toci-guideline"]["seen_by_users"] == "0"
    assert (rates["live", "toci-guideline"]["cards"], rates["live", "toci-guideline"]["per_10_days"]) == ("2", "20")
    (answer,) = [row for row in table(tmp_path, "log_responses") if row["card"] == "toci-guideline"]
    assert (answer["seen"], answer["accepted"], answer["overridden"], answer["no_answer"]) == ("2", "1", "1", "0")
    assert "From shadow to live" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_replay_stands_beside_shadow_and_live_on_one_page(database: str, tmp_path: Path) -> None:
    folder = export(tmp_path / "export", chart("1a", "a"))
    out = tmp_path / "report"
    result = crs_cds(
        "evaluate", str(folder), "--decisions", "--out", str(out), "--workers", "1", CRS_CDS_DATABASE_URL=database
    )
    assert result.exit_code == 0, result.output
    assert [row["period"] for row in table(out, "log_calls")] == ["replay", "shadow", "live"]
    rates = {(row["period"], row["card"]): row for row in table(out, "log_rates")}
    shown = {row["card"]: row["shown"] for row in table(out, "card_rates")}
    assert rates["replay", "toci-guideline"]["cards"] == shown["toci-guideline"]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.index("8 How it was done") < page.index("9 From shadow to live")


def test_an_aggregate_report_of_a_log_shows_no_small_count(database: str, tmp_path: Path) -> None:
    result = crs_cds(
        "evaluate", "--decisions", "--aggregate-only", "--out", str(tmp_path), CRS_CDS_DATABASE_URL=database
    )
    assert result.exit_code == 0, result.output
    assert {row["patients"] for row in table(tmp_path, "log_rates")} == {"<7"}


def test_tables_of_another_version_are_one_sentence(tmp_path: Path) -> None:
    found = f"sqlite:///{tmp_path / 'log.db'}"
    with desks_let_go():
        asked(desk_of(found))
    engine = engine_for(found)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    result = crs_cds("evaluate", "--decisions", "--out", str(tmp_path / "out"), CRS_CDS_DATABASE_URL=found)
    assert (result.exit_code, "are not of revision" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--decisions", "--from", "2031-01-01"], "the log holds no call of this period"),
        ([], "name the folder of an export, or --decisions"),
    ],
)
def test_without_anything_to_read_nothing_is_written(
    database: str, arguments: list[str], says: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = crs_cds("evaluate", *arguments, "--out", str(out), CRS_CDS_DATABASE_URL=database)
    assert (result.exit_code, says in result.stderr, out.exists()) == (2, True, False)
