"""Decisions that the database does not take wait in the spool, and come in once each, oldest first."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_server.limits import SettingsError
from cds_server.settings.reading import settings_from
from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow
from cds_server.storage.decision_log import DecisionLog
from cds_server.storage.spool import Spool
from tests.support.decision_log import asked, desk_of, desks_let_go, logged, ready, said, uuid_of
from tests.support.desk import Desk, card_ids
from tests.support.program import crs_cds
from tests.support.tables import NOW, rows

KEY, NEXT_KEY = "a" * 32, "b" * 32
NOBODY = 65534


@pytest.fixture(autouse=True)
def connections_are_let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("cds_server.storage.store.RETRY_SECONDS", 0.0)
    with desks_let_go():
        yield


@dataclass
class Site:
    """A database in a folder that can be taken away, and a spool in another."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("db", "spool"):
            (self.folder / name).mkdir()
        self.environ = {"CRS_CDS_SPOOL_DIR": str(self.spool), "CRS_CDS_SPOOL_KEY": KEY} | self.environ

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'db' / 'log.sqlite'}"

    def desk(self, **environ: str) -> Desk:
        return desk_of(self.url, **(self.environ | environ))

    def goes(self) -> None:
        (self.folder / "db").rename(self.folder / "away")

    def comes_back(self) -> None:
        (self.folder / "away").rename(self.folder / "db")

    def files(self) -> list[Path]:
        return sorted(self.spool.glob("crs-cds-spool-*"))

    def command(self, *arguments: str, **environ: str) -> str:
        found = crs_cds(*arguments, CRS_CDS_DATABASE_URL=self.url, **(self.environ | environ))
        assert found.exit_code == 0, found.output
        return found.stdout


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def log_of(desk: Desk) -> DecisionLog:
    found: DecisionLog = desk.client.application.extensions["crs-cds"].decisions
    return found


def logged_in_order(site: Site) -> list[str]:
    with sqlite3.connect(site.url.removeprefix("sqlite:///")) as connection:
        return [id_ for (id_,) in connection.execute("SELECT user FROM decision ORDER BY rowid")]


def test_what_the_database_does_not_take_comes_in_oldest_first_and_once(site: Site) -> None:
    desk = site.desk()
    users = [f"Practitioner/{number}" for number in range(3)]
    for user in users:
        asked(desk, user=user)
    expected = logged_in_order(site)
    site.goes()
    for user in users:
        desk.now += timedelta(seconds=1)
        assert "toci-guideline" in card_ids(asked(desk, user=user))
    assert ready(desk) == {
        "status": "degraded", "log": "does not answer", "spool": "3 decisions wait for the log", "decisionsLost": 0,
    }  # fmt: skip
    assert "crs_cds_spooled_decisions 3.0" in desk.client.get("/metrics").get_data(as_text=True)
    log_of(desk).bring_in()
    assert log_of(desk).count_waiting() == 3, "the database is still away"
    site.comes_back()
    log_of(desk).bring_in()
    log_of(desk).bring_in()
    assert logged_in_order(site) == expected * 2
    assert len(logged(site.url, CardRow)) == 6 * len(card_ids(asked(desk)))
    assert ready(desk) == {"status": "ready", "decisionsLost": 0}
    assert site.files() == []


def test_a_spool_is_used_again_after_it_was_emptied(site: Site) -> None:
    desk = site.desk()
    for _ in range(2):
        asked(desk)
        site.goes()
        asked(desk)
        site.comes_back()
        log_of(desk).bring_in()
    assert len(logged(site.url, DecisionRow)) == 4


def test_nothing_in_the_spool_can_be_read_without_its_key(site: Site) -> None:
    desk = site.desk()
    asked(desk)
    (row,) = logged(site.url, DecisionRow)
    site.goes()
    asked(desk)
    content = b"".join(file.read_bytes() for file in site.files())
    for text in (row.patient, row.user, row.service, "crsGrade", "toci-guideline"):
        assert text.encode() not in content
    assert {file.stat().st_mode & 0o077 for file in site.files()[:1]} == {0}


def test_feedback_on_a_card_in_the_spool_is_to_be_sent_again(site: Site) -> None:
    desk = site.desk()
    asked(desk)
    site.goes()
    card = uuid_of(asked(desk), "toci-guideline")
    site.comes_back()
    entry = {"card": card.upper(), "outcome": "overridden"}
    refused = said(desk, entry)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    log_of(desk).bring_in()
    assert said(desk, entry).get_json() == {}
    assert [row.matched for row in logged(site.url, FeedbackRow)] == [True]


def test_where_the_spool_is_full_the_oldest_stay_and_the_newest_are_lost(site: Site) -> None:
    desk = site.desk(CRS_CDS_SPOOL_MIB="0.1")
    asked(desk)
    site.goes()
    for number in range(50):
        desk.now = NOW + timedelta(minutes=number + 1)
        asked(desk)
    lost, waiting = log_of(desk).lost, log_of(desk).count_waiting()
    assert (lost > 0, waiting > 2, lost + waiting) == (True, True, 50)
    assert (ready(desk)["status"], ready(desk)["decisionsLost"]) == ("degraded", lost)
    site.comes_back()
    log_of(desk).bring_in()
    found = sorted(row.at for row in logged(site.url, DecisionRow))
    assert found == [NOW + timedelta(minutes=number) for number in range(waiting + 1)]


def test_the_spool_of_a_worker_that_ended_comes_in_by_another(site: Site) -> None:
    ended, alive = site.desk(), site.desk()
    asked(alive)
    site.goes()
    asked(ended)
    site.comes_back()
    log_of(alive).bring_in()
    assert len(logged(site.url, DecisionRow)) == 2
    assert site.files() == []


def test_a_commit_that_was_only_late_counts_once(site: Site) -> None:
    desk = site.desk(CRS_CDS_LOG_MILLISECONDS="200")
    asked(desk)
    with sqlite3.connect(site.url.removeprefix("sqlite:///"), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        asked(desk)
        assert log_of(desk).count_waiting() == 1, "a kill would take the late commit with it"
        other.execute("ROLLBACK")
    end = time.monotonic() + 20
    while len(logged(site.url, DecisionRow)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    log_of(desk).bring_in()
    assert len(logged(site.url, DecisionRow)) == 2
    assert (log_of(desk).count_waiting(), log_of(desk).lost) == (0, 0)


def test_a_decision_that_the_database_never_takes_holds_up_no_other(site: Site) -> None:
    desk = site.desk()
    asked(desk)
    (card,) = [row for row in logged(site.url, CardRow) if row.card == "toci-guideline"]
    site.goes()
    asked(desk)
    asked(desk)
    site.comes_back()
    spool = log_of(desk)._spool
    assert spool is not None
    first = next(spool.oldest_first())
    assert first.rows is not None
    spool.forget([first])
    broken: dict[str, Any] = {**first.rows, "cards": [{**first.rows["cards"][0], "uuid": card.uuid}]}
    spool.put(first.id, NOW - timedelta(days=1), [], broken)
    log_of(desk).bring_in()
    assert (len(logged(site.url, DecisionRow)), log_of(desk).count_waiting(), log_of(desk).lost) == (2, 0, 1)


KEYS = rows("""
| keys         | session | in | because                                        |
| next         |         | no | another key does not open it                   |
| next,present |         | yes | the first encrypts, the others still open     |
|              | present | yes | a session key opens what it encrypted          |
""")


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row["because"])
def test_keys_of_the_spool_can_be_changed(site: Site, row: dict[str, str]) -> None:
    asked(desk := site.desk())
    site.goes()
    asked(desk)
    site.comes_back()
    named = {"present": KEY, "next": NEXT_KEY, "": ""}
    later = site.desk(
        CRS_CDS_SPOOL_KEY=",".join(named[name] for name in row["keys"].split(",")),
        CRS_CDS_SESSION_KEY=named[row["session"]],
    )
    log_of(later).bring_in()
    assert log_of(later).count_waiting() == (row["in"] == "no")
    assert len(logged(site.url, DecisionRow)) == 1 + (row["in"] == "yes")


def test_alerts_and_purge_reach_the_spool(site: Site) -> None:
    desk = site.desk()
    asked(desk)
    site.goes()
    asked(desk, prefetch={})
    desk.now = NOW + timedelta(days=9)
    asked(desk, prefetch={})
    site.comes_back()
    period = ("--since", "2026-03-01", "--until", "2026-03-08")
    line = site.command("alerts", *period).splitlines()[1]
    assert line.split()[:4] == ["crs-patient-view", "2", "1", "1"]
    assert "unreadable-record ×1" in line
    other = site.command("alerts", *period, CRS_CDS_SPOOL_KEY=NEXT_KEY)
    assert "2 decisions in the spool are not opened by CRS_CDS_SPOOL_KEY." in other
    purged = site.command("purge", "--before", "2026-03-07", CRS_CDS_SPOOL_KEY=NEXT_KEY)
    assert purged.startswith("2 decisions deleted.\n")
    log_of(desk).bring_in()
    assert [row.at for row in logged(site.url, DecisionRow)] == [NOW + timedelta(days=9)]


# what happens to a spool in which two decisions wait, and what is said of it
UNREADABLE = rows("""
| what                          | says                                                                       |
| nothing                       |                                                                            |
| the key is changed            | 2 decisions are opened by no key of CRS_CDS_SPOOL_KEY                      |
| a decision is cut             | 1 decision is damaged                                                      |
| the file is overwritten       | 1 file is damaged                                                          |
| a page of it is overwritten   | 1 file is damaged                                                          |
| the file is emptied long ago  | 1 file holds no table                                                      |
| a file is begun just now      |                                                                            |
""")


@pytest.mark.parametrize("row", UNREADABLE, ids=lambda row: row["what"])
def test_what_cannot_come_in_is_said(site: Site, row: dict[str, str]) -> None:
    asked(desk := site.desk())
    site.goes()
    asked(desk)
    asked(desk)
    log_of(desk)._spool.close()  # type: ignore[union-attr]
    site.comes_back()
    key = happens(row["what"], site)
    later = site.desk(CRS_CDS_SPOOL_KEY=key)
    if row["what"] == "the folder is gone":  # the settings refuse one that was never there
        shutil.rmtree(site.spool)
    state = ready(later).get("spool", "")
    assert row["says"] in state
    assert bool(re.sub(r"\d+ decisions wait for the log", "", state)) == bool(row["says"])
    assert f"crs_cds_spool_unreadable {float(bool(row['says']))}" in later.client.get("/metrics").text
    environ = {"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": site.url, **site.environ, "CRS_CDS_SPOOL_KEY": key}
    checked = crs_cds("check-config", **environ)
    if row["what"] == "the folder is gone":
        assert (checked.exit_code, "CRS_CDS_SPOOL_DIR must name a folder" in checked.stderr) == (2, True)
    else:
        said = f"FAILED spool {site.spool}: {row['says']}" if row["says"] else f"ok     spool {site.spool}: "
        assert said in checked.stdout
        assert checked.exit_code == bool(row["says"])


def happens(what: str, site: Site) -> str:
    """Let something happen to the spool, and return the key from then on."""
    (file,) = site.spool.glob("*.sqlite")
    if what == "a decision is cut":
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE decision SET sealed = substr(sealed, 1, 100) WHERE rowid = 1")
    elif what == "the file is overwritten":
        file.write_bytes(b"x" * file.stat().st_size)
    elif what == "a page of it is overwritten":
        with file.open("r+b") as stream:
            stream.seek(4096)
            stream.write(b"x" * (file.stat().st_size - 4096))
    elif what == "the file is emptied long ago":
        file.write_bytes(b"")
        os.utime(file, (0, 0))
    elif what == "a file is begun just now":
        (site.spool / "crs-cds-spool-new.sqlite").touch()
    return NEXT_KEY if what == "the key is changed" else KEY


# the mode of the folder and of its file, as a user finds them who is neither their owner nor of their group
MODES = rows("""
| folder | file | says                                                    |
| 777    | 666  |                                                         |
| 777    | 600  | 1 file may not be read and written                      |
| 777    | 644  | 1 file may not be read and written                      |
| 755    | 666  | its folder may not be read and written                  |
| 700    | 666  | its folder may not be read and written                  |
""")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("row", MODES, ids=lambda row: f"folder {row['folder']}, file {row['file']}")
def test_what_the_user_of_the_service_may_not_read_is_said(row: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above) / "spool"
        folder.mkdir()
        spool = Spool(folder, [KEY], 2**20)
        spool.put("one", NOW, ["card"], {"id": "one"})
        spool.close()
        Path(above).chmod(0o711)
        for file in folder.iterdir():
            file.chmod(int(row["file"], 8))
        folder.chmod(int(row["folder"], 8))
        os.seteuid(NOBODY)
        try:
            assert spool.wrong() == (row["says"] or None)
        finally:
            os.seteuid(0)


def test_a_damaged_file_keeps_no_other_from_coming_in(site: Site) -> None:
    asked(desk := site.desk())
    site.goes()
    asked(desk)
    (site.spool / "crs-cds-spool-0.sqlite").write_bytes(b"x" * 8192)
    site.comes_back()
    log_of(desk).bring_in()
    assert (len(logged(site.url, DecisionRow)), log_of(desk).count_waiting()) == (2, 0)
    assert ready(desk)["spool"] == "1 file is damaged"


REFUSED = rows("""
| setting                                        | says                                                   |
| CRS_CDS_SPOOL_KEY=short                        | CRS_CDS_SPOOL_KEY must hold keys of at least 32        |
| CRS_CDS_SPOOL_DIR=/nowhere                     | CRS_CDS_SPOOL_DIR must name a folder that is there     |
| CRS_CDS_DATABASE_URL=postgresql://127.0.0.1/x  | CRS_CDS_SPOOL_DIR must name the folder for decisions   |
""")


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["setting"])
def test_a_spool_that_could_not_be_kept_stops_the_start(row: dict[str, str]) -> None:
    name, _, value = row["setting"].partition("=")
    with pytest.raises(SettingsError, match=row["says"]):
        settings_from({"CRS_CDS_ENV": "development", "CRS_CDS_SESSION_KEY": KEY, name: value})


def test_without_a_key_there_is_no_spool_and_check_config_says_so(site: Site) -> None:
    common = {"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": site.url}
    without = crs_cds("check-config", **common).stdout
    assert "spool: none without CRS_CDS_SPOOL_KEY" in without
    with_key = crs_cds("check-config", CRS_CDS_SESSION_KEY=KEY, **common).stdout
    assert f"spool: in {site.folder / 'db'}, 64 MiB for each worker" in with_key
    desk = site.desk(CRS_CDS_SPOOL_KEY="")
    asked(desk)
    site.goes()
    asked(desk)
    assert (log_of(desk).lost, site.files()) == (1, [])
