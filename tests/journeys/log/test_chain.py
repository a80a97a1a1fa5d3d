"""The seals over the decision log: what they cover, and what `crs-cds verify-log` says of a log that was changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from click.testing import Result

from cds_server.storage.chain.seals import seal_log
from cds_server.storage.database import AnchorRow, CardRow, DecisionRow, FeedbackRow, SealRow, engine_for
from tests.support.decision_log import UUID, asked, desk_of, desks_let_go, logged, said, store_of, uuid_of
from tests.support.desk import Desk
from tests.support.postgres import BACKENDS, postgresql
from tests.support.program import crs_cds
from tests.support.tables import NOW, rows

MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind."""
    with desks_let_go():
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path / 'log.sqlite'}"
            return
        url = request.getfixturevalue("server")
        change(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        yield url


def change(database: str, *statements: str) -> None:
    engine = engine_for(database)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def verify(database: str, *options: str) -> Result:
    return crs_cds("verify-log", *options, CRS_CDS_DATABASE_URL=database)


def head(database: str) -> str:
    return verify(database, "--head").stdout.split()[1]


def three_seals(database: str, **environ: str) -> Desk:
    """A call and feedback in each of three minutes, sealed."""
    desk = desk_of(database, **environ)
    for number in range(3):
        desk.now = NOW + number * MINUTE
        card = uuid_of(asked(desk, user=f"Practitioner/{number}"), "toci-guideline")
        said(desk, {"card": card, "outcome": "overridden"})
        seal_log(store_of(desk), desk.now)
    return desk


def ids(database: str) -> list[str]:
    return [row.id for row in sorted(logged(database, DecisionRow), key=lambda row: row.at)]


def test_a_log_that_nobody_touched_is_as_it_was_sealed(database: str) -> None:
    desk = three_seals(database)
    found = verify(database)
    assert found.exit_code == 0, found.output
    assert "The log is as it was sealed." in found.stdout
    assert f"last seal: 3 {head(database)}" in found.stdout
    asked(desk)
    said(desk, {"card": UUID, "outcome": "overridden"})
    assert "2 decisions and entries of feedback not yet." in verify(database).stdout
    seals = sorted(logged(database, SealRow), key=lambda seal: seal.number)
    assert [(seal.number, seal.at, seal.latest) for seal in seals] == [
        (n + 1, NOW + n * MINUTE, NOW + n * MINUTE) for n in range(3)
    ]
    assert [seal.previous for seal in seals[1:]] == [seal.hash for seal in seals[:-1]]
    sealed = {row.id for row in logged(database, DecisionRow) if row.seal is not None}
    cards = [card for card in logged(database, CardRow) if card.decision_id in sealed]
    assert sum(seal.count for seal in seals) == 3 + len(cards) + 3, "decisions, their cards, and what was said"


def test_what_is_not_sealed_is_sealed_once_a_minute_and_by_one(database: str) -> None:
    desk, other = desk_of(database), desk_of(database)
    for number in range(6):
        asked(desk, user=f"Practitioner/{number}")
        with ThreadPoolExecutor(2) as together:
            list(together.map(lambda one: seal_log(store_of(one), NOW), (desk, other)))
    assert len(logged(database, SealRow)) == 1
    with ThreadPoolExecutor(2) as together:
        list(together.map(lambda one: seal_log(store_of(one), NOW + MINUTE), (desk, other)))
    assert sorted(seal.number for seal in logged(database, SealRow)) == [1, 2]
    assert verify(database).exit_code == 0


def test_many_rows_are_sealed_a_part_at_a_time(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_server.storage.chain.seals.SEALED_AT_ONCE", 2)
    desk = desk_of(database)
    for number in range(5):
        asked(desk, user=f"Practitioner/{number}")
    seal_log(store_of(desk), NOW)
    assert len(logged(database, SealRow)) == 3
    assert {row.seal for row in logged(database, DecisionRow)} == {1, 2, 3}
    assert verify(database).exit_code == 0


def test_feedback_that_comes_before_its_card_is_sealed_and_stays_as_it_was(database: str) -> None:
    desk = desk_of(database)
    asked(desk)
    (card,) = [row.uuid for row in logged(database, CardRow) if row.card == "toci-guideline"]
    renamed = "UPDATE card SET uuid = '{}' WHERE uuid = '{}'"
    change(database, renamed.format(UUID, card))
    said(desk, {"card": card, "outcome": "overridden"})
    change(database, renamed.format(card, UUID))
    seal_log(store_of(desk), NOW)
    assert said(desk, {"card": card, "outcome": "overridden"}).get_json() == {}, "it is matched now"
    assert verify(database).exit_code == 0


CHANGES = rows("""
| statement                                                                        | says                              |
| UPDATE decision SET silence = 'deceased' WHERE id = '{id}'                       | seal 2: decision {id} was changed |
| UPDATE decision SET at = '2026-03-01 00:00:00' WHERE id = '{id}'                 | seal 2: decision {id} was changed |
| UPDATE card SET shown = NOT shown WHERE decision_id = '{id}'                     | seal 2: card * was changed        |
| UPDATE feedback SET outcome = 'accepted' WHERE seal = 2                          | seal 2: feedback * was changed    |
| DELETE FROM card WHERE decision_id = '{id}'                                      | seal 2: card * is missing         |
| DELETE FROM feedback WHERE seal = 2                                              | seal 2: feedback * is missing     |
| UPDATE decision SET seal = NULL WHERE id = '{id}'                                | seal 2: decision {id} is missing  |
| INSERT INTO card SELECT '{new}', decision_id, card, indicator, shown, suggestions FROM card WHERE decision_id = '{id}' LIMIT 1 | seal 2: card {new} was added |
| UPDATE decision SET seal = 2 WHERE id = '{first}'                                | seal 2: decision {first} was added |
| DELETE FROM seals WHERE number = 2                                               | seal 2 is missing                 |
| DELETE FROM seals WHERE number = 3                                               | seal 3, which is not there: decision * |
| UPDATE seals SET at = '2026-03-01 00:00:00' WHERE number = 2                     | seal 2 was changed                |
| UPDATE seals SET count = 99 WHERE number = 1                                     | seal 1 was changed                |
| UPDATE seals SET previous = hash WHERE number = 2                                | seal 2 does not follow the one before it |
""")


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row["statement"])
def test_what_was_changed_is_named(database: str, row: dict[str, str]) -> None:
    three_seals(database)
    first, second, _ = ids(database)
    names = {"id": second, "first": first, "new": UUID}
    change(database, row["statement"].format(**names))
    found = verify(database)
    assert found.exit_code == 1
    wanted = re.escape(row["says"].format(**names)).replace(r"\*", r"\S+")
    assert re.search(rf"^{wanted}$", found.stdout, re.MULTILINE), found.stdout


# what only SQLite takes: values that are none of the column's type
UNREADABLE = rows("""
| statement                                                                | says                                          |
| UPDATE seals SET entries = 'no JSON' WHERE number = 2                    | seal 2 was changed: it cannot be read         |
| UPDATE seals SET entries = '[1]' WHERE number = 2                        | seal 2 was changed: it cannot be read         |
| UPDATE seals SET at = 'PLANTED' WHERE number = 2                         | seal 2 was changed: it cannot be read         |
| UPDATE decision SET at = 'PLANTED' WHERE id = '{id}'                     | seal 2: decision {id} was changed             |
| UPDATE decision SET silence = x'ff00' WHERE id = '{id}'                  | seal 2: decision {id} was changed             |
| UPDATE card SET suggestions = 'PLANTED' WHERE decision_id = '{id}'       | seal 2: decision {id} was changed             |
| UPDATE feedback SET received_at = 'PLANTED' WHERE seal = 2               | seal 2: feedback * was changed                |
| INSERT INTO anchors VALUES (1, 'x', 1, 'PLANTED', 'me')                  | an anchor was changed: it cannot be read*     |
""")


@pytest.mark.parametrize("row", UNREADABLE, ids=lambda row: row["statement"])
def test_what_cannot_be_read_any_more_is_named_as_changed(tmp_path: Path, row: dict[str, str]) -> None:
    database = f"sqlite:///{tmp_path / 'log.sqlite'}"
    three_seals(database)
    _, second, _ = ids(database)
    change(database, row["statement"].format(id=second))
    found = verify(database)
    assert found.exit_code == 1
    wanted = re.escape(row["says"].format(id=second)).replace(r"\*", r"\S+")
    assert re.search(rf"^{wanted}$", found.stdout, re.MULTILINE), (found.stdout, found.exception)
    assert "PLANTED" not in found.output


def test_a_decision_that_was_deleted_is_named_with_its_cards(database: str) -> None:
    three_seals(database)
    _, second, _ = ids(database)
    deleted = ("DELETE FROM card WHERE decision_id = '{}'", "DELETE FROM decision WHERE id = '{}'")
    change(database, *(statement.format(second) for statement in deleted))
    found = verify(database)
    assert f"seal 2: decision {second} is missing" in found.stdout
    assert "seal 2: card" in found.stdout


def test_a_log_that_was_sealed_anew_is_told_by_a_hash_that_was_kept_elsewhere(database: str) -> None:
    desk = three_seals(database)
    kept = head(database)
    asked(desk)
    seal_log(store_of(desk), NOW + 9 * MINUTE)
    assert verify(database, "--expect", kept).exit_code == 0, "the chain goes on from it"
    change(
        database, "UPDATE decision SET silence = 'deceased'", "UPDATE decision SET seal = NULL",
        "UPDATE feedback SET seal = NULL", "DELETE FROM seals",
    )  # fmt: skip
    seal_log(store_of(desk), NOW + 10 * MINUTE)
    assert verify(database).exit_code == 0, "nothing in the database shows it"
    found = verify(database, "--expect", kept)
    assert found.exit_code == 1
    assert f"no seal has the hash {kept}" in found.stdout


def test_a_purge_deletes_whole_seals_and_leaves_an_anchor(database: str) -> None:
    desk = three_seals(database)
    kept = head(database)
    desk.now = NOW + timedelta(days=30)
    asked(desk)
    first = sorted(logged(database, SealRow), key=lambda seal: seal.number)
    purged = crs_cds("purge", "--before", "2026-03-20", CRS_CDS_DATABASE_URL=database)
    assert purged.stdout == f"3 decisions deleted.\nThe log begins after seal 3, hash {kept}.\n"
    (anchor,) = logged(database, AnchorRow)
    assert (anchor.number, anchor.hash, anchor.count) == (3, kept, sum(seal.count for seal in first))
    assert datetime.now(UTC) - anchor.at < timedelta(hours=1)
    found = verify(database, "--expect", kept)
    assert found.exit_code == 0, found.output
    assert f"purged up to seal 3: {anchor.count} rows" in found.stdout
    assert f", by {anchor.by}" in found.stdout
    assert [seal.number for seal in logged(database, SealRow)] == [4], "what was not sealed is sealed first"
    assert logged(database, FeedbackRow) == []
    change(database, "DELETE FROM anchors")
    assert "seal 1 is missing" in verify(database).stdout


def test_a_seal_with_one_newer_row_stays_whole(database: str) -> None:
    desk = desk_of(database)
    asked(desk)
    desk.now = NOW + timedelta(days=9)
    asked(desk)
    assert crs_cds("purge", "--before", "2026-03-10", CRS_CDS_DATABASE_URL=database).stdout == "0 decisions deleted.\n"
    assert len(logged(database, DecisionRow)) == 2
    assert verify(database).exit_code == 0


def test_another_pseudonym_key_leaves_the_chain_as_it_is(database: str) -> None:
    three_seals(database)
    later = desk_of(database, CRS_CDS_PSEUDONYM_KEY="another key of the pseudonyms, long enough")
    asked(later)
    seal_log(store_of(later), NOW + 9 * MINUTE)
    assert len(logged(database, SealRow)) == 4
    assert verify(database).exit_code == 0


def test_a_log_without_seals(database: str) -> None:
    asked(desk_of(database))
    assert verify(database).stdout == (
        "0 rows are sealed, 1 decisions and entries of feedback not yet.\n"
        "There is no seal yet.\nThe log is as it was sealed.\n"
    )


def test_the_way_back_to_the_version_before_costs_no_row(database: str) -> None:
    desk = three_seals(database)
    cards = len(logged(database, CardRow))
    store_of(desk).close()
    migrated(database, command.downgrade, "0002")
    engine = engine_for(database)
    with engine.connect() as connection:
        counted = {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608 - names of ours
            for table in ("decision", "card", "feedback")
        }
    engine.dispose()
    assert counted == {"decision": 3, "card": cards, "feedback": 3}
    later = desk_of(database)
    asked(later)
    seal_log(store_of(later), NOW)
    assert verify(database).exit_code == 0
    assert len(logged(database, SealRow)) == 1, "what was there before is sealed anew"


def migrated(database: str, how: Callable[[Config, str], None], revision: str) -> None:
    engine = engine_for(database)
    with as_file(files("cds_server.storage") / "migrations") as folder, engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        how(config, revision)
        connection.commit()
    engine.dispose()
