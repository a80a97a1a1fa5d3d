"""The sign-off: in production, rules that nobody signed are worked out and logged, and shown to nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from cards.deciding.rules_version import CITED_RULES
from cds_server.command_line.program import commands
from cds_server.limits import SettingsError
from example_patients.stories.stories import hook_body
from tests.support.desk import Desk, assessment, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.signed import IN_FORCE, in_production, signed, signing
from tests.support.tables import rows
from tests.support.tokens import PUBLIC, Token

VIEW = f"{PUBLIC}/cds-services/crs-patient-view"


def asked(desk: Desk) -> Any:
    """Story 3, to whom tocilizumab is recommended, asked by the trusted client."""
    _, scene = scene_of("3")
    desk.now = moment_of(scene)
    token = Token(claims={"aud": VIEW}).text()
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of("3")))
    return desk.client.post("/cds-services/crs-patient-view", json=body, headers={"Authorization": f"Bearer {token}"})


def health(desk: Desk) -> Any:
    return desk.client.get("/health/ready").get_json()


OTHER = '[thresholds]\nspo2_cut = "92 %"\n'
SHOWN = rows("""
| environment | signed       | cards                       | ready                  | because                                  |
| production  | these rules  | toci-recommended, crs-grade | –                      | a person signed what is in force         |
| production  | nothing      | none                        | nobody-signed          | nobody signed                            |
| production  | other rules  | none                        | other-rules-signed     | a number changed since                   |
| development | nothing      | toci-recommended, crs-grade | –                      | nobody is treated by it                  |
| development | other rules  | toci-recommended, crs-grade | –                      | and it says so in check-config only      |
""")


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: f"{row['environment']}: {row['because']}")
def test_cards_are_shown_where_a_person_signed_the_rules(row: dict[str, str], tmp_path: Path) -> None:
    environ = in_production(tmp_path, CRS_CDS_ENV=row["environment"])
    if row["signed"] != "nothing":
        environ["CRS_CDS_SIGNED"] = str(signed(tmp_path / "signed.json"))
    if row["signed"] == "other rules":
        (tmp_path / "site.toml").write_text(OTHER, encoding="utf-8")
        environ["CRS_CDS_THRESHOLDS"] = str(tmp_path / "site.toml")
    desk = Desk(environ=environ)
    assert ", ".join(card_ids(asked(desk))) == row["cards"].replace("none", "")
    said = health(desk)
    assert (said["status"], said.get("rules", "–")) == ("ready" if row["ready"] == "–" else "degraded", row["ready"])


def test_what_is_not_shown_is_logged_and_counted(tmp_path: Path) -> None:
    token = "a token for the metrics"
    environ = in_production(tmp_path, CRS_CDS_METRICS_TOKEN=token)
    desk = Desk(environ=environ)
    assert asked(desk).get_json() == {"cards": []}
    with create_engine(environ["CRS_CDS_DATABASE_URL"]).connect() as log:
        query = "select d.shadow, c.card, c.shown from decision d join card c on c.decision_id = d.id"
        found = log.execute(text(query))
        assert sorted(map(tuple, found)) == [(1, "crs-grade", 0), (1, "toci-recommended", 0)]
    page = desk.client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).get_data(as_text=True)
    assert "crs_cds_rules_unsigned 1.0" in page


def test_the_log_says_it_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Desk(environ=in_production(tmp_path))
    assert [r.getMessage() for r in caplog.records] == ["shadow only: the rules in force are not signed"]


def test_an_answer_cites_the_rules() -> None:
    desk = Desk()
    found = assessment(desk.call("3", prefetch=whole_prefetch(chart_of("3"))))
    assert (found["rulesVersion"], found["thresholds"]) == (CITED_RULES, IN_FORCE.hash)


CHECKED = rows("""
| signed  | mode   | fails | says                                                           |
| yes     | active | no    | signed by Dr. Wei Lin, head of the CAR-T programme, 2026-11-27 |
| no      | active | yes   | nobody signed these rules; no card is shown until              |
| no      | shadow | no    | nobody signed these rules; no card is shown until              |
""")


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: f"signed: {row['signed']}, {row['mode']}")
def test_check_config_says_who_signed(row: dict[str, str], tmp_path: Path) -> None:
    environ = in_production(tmp_path, CRS_CDS_MODE=row["mode"])
    if row["signed"] == "yes":
        environ["CRS_CDS_SIGNED"] = str(signed(tmp_path / "signed.json"))
    said = CliRunner().invoke(commands, ["check-config"], env=environ).output
    assert (row["says"] in said, "FAILED CRS_CDS_SIGNED:" in said) == (True, row["fails"] == "yes"), said


REFUSED = rows("""
| file                              | says                                                        |
| none                              | CRS_CDS_SIGNED must name a file that can be read            |
| not JSON                          | CRS_CDS_SIGNED: the file is not a signature                 |
| {"name": ""}                      | CRS_CDS_SIGNED: name must be a text                         |
| {"role": 3}                       | CRS_CDS_SIGNED: role must be a text                         |
| {"date": "soon"}                  | CRS_CDS_SIGNED: date must be a date                         |
| {"content": []}                   | CRS_CDS_SIGNED: content must be a table                     |
| {"content": {"rows": {"M01": 1}}} | CRS_CDS_SIGNED: content and examples may hold only printable |
| {"name": "a\\u001b[2Jb"}           | CRS_CDS_SIGNED: name must be a text                         |
| {"content": {"rows": {"M01": "\\u001b]0;b"}}} | CRS_CDS_SIGNED: content and examples may hold only printable |
| {"content": {"rows": {}}}         | CRS_CDS_SIGNED: hash is not that of content                 |
| {"hash": "0000000000000000"}      | CRS_CDS_SIGNED: hash is not that of content                 |
""")


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["file"])
def test_a_file_that_is_no_signature_stops_the_start(row: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "signed.json"
    if row["file"] == "not JSON":
        file.write_text("signed", encoding="utf-8")
    elif row["file"] != "none":
        signed(file, **json.loads(row["file"]))
    with pytest.raises(SettingsError, match=row["says"]):
        Desk(environ=in_production(tmp_path, CRS_CDS_SIGNED=str(file)))


def test_a_person_signs_the_page_that_they_read(tmp_path: Path) -> None:
    who = ("--name", "Dr. Wei Lin", "--role", "haematologist", "--out", str(tmp_path / "signed.json"))
    said = signing(*who, "--hash", "0123456789abcdef")
    assert (said.exit_code, f"the rules in force are {IN_FORCE.hash}" in said.output) == (2, True)
    assert not (tmp_path / "signed.json").exists()


def test_an_earlier_signature_is_never_overwritten(tmp_path: Path) -> None:
    file = signed(tmp_path / "signed.json")
    said = signing("--name", "x", "--role", "y", "--hash", IN_FORCE.hash, "--out", str(file))
    assert (said.exit_code, "is there already" in said.output) == (2, True)


def test_nothing_changed_since_the_signature(tmp_path: Path) -> None:
    said = signing("--compare", str(signed(tmp_path / "signed.json")))
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "Nothing changed.")


def test_what_changed_is_named_row_by_row_and_card_by_card(tmp_path: Path) -> None:
    old = signed(tmp_path / "signed.json")
    (tmp_path / "site.toml").write_text(
        '[thresholds]\ncrp_fold = 3\n[cards]\nreassess-window = "off"\n', encoding="utf-8"
    )
    said = signing("--compare", str(old), CRS_CDS_THRESHOLDS=str(tmp_path / "site.toml")).output
    assert "  crp_fold: 1.83 1 → 3 1" in said
    assert "  + reassess-window: off" in said
    changed = said.partition("cards of the example patients")[2].splitlines()
    # story 8 loses reassess-window; CRP 2.5-fold of story 5 is no reason for surveillance any more
    assert {line.strip().split(" ")[0] for line in changed if line.startswith("  ") and line[2] != " "} >= {"5", "8"}
    assert any(line.startswith("    - warning infection-surveillance") for line in changed)


def test_a_protocol_of_the_site_is_signed_too(tmp_path: Path) -> None:
    old = signed(tmp_path / "signed.json")
    (tmp_path / "protocol.toml").write_text(
        'name = "protocol 7"\n[third-line]\ntexts = ["anakinra 100 mg every 6 h"]\n', encoding="utf-8"
    )
    said = signing("--compare", str(old), CRS_CDS_PROTOCOL=str(tmp_path / "protocol.toml")).output
    assert "third line:  → anakinra 100 mg every 6 h" in said
