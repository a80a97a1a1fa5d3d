"""What is remembered of an answer, what users say to cards, and what stays away because they said it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner

from cards.deciding.decision_table import CardId, Indicator
from cards.deciding.dismissed import Dismissed, held_back
from cards.deciding.when_to_show import Planned
from cds_server.command_line.program import commands
from cds_server.operations.metrics import Metrics
from cds_server.storage.database import SCHEMA, CardRow, DecisionRow, FeedbackRow, TokenRow, engine_for
from cds_server.storage.store import Store
from cds_server.storage.used_tokens import CLEAN_SECONDS, UsedTokens
from tests.support.decision_log import GRADE2, UUID, asked, desk_of, desks_let_go, logged, said, uuid_of
from tests.support.desk import Desk, bundle, card_ids, chart_of, moment_of, scene_of
from tests.support.desk import whole_prefetch as everything
from tests.support.postgres import BACKENDS, INITDB, postgresql
from tests.support.tables import NOW, patient, rows


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: SQLite, and PostgreSQL where its programs are installed."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'log.sqlite'}"
        return
    url = request.getfixturevalue("server")
    engine = engine_for(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engine.dispose()
    yield url


@pytest.fixture(autouse=True)
def connections_are_let_go() -> Iterator[None]:
    with desks_let_go():
        yield


def test_a_decision_is_logged_with_its_cards_and_reasons_before_the_answer_leaves(database: str) -> None:
    answer = asked(desk_of(database))
    (decision,) = logged(database, DecisionRow)
    assert (decision.service, decision.silence, decision.shadow) == ("crs-patient-view", None, False)
    assert decision.rules == answer.get_json()["extension"]["org.crs-cds.assessment"]["rules"]
    assert decision.assessment["crsGrade"] == 2
    cards = logged(database, CardRow)
    assert {c.uuid for c in cards} == {c["uuid"] for c in answer.get_json()["cards"]}
    assert sorted(c.card for c in cards) == sorted(card_ids(answer))


def test_patient_and_user_are_keyed_pseudonyms(database: str) -> None:
    asked(desk_of(database), user="Practitioner/jane-doe")
    asked(desk_of(database, CRS_CDS_PSEUDONYM_KEY="another key"), user="Practitioner/jane-doe")
    one, other = logged(database, DecisionRow)
    assert one.patient != other.patient
    assert one.user != other.user
    text = " ".join(str(vars(row)) for row in (one, other))
    assert "jane" not in text
    assert "Patient/p" not in text


def test_of_drafts_and_references_only_what_looks_like_one_is_kept(database: str) -> None:
    desk = desk_of(database)
    codings = [
        {"system": "http://snomed.info/sct", "code": "432102000"},
        {"system": "urn:local", "code": "Jane Doe"},
        {"system": "urn:local", "code": "x" * 65},
        {"system": "urn:local", "code": 5},
        {"system": ["urn:local"], "code": {"a": 1}},
    ]
    draft = {"resourceType": "ServiceRequest", "subject": {"reference": "Patient/p"}, "code": {"coding": codings}}
    prefetch = everything(patient(GRADE2))
    prefetch["vitals"]["entry"][0]["resource"]["id"] = "Jane Doe 1965-01-01"
    prefetch["patient"]["active"] = "yes"
    asked(
        desk, hook="order-sign", prefetch=prefetch,
        context={"patientId": "p", "userId": "Practitioner/1", "draftOrders": bundle([draft])},
    )  # fmt: skip
    (decision,) = logged(database, DecisionRow)
    assert decision.orders == ["http://snomed.info/sct|432102000", "urn:local|5"]
    assert "Jane" not in str(vars(decision))
    assert "Patient/p" not in str(decision.assessment)


SILENT = rows("""
| scene      | silence        | because                       |
| 2-deceased | deceased       | the patient died              |
| 16         | no_course      | no CAR-T cells                |
""")


@pytest.mark.parametrize("row", SILENT, ids=lambda row: row["silence"])
def test_silence_is_logged_with_its_reason(database: str, row: dict[str, str]) -> None:
    _, scene = scene_of(row["scene"])
    desk = desk_of(database)
    desk.call(row["scene"], prefetch=everything(chart_of(row["scene"])))
    (decision,) = logged(database, DecisionRow)
    assert decision.silence == row["silence"]
    assert decision.at == moment_of(scene)


def test_an_unreadable_record_is_logged_too(database: str) -> None:
    desk = desk_of(database)
    assert asked(desk, prefetch={}).status_code == 412
    assert [d.silence for d in logged(database, DecisionRow)] == ["unreadable-record"]


def test_shadow_shows_nothing_and_logs_everything(database: str) -> None:
    desk = desk_of(database, CRS_CDS_MODE="shadow")
    assert asked(desk).get_json() == {"cards": []}
    unreadable = asked(desk, prefetch={})
    assert (unreadable.status_code, unreadable.get_json()) == (200, {"cards": []})
    assert asked(desk, context={"patientId": "p"}).status_code == 400, "a malformed call is still refused"
    first, second = sorted(logged(database, DecisionRow), key=lambda d: d.silence or "")
    assert (first.shadow, first.rules != [], second.silence) == (True, True, "unreadable-record")
    assert {c.shown for c in logged(database, CardRow)} == {False}


@pytest.mark.parametrize(("mode", "status"), [("active", 500), ("shadow", 200)])
def test_a_failure_of_ours_is_logged_and_in_shadow_not_shown(database: str, mode: str, status: int) -> None:
    desk = desk_of(database, CRS_CDS_MODE=mode)
    app = desk.client.application
    app.config["PROPAGATE_EXCEPTIONS"] = False
    running = app.extensions["crs-cds"]
    app.extensions["crs-cds"] = replace(running, sources=replace(running.sources, limits=None))
    answer = asked(desk)
    assert answer.status_code == status
    assert [d.silence for d in logged(database, DecisionRow)] == ["internal"]


def test_a_slow_or_absent_database_never_costs_a_card() -> None:
    desk = Desk(now=NOW, environ={"CRS_CDS_DATABASE_URL": "sqlite:////nowhere/log.sqlite"})
    assert "toci-guideline" in card_ids(asked(desk))
    assert desk.client.get("/health/ready").get_json()["status"] == "degraded"
    assert said(desk, {"card": UUID, "outcome": "overridden"}).status_code == 503


@pytest.mark.skipif(INITDB is None, reason="PostgreSQL is not installed: `make test` does where it may")
def test_a_decision_that_waits_for_a_lock_costs_no_card_and_is_there_in_the_end(server: str) -> None:
    desk = desk_of(server, CRS_CDS_LOG_MILLISECONDS="300")
    asked(desk)
    before = len(logged(server, DecisionRow))
    engine = engine_for(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE decision IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        assert "toci-guideline" in card_ids(asked(desk))
        assert time.monotonic() - began < 4
    engine.dispose()
    desk.client.application.extensions["crs-cds"].store.close()
    assert len(logged(server, DecisionRow)) == before + 1


BAD = rows("""
| feedback                                                            | field                                 |
| {}                                                                  | feedback                              |
| {"feedback": []}                                                    | feedback                              |
| {"feedback": [{}]}                                                  | feedback[0].card                      |
| {"feedback": [{"card": "x", "outcome": "liked"}]}                   | feedback[0].outcome                   |
| {"feedback": [{"card": "x", "outcome": "accepted"}]}                | feedback[0].acceptedSuggestions       |
| {"feedback": [{"card": 1, "outcome": "overridden"}, 5]}             | feedback[0].card                      |
| {"feedback": [{"card": "a\\u0000b", "outcome": "overridden"}]}       | feedback[0].card                      |
| {"feedback": [{"card": "x", "outcome": "overridden", "overrideReason": {"userComment": "\\u0000"}}]} | feedback[0].overrideReason.userComment |
| []                                                                  |                                       |
""")
TOO_LONG = (
    ({"feedback": [1] * 201}, "feedback"),
    (
        {"feedback": [{"card": "x", "outcome": "overridden", "overrideReasons": [1] * 51}]},
        "feedback[0].overrideReasons",
    ),
)


@pytest.mark.parametrize(("body", "field"), TOO_LONG, ids=[field for _, field in TOO_LONG])
def test_lists_without_end_are_refused_for_their_length_alone(body: dict[str, Any], field: str) -> None:
    answer = Desk().client.post("/cds-services/crs-patient-view/feedback", json=body)
    assert answer.status_code == 400
    assert [issue["expression"] for issue in answer.get_json()["issue"]] == [[field]]


@pytest.mark.parametrize("row", BAD, ids=lambda row: row["feedback"])
def test_a_body_without_a_good_entry_is_refused_and_nothing_is_stored(database: str, row: dict[str, str]) -> None:
    desk = desk_of(database)
    asked(desk)
    answer = desk.client.post(
        "/cds-services/crs-patient-view/feedback", data=row["feedback"], content_type="application/json"
    )
    assert answer.status_code == 400
    assert any(issue["diagnostics"].startswith(row["field"]) for issue in answer.get_json()["issue"])
    assert logged(database, FeedbackRow) == []


def test_each_entry_stands_alone_and_the_same_twice_counts_once(database: str) -> None:
    desk = desk_of(database)
    card = uuid_of(asked(desk), "toci-guideline")
    reason = {"reason": {"code": "patient-ineligible", "system": "urn:x"}, "userComment": "palliative"}
    entry = {
        "card": card,
        "outcome": "overridden",
        "overrideReason": reason,
        "outcomeTimestamp": "2026-03-06T04:05:06Z",
    }
    assert said(desk, entry, {"card": UUID, "outcome": "overridden"}).get_json() == {"unmatched": [1]}
    assert said(desk, entry).get_json() == {}
    found = {f.card_uuid: f for f in logged(database, FeedbackRow)}
    assert set(found) == {card, UUID}
    assert (found[card].matched, found[card].reasons, found[card].comment) == (
        True, ["urn:x|patient-ineligible"], "palliative",
    )  # fmt: skip
    assert not found[UUID].matched


def test_a_malformed_entry_refuses_itself_and_no_other(database: str) -> None:
    desk = desk_of(database)
    card = uuid_of(asked(desk), "toci-guideline")
    bad, good = {"card": card, "outcome": "liked"}, {"card": card, "outcome": "overridden"}
    unmatched = {"card": UUID, "outcome": "overridden"}
    answer = said(desk, bad, 5, good, unmatched, {"card": card, "outcome": "accepted"})
    assert answer.get_json() == {"unmatched": [3], "malformed": [0, 1, 4]}
    assert {f.card_uuid for f in logged(database, FeedbackRow)} == {card, UUID}


# what clients write of an override, and what is kept: reasons, comment, suggestions, time
LENIENT = rows(r"""
| entry                                                                                                | kept                                  |
| {"outcome": "accepted", "acceptedSuggestions": ["s1", {"id": "s2"}]}                                 | [], None, ['s1', 's2'], None          |
| {"outcome": "overridden", "overrideReason": {"code": "c", "system": "urn:x"}}                        | ['urn:x/c'], None, [], None          |
| {"outcome": "overridden", "overrideReason": {"code": "c", "userComment": "because"}}                 | ['c'], because, [], None              |
| {"outcome": "overridden", "overrideReason": {"reason": "c"}}                                         | ['c'], None, [], None                 |
| {"outcome": "overridden", "overrideReason": "because"}                                               | [], because, [], None                 |
| {"outcome": "overridden", "overrideReasons": [{"code": "c"}, {"reason": {"code": "d"}}]}             | ['c', 'd'], None, [], None            |
| {"outcome": "overridden", "outcomeTimestamp": "soon"}                                                | [], None, [], None                    |
| {"outcome": "overridden", "outcomeTimestamp": 5}                                                     | [], None, [], None                    |
| {"outcome": "overridden", "outcomeTimestamp": "0001-01-01T00:00:00+14:00"}                           | [], None, [], None                    |
| {"outcome": "overridden", "outcomeTimestamp": "2026-03-06T04:05:06Z"}                                | [], None, [], 2026-03-06 04:05        |
""")


@pytest.mark.parametrize("row", LENIENT, ids=lambda row: row["entry"])
def test_what_a_user_decided_is_kept_however_it_is_written(database: str, row: dict[str, str]) -> None:
    desk = desk_of(database)
    card = uuid_of(asked(desk), "toci-guideline")
    assert said(desk, {"card": card, **json.loads(row["entry"])}).get_json() == {}
    (kept,) = logged(database, FeedbackRow)
    at = f"{kept.outcome_at:%Y-%m-%d %H:%M}" if kept.outcome_at else None
    reasons = [reason.replace("|", "/") for reason in kept.reasons]
    assert f"{reasons}, {kept.comment}, {kept.accepted}, {at}" == row["kept"]


def test_tokens_that_expired_are_forgotten_now_and_then(database: str) -> None:
    now = 0.0
    metrics = Metrics("0", "0")
    store = Store(engine_for(database), metrics)
    tokens = UsedTokens(store, metrics, clock=lambda: now)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    assert tokens.is_first_use("old", long_ago, 5)
    assert tokens.is_first_use("new", datetime.now(UTC), 5)
    now = CLEAN_SECONDS + 1
    assert tokens.is_first_use("newer", datetime.now(UTC), 5)
    store.close()
    assert {row.token for row in logged(database, TokenRow)} == {"new", "newer"}


def test_the_same_feedback_at_the_same_moment_counts_once(database: str) -> None:
    desk = desk_of(database)
    entry = {"card": uuid_of(asked(desk), "toci-guideline"), "outcome": "overridden"}
    with ThreadPoolExecutor(8) as together:
        assert {answer.status_code for answer in together.map(lambda _: said(desk, entry), range(16))} == {200}
    assert len(logged(database, FeedbackRow)) == 1


def test_feedback_that_came_before_its_card_is_matched_when_it_is_sent_again(database: str) -> None:
    desk = desk_of(database)
    asked(desk)
    card = logged(database, CardRow)[0].uuid
    renamed = "UPDATE card SET uuid = '{}' WHERE uuid = '{}'"
    engine = engine_for(database)
    with engine.begin() as connection:
        connection.exec_driver_sql(renamed.format(UUID, card))
    assert said(desk, {"card": card, "outcome": "overridden"}).get_json() == {"unmatched": [0]}
    with engine.begin() as connection:
        connection.exec_driver_sql(renamed.format(card, UUID))
    engine.dispose()
    assert said(desk, {"card": card, "outcome": "overridden"}).get_json() == {}
    assert [f.matched for f in logged(database, FeedbackRow)] == [True]


def test_feedback_that_overtook_its_decision_is_joined_to_it(database: str) -> None:
    first = desk_of(database)
    log = first.client.application.extensions["crs-cds"].decisions
    kept: list[Any] = []
    log.record = lambda decision, _: kept.append(decision)
    card = uuid_of(asked(first), "toci-guideline")
    assert said(first, {"card": card.upper(), "outcome": "overridden"}).get_json() == {"unmatched": [0]}
    del log.record
    log.record(kept[0], 5)
    assert [f.matched for f in logged(database, FeedbackRow)] == [True]
    assert "toci-guideline" not in card_ids(asked(first))


def test_what_was_not_read_is_in_the_log_and_why(database: str) -> None:
    desk = desk_of(database)
    assert asked(desk, prefetch={}).status_code == 412
    found = everything(patient(GRADE2))
    found["allergies"] = {"resourceType": "OperationOutcome", "issue": []}
    asked(desk, prefetch=found)
    unreadable, partly = sorted(logged(database, DecisionRow), key=lambda d: d.silence or "", reverse=True)
    assert any(why.startswith("medication administrations: not supplied") for why in unreadable.assessment["unread"])
    assert partly.assessment["unread"] == ["allergies: the client could not read it"]


def test_a_card_in_shadow_leaves_no_trace_in_the_answer(database: str, tmp_path: Path) -> None:
    every = "".join(f'{card} = "shadow"\n' for card in CardId)
    (tmp_path / "site.toml").write_text(f"[cards]\n{every}", encoding="utf-8")
    assert asked(desk_of(database, CRS_CDS_THRESHOLDS=str(tmp_path / "site.toml"))).get_json() == {"cards": []}
    assert [d.silence for d in logged(database, DecisionRow)] == ["shadowed"]
    assert {c.shown for c in logged(database, CardRow)} == {False}


def test_what_cannot_be_put_down_costs_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Jane Doe")

    monkeypatch.setattr("cds_server.hooks.call.decision_of", broken)
    desk = Desk(now=NOW)
    assert "toci-guideline" in card_ids(asked(desk))
    assert desk.client.get("/health/ready").get_json()["decisionsLost"] == 1


def test_a_purge_takes_a_part_at_a_time(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_server.storage.chain.seals.SEALED_AT_ONCE", 2)
    desk = desk_of(database)
    for number in range(5):
        said(desk, {"card": uuid_of(asked(desk, user=str(number)), "toci-guideline"), "outcome": "overridden"})
    said(desk, {"card": UUID, "outcome": "overridden"})
    assert crs_cds(database, "purge", "--before", "2026-03-07").startswith("5 decisions deleted.\n")
    assert logged(database, CardRow) + logged(database, FeedbackRow) == []


def test_a_report_makes_no_database_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.sqlite'}"
    refused = CliRunner().invoke(commands, ["alerts"], env={"CRS_CDS_DATABASE_URL": url})
    assert refused.exit_code == 2
    assert "name the database of the service" in refused.output
    assert not (tmp_path / "none.sqlite").exists()


def test_a_database_of_a_later_version_costs_no_card_and_shows_as_degraded(database: str) -> None:
    asked(desk_of(database))
    engine = engine_for(database)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    engine.dispose()
    later = desk_of(database)
    assert "toci-guideline" in card_ids(asked(later))
    health = later.client.get("/health/ready").get_json()
    assert (health["status"], health["decisionsLost"]) == ("degraded", 1)


def test_the_tables_that_are_looked_for_are_those_of_the_last_migration() -> None:
    with as_file(files("cds_server.storage") / "migrations") as folder:
        assert ScriptDirectory(str(folder)).get_current_head() == SCHEMA


def test_the_library_of_migrations_is_loaded_only_where_there_is_something_to_migrate(tmp_path: Path) -> None:
    script = (
        "import sys; from cds_server.storage.database import engine_for; from cds_server.storage.store import Store\n"
        "from cds_server.operations.metrics import Metrics\n"
        "store = Store(engine_for(sys.argv[1]), Metrics('', '')); print(store.can_write(20), 'alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'log.sqlite'}"]
    said = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(2)]  # noqa: S603
    assert said == ["True True\n", "True False\n"]


def test_epic_s_way_of_saying_it(database: str) -> None:
    desk = desk_of(database)
    card = uuid_of(asked(desk), "toci-guideline")
    reasons = [{"reason": {"code": "a"}}, {"userComment": "b"}, {}]
    assert said(desk, {"card": card, "outcome": "overridden", "overrideReasons": reasons}).status_code == 200
    (stored,) = logged(database, FeedbackRow)
    assert (stored.reasons, stored.comment) == (["a"], "b")


def test_feedback_for_another_service_s_card_is_refused(database: str) -> None:
    desk = desk_of(database)
    card = uuid_of(asked(desk), "toci-guideline")
    assert said(desk, {"card": card, "outcome": "overridden"}, service="crs-order-sign").get_json() == {"refused": [0]}
    assert logged(database, FeedbackRow) == []


CHANGES = rows("""
| chart                                                                               | user           | later | cards                                  | because                                  |
| SAME                                                                                | Practitioner/1 | 1h    | crs-grade                              | dismissed an hour ago, nothing changed   |
| SAME                                                                                | Practitioner/1 | 9h    | toci-guideline, crs-grade | nine hours later it is shown again       |
| SAME                                                                                | Practitioner/2 | 1h    | toci-guideline, crs-grade | another user has not seen it             |
| il6 10 @D0 08:00; T 39 @-1h; SBP 118 @-1h; device HFNC @-1h; weight 70 @-9h         | Practitioner/1 | 1h    | severe-crs, crs-grade     | the grade rose                           |
| il6 10 @D0 08:00; T 39 @-1h; SBP 84 @-1h; SpO2 93 @-1h; device NC @-1h; flow 2 @-1h; weight 70 @-9h | Practitioner/1 | 1h | toci-guideline, crs-grade | oxygen was started beside it      |
""")


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row["because"])
def test_what_a_user_overrode_stays_away_from_that_user_unless_something_changed(
    database: str, row: dict[str, str]
) -> None:
    desk = desk_of(database)
    said(desk, {"card": uuid_of(asked(desk), "toci-guideline"), "outcome": "overridden"})
    desk.now = NOW + timedelta(hours=int(row["later"][:-1]))
    chart = GRADE2 if row["chart"] == "SAME" else row["chart"]
    answer = asked(
        desk,
        f"{chart}; T 39 @+8h; SBP 84 @+8h; SpO2 97 @+8h; device RA @+8h" if row["later"] == "9h" else chart,
        row["user"],
    )
    assert ", ".join(card_ids(answer)) == row["cards"]


def test_what_was_dismissed_never_turns_into_silence(database: str) -> None:
    desk = desk_of(database)
    answer = asked(desk)
    ours = ("toci-guideline",)
    said(desk, *({"card": uuid_of(answer, card), "outcome": "overridden"} for card in ours))
    again = asked(desk)
    assert card_ids(again) == ("crs-grade",)
    assert "Dismissed by you" in again.get_json()["cards"][0]["detail"]


def test_a_dismissed_card_comes_back_when_it_is_more_urgent() -> None:
    planned = (Planned(CardId.DATA_QUALITY, Indicator.WARNING, ()),)
    for was, held in ((Indicator.INFO, 0), (Indicator.WARNING, 1)):
        assert len(held_back(planned, (Dismissed(CardId.DATA_QUALITY, was, "same", NOW),), "same")) == held


def test_where_the_state_is_switched_off_nothing_is_held_back(database: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('[cards]\ncrs-grade = "off"\n', encoding="utf-8")
    desk = desk_of(database, CRS_CDS_THRESHOLDS=str(tmp_path / "site.toml"))
    answer = asked(desk)
    ours = ("toci-guideline",)
    said(desk, *({"card": uuid_of(answer, card), "outcome": "overridden"} for card in ours))
    assert card_ids(asked(desk)) == ours


def test_an_override_told_late_counts_from_when_it_was_said(database: str) -> None:
    desk = desk_of(database)
    at = (NOW - timedelta(hours=12)).isoformat()
    said(desk, {"card": uuid_of(asked(desk), "toci-guideline"), "outcome": "overridden", "outcomeTimestamp": at})
    assert "toci-guideline" in card_ids(asked(desk))


def test_a_card_accepted_after_all_is_not_held_back(database: str) -> None:
    desk = desk_of(database)
    card = uuid_of(asked(desk), "toci-guideline")
    said(desk, {"card": card, "outcome": "overridden"})
    desk.now = NOW + timedelta(minutes=1)
    said(desk, {"card": card, "outcome": "accepted", "acceptedSuggestions": [{"id": UUID}]})
    assert "toci-guideline" in card_ids(asked(desk))


def test_a_card_of_another_version_in_the_log_costs_no_answer(database: str) -> None:
    desk = desk_of(database)
    said(desk, {"card": uuid_of(asked(desk), "toci-guideline"), "outcome": "overridden"})
    engine = engine_for(database)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE card SET card = 'old-name'")
    engine.dispose()
    assert "toci-guideline" in card_ids(asked(desk))


def test_a_critical_card_is_never_held_back(database: str) -> None:
    desk = desk_of(database)
    chart = "T 39 @-1h; SBP 118 @-1h; device HFNC @-1h; weight 70 @-9h"
    said(desk, {"card": uuid_of(asked(desk, chart), "severe-crs"), "outcome": "overridden"})
    assert "severe-crs" in card_ids(asked(desk, chart))


def crs_cds(database: str, *arguments: str) -> str:
    environ = {"CRS_CDS_DATABASE_URL": database, "CRS_CDS_TIMEZONE": "Asia/Shanghai"}
    found = CliRunner().invoke(commands, list(arguments), env=environ)
    assert found.exit_code == 0, found.output
    return found.stdout


FORMULAS = (
    "=1+1",
    "＝1+1",
    "﹦1",
    "+1",
    "＋1",
    "-1",
    "－1",
    "−1",
    "@SUM(1)",
    "＠x",
    " =1",
    "\t=1",
    "\r=1",
    "\u200b=1",
    "|x",
)


@pytest.mark.parametrize("reason", FORMULAS)
def test_no_cell_begins_like_a_formula(reason: str, database: str) -> None:
    desk = desk_of(database)
    for number, code in enumerate(("plain", reason)):
        card = uuid_of(asked(desk, user=f"Practitioner/{number}"), "toci-guideline")
        said(desk, {"card": card, "outcome": "overridden", "overrideReason": {"reason": {"code": code}}})
    table = crs_cds(database, "feedback", "--csv", "--since", "2026-03-01", "--until", "2026-03-08")
    cells = [part.strip() for row in csv.reader(io.StringIO(table)) for cell in row for part in cell.split(";")]
    assert "plain x1" in cells
    assert not [cell for cell in cells if cell[:1] in {*"=＝﹦+＋-－−@＠|\t\r"}]


def test_the_reports_of_a_made_up_week(database: str) -> None:
    desk = desk_of(database)
    for number in range(4):
        answer = asked(desk, user=f"Practitioner/{number}")
        if number < 2:
            card = uuid_of(answer, "toci-guideline")
            reason = {"reason": {"code": "\t=cmd;\x1b[2J" if number else "patient-ineligible"}}
            said(desk, {"card": card, "outcome": "overridden", "overrideReason": reason})
        if number == 2:
            suggestion = answer.get_json()["cards"][0]["suggestions"][0]["uuid"]
            card = uuid_of(answer, "toci-guideline")
            said(desk, {"card": card, "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion}]})
    said(desk, {"card": UUID, "outcome": "overridden"})
    asked(desk, prefetch={})
    period = ("--since", "2026-03-01", "--until", "2026-03-08")
    report = crs_cds(database, "feedback", *period)
    line = next(line for line in report.splitlines() if line.startswith("toci-guideline"))
    assert line.split()[1:5] == ["4", "0", "1", "2"]
    assert "patient-ineligible ×1" in line
    table = list(csv.DictReader(io.StringIO(crs_cds(database, "feedback", "--csv", *period))))
    assert next(r for r in table if r["card"] == "toci-guideline")["overridden"] == "2"
    reasons = next(r for r in table if r["card"] == "toci-guideline")["reasons"]
    assert set(reasons.split("; ")) == {"patient-ineligible x1", "'=cmd  [2J x1"}
    assert not any(character in report + str(table) for character in ("\x1b", "\t"))
    assert "unreadable-record ×1" in crs_cds(database, "alerts", *period)
    assert crs_cds(database, "purge", "--before", "2026-03-07").startswith("5 decisions deleted.\n")
    assert logged(database, CardRow) == []
    assert datetime.now(UTC) > NOW or bundle([]) is not None
