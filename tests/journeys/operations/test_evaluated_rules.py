"""The rules that an evaluation replays: the site's own, a second set beside them, and a user who dismisses cards."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.engine import EngineError, processes
from cds_server.evaluation.evaluate import Wanted, evaluate
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.workplace import Workplace
from cds_server.site_rules import site_rules
from tests.support.desk import EXAMPLE_VALUE_SETS, ZONE
from tests.support.evaluations import SILENT, chart, export
from tests.support.program import crs_cds, written

PROTOCOL = 'name = "Ward 7"\n[corticosteroids]\ndexamethasone_every = "12 h"\n'
WITHOUT_A_CARD = '[cards]\ntoci-guideline = "off"\n'
IN_SHADOW = '[cards]\nsteroid-early-low-il6 = "shadow"\n'


def report(folder: Path, *options: str, **environ: str) -> tuple[str, Path]:
    """The command's own words and the folder that it wrote, for the first story."""
    exported = export(folder / "export", chart("1a", "a"))
    out = folder / "report"
    result = crs_cds("evaluate", str(exported), "--out", str(out), "--workers", "1", *options, **environ)
    assert result.exit_code == 0, result.output
    return result.output, out


def table(folder: Path, name: str, by: str) -> dict[str, dict[str, str]]:
    """A CSV of a report, its rows by one of its columns."""
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return {row[by]: row for row in csv.DictReader(file)}


def page(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_protocol_of_the_site_is_replayed_and_named(tmp_path: Path) -> None:
    file = written(tmp_path, "protocol.toml", PROTOCOL)
    said, out = report(tmp_path, CRS_CDS_PROTOCOL=file)
    assert f"rules {site_rules(None, EXAMPLE_VALUE_SETS, Path(file)).hash}" in said
    assert table(out, "thresholds", "threshold")["dexamethasone_every (h)"]["value"] == "12"


def test_a_worker_that_reads_other_rules_ends_the_run(tmp_path: Path) -> None:
    """The command stands for the rules of a report: a worker elsewhere may hold another file, or none."""
    protocol = Path(written(tmp_path, "protocol.toml", PROTOCOL))
    rules = site_rules(None, EXAMPLE_VALUE_SETS, protocol)
    files = RulesFrom(None, EXAMPLE_VALUE_SETS, protocol)
    folder = export(tmp_path / "export", chart("3", "a"))
    wanted = Wanted((folder,), Protocol(), (rules,), (files,), ZONE, "Asia/Shanghai", "0")
    assert evaluate(wanted, Workplace(tmp_path / "work"), processes(1), SILENT).courses
    other = replace(wanted, from_files=(replace(files, protocol=None),))
    with pytest.raises(EngineError, match="reads other rules"):
        evaluate(other, Workplace(tmp_path / "other"), processes(1), SILENT)


def test_two_rule_sets_are_asked_at_the_same_moments(tmp_path: Path) -> None:
    _, out = report(tmp_path, "--compare", written(tmp_path, "other.toml", WITHOUT_A_CARD))
    compared = table(out, "compare", "card")
    guideline = compared["toci-guideline"]
    assert (guideline["shown"], guideline["shown_other"]) == ("2", "0")
    assert (guideline["days_only_here"], guideline["days_only_other"]) == ("1", "0")
    same = {name: row for name, row in compared.items() if name not in ("toci-guideline", "all-but-the-grade")}
    assert all(row["shown"] == row["shown_other"] for row in same.values())
    assert table(out, "changed_rules", "rule")["toci-guideline"]["other"] == "off"
    with (out / "moments.csv").open(encoding="utf-8") as file:
        moments = [(row["rules"], row["at"]) for row in csv.DictReader(file)]
    assert [at for rules, at in moments if rules == "1"] == [at for rules, at in moments if rules == "2"]


def test_the_second_rule_set_keeps_the_codes_and_the_protocol_of_the_site(tmp_path: Path) -> None:
    protocol, other = written(tmp_path, "protocol.toml", PROTOCOL), written(tmp_path, "other.toml", WITHOUT_A_CARD)
    _, out = report(tmp_path, "--compare", other, CRS_CDS_PROTOCOL=protocol)
    rules = site_rules(Path(other), EXAMPLE_VALUE_SETS, Path(protocol))
    assert f"other rules: {rules.hash}" in page(out)
    assert rules.hash != site_rules(Path(other), EXAMPLE_VALUE_SETS).hash


def test_a_second_rule_set_that_is_none_names_its_option(tmp_path: Path) -> None:
    exported = export(tmp_path / "export", chart("3", "a"))
    other = written(tmp_path, "other.toml", "[numbers]\nfever = 39\n")
    result = crs_cds("evaluate", str(exported), "--out", str(tmp_path / "out"), "--compare", other)
    assert (result.exit_code, "--compare: " in result.stderr, "is not a section" in result.stderr) == (2, True, True)


def test_a_user_who_dismisses_cards_sees_fewer_and_the_page_says_so(tmp_path: Path) -> None:
    _, before = report(tmp_path / "all")
    _, after = report(tmp_path / "held", "--hold", "8")
    every, fewer = table(before, "card_states", "card"), table(after, "card_states", "card")
    assert {name: int(row["active"]) for name, row in every.items()} == {
        name: int(row["active"]) + int(row["held"]) for name, row in fewer.items()
    }
    assert int(fewer["infection-surveillance"]["held"]) == 2
    assert fewer["severe-crs"]["held"] == "0", "a card that must not wait is shown each time"
    assert "A lower bound: one user" in page(after)
    assert "A lower bound" not in page(before)


def test_cards_in_shadow_count_unless_the_rates_are_asked_as_configured(tmp_path: Path) -> None:
    thresholds = written(tmp_path, "site.toml", IN_SHADOW)
    _, as_if_live = report(tmp_path / "live", CRS_CDS_THRESHOLDS=thresholds)
    _, configured = report(tmp_path / "own", "--as-configured", CRS_CDS_THRESHOLDS=thresholds)
    assert table(as_if_live, "card_rates", "card")["steroid-early-low-il6"]["shown"] == "7"
    assert "steroid-early-low-il6" not in table(configured, "card_rates", "card")
    states = [table(out, "card_states", "card")["steroid-early-low-il6"] for out in (as_if_live, configured)]
    assert [row["shadow"] for row in states] == ["7", "7"]
