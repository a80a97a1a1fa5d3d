"""A log that loses decisions says so: a full disk, a broken file, a file that is gone."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc
from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, DecisionRow, FeedbackRow
from cds_server.storage.store import NO_ANSWER
from tests.support.decision_log import UUID, asked, desk_of, desks_let_go, logged, ready, said, store_of
from tests.support.desk import card_ids


@pytest.fixture(autouse=True)
def connections_are_let_go() -> Iterator[None]:
    with desks_let_go():
        yield


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_degraded_until_a_write_succeeds(tmp_path: Path) -> None:
    desk = desk_of(f"sqlite:///{tmp_path / 'log.sqlite'}")
    assert ready(desk) == {"status": "ready", "decisionsLost": 0}
    with full_disk():
        assert "toci-guideline" in card_ids(asked(desk)), "it costs no card"
        assert store_of(desk).degraded, "dismissed cards could be read, which shows nothing of writing"
        assert (ready(desk)["status"], ready(desk)["decisionsLost"]) == ("degraded", 1)
        assert said(desk, {"card": UUID, "outcome": "overridden"}).status_code == 503
    assert ready(desk) == {"status": "ready", "decisionsLost": 1}


def test_a_broken_file_is_degraded(tmp_path: Path) -> None:
    file = tmp_path / "log.sqlite"
    desk = desk_of(f"sqlite:///{file}")
    asked(desk)
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'decision'").fetchone()
        (size,) = other.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as broken:
        broken.seek((page - 1) * size)
        broken.write(b"\xff" * size)
    assert "toci-guideline" in card_ids(asked(desk))
    assert (ready(desk)["status"], ready(desk)["decisionsLost"]) == ("degraded", 1)


@pytest.mark.parametrize("instead", ["nothing", "another file, as a backup is"])
def test_no_decision_goes_into_a_file_that_is_gone(instead: str, tmp_path: Path) -> None:
    file, other = tmp_path / "log.sqlite", tmp_path / "other.sqlite"
    with desks_let_go():
        assert ready(desk_of(f"sqlite:///{other}"))["status"] == "ready"
    desk = desk_of(f"sqlite:///{file}")
    asked(desk)
    if instead == "nothing":
        file.unlink()
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.replace(other, file)
    asked(desk)
    assert said(desk, {"card": UUID, "outcome": "overridden"}).status_code == 200
    assert len(logged(f"sqlite:///{file}", DecisionRow)) == 1, "the second one"
    assert len(logged(f"sqlite:///{file}", FeedbackRow)) == 1
    assert ready(desk) == {"status": "ready", "decisionsLost": 0}
    page = desk.client.get("/metrics").get_data(as_text=True)
    assert 'crs_cds_log_losses_total{what="file"} 1.0' in page


def test_a_file_that_is_gone_and_cannot_be_made_anew_is_degraded(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    desk = desk_of(f"sqlite:///{folder / 'log.sqlite'}")
    asked(desk)
    folder.rename(tmp_path / "elsewhere")
    assert ready(desk)["log"] == NO_ANSWER
    asked(desk)
    assert ready(desk)["decisionsLost"] == 1


# what a database raises, each with words that nobody outside should read
CLASSES = (exc.OperationalError, exc.InterfaceError, exc.DataError, exc.ProgrammingError, exc.InternalError,
           exc.NotSupportedError, exc.TimeoutError, exc.ResourceClosedError, OSError, MemoryError)  # fmt: skip


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_nobody_outside_is_told_which_error_the_database_raised(
    kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(f"sqlite:///{tmp_path / 'log.sqlite'}")
    asked(desk)

    def broken(*_: Any, **__: Any) -> Any:
        raise kind("SELECT secret", {}, OSError("secret")) if issubclass(kind, exc.DBAPIError) else kind("secret")

    monkeypatch.setattr(Session, "execute", broken)
    monkeypatch.setattr(Session, "flush", broken)
    answers = [
        asked(desk),
        said(desk, {"card": UUID, "outcome": "overridden"}),
        *(desk.client.get(address) for address in ("/health/ready", "/health/live", "/metrics", "/cds-services", "/")),
    ]
    assert ready(desk)["log"] == NO_ANSWER
    told = " ".join(f"{answer.headers} {answer.get_data(as_text=True)}" for answer in answers)
    assert [word for word in (kind.__name__, "secret", "SELECT", "sqlite", "sqlalche") if word in told] == []


def test_the_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    desk = desk_of(url)
    store_of(desk).degraded = "so that it is tried"
    assert ready(desk)["status"] == "ready"
    assert logged(url, DecisionRow) + logged(url, CardRow) == []
