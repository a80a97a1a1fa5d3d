"""The alerts for Prometheus: each fires and stays quiet where it should, names metrics that exist, and has its entry in
the runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from cds_server.hooks.services import SERVICES
from cds_server.operations.metrics import Metrics

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "crs-cds.rules.yml"
PROMTOOL = shutil.which("promtool")
ALERTS: Mapping[str, dict[str, Any]] = {
    rule["alert"]: rule for rule in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
}
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: `make test` does where it may")


class Case(NamedTuple):
    """Series with one value a minute (`0+2x60`: from 0 up by 2, 60 times), or one an hour where the time is in hours, and
    whether the alert fires at that time."""

    alert: str
    fires: bool
    at: str
    series: Mapping[str, str]
    labels: Mapping[str, str] = {}

    @property
    def step(self) -> str:
        return f"1{self.at[-1]}"


CALLS = 'calls_total{address="call crs-order-sign",status="200"}'
FAILED = 'calls_total{address="call crs-order-sign",status="500"}'
UNREAD = 'silences_total{service="crs-order-sign",reason="unreadable-record"}'
ASKED, ERRORS = 'fhir_requests_total{type="Observation"}', 'fhir_errors_total{type="Observation",kind="late"}'
AT_ONCE = 'call_seconds_bucket{address="call crs-order-sign",le="4.0"}'
IN_ALL = 'call_seconds_bucket{address="call crs-order-sign",le="+Inf"}'
IN_5 = 'call_seconds_bucket{address="call crs-order-sign",le="5.0"}'
BUSY, LAUNCHES = 'refusals_total{problem="busy",reason=""}', 'refusals_total{problem="busy",reason="launches"}'
REPLAY = 'refusals_total{problem="untrusted",reason="replay"}'
METRICS = 'refusals_total{problem="untrusted",reason="metrics"}'
SHOWN = 'cards_total{service="crs-order-sign",card="crs-grade",indicator="info",shown="yes"}'
ONE, OTHER = 'in_force{version="1.0.0",rules="a"}', 'in_force{version="1.0.1",rules="a"}'
CIRCUIT = 'circuit_open{base="https://fhir.example.org"}'
NOT_ASSESSED = 'not_assessed_total{reason="patient_unknown"}'
LOST = 'log_losses_total{what="decision"}'
GONE = 'log_losses_total{what="file"}'
STORED, UNMATCHED = 'feedback_total{outcome="stored"}', 'feedback_total{outcome="unmatched"}'
UP = 'up{job="crs-cds",instance="a"}'
HERE = {"job": "crs-cds", "instance": "a"}
OBSERVATION = {"type": "Observation", "kind": "late"}

CASES = (
    Case("CrsCdsDown", True, "10m", {UP: "0x10"}, HERE),
    Case("CrsCdsDown", True, "10m", {}, {"job": "crs-cds"}),
    Case("CrsCdsDown", False, "10m", {UP: "1x10"}),
    Case("CrsCdsFailing", True, "20m", {FAILED: "0x10 1x20"}),
    Case("CrsCdsFailing", False, "30m", {FAILED: "1x40"}),
    Case("CrsCdsRecordsUnread", True, "50m", {UNREAD: "0+1x60", CALLS: "0+10x60"}),
    Case("CrsCdsRecordsUnread", False, "50m", {UNREAD: "0+1x60", CALLS: "0+100x60"}),
    Case("CrsCdsFhirErrors", True, "50m", {ERRORS: "0+2x60", ASKED: "0+10x60"}, OBSERVATION),
    Case("CrsCdsFhirErrors", False, "50m", {ERRORS: "0+1x60", ASKED: "0+100x60"}),
    Case("CrsCdsCircuitOpen", True, "5m", {CIRCUIT: "1x10"}, {"base": "https://fhir.example.org"}),
    Case("CrsCdsCircuitOpen", False, "5m", {CIRCUIT: "1 0x10"}),
    Case("CrsCdsSlow", True, "50m", {AT_ONCE: "0+80x60", IN_5: "0+100x60", IN_ALL: "0+100x60"}),
    Case("CrsCdsSlow", False, "50m", {AT_ONCE: "0+99x60", IN_5: "0+100x60", IN_ALL: "0+100x60"}),
    Case("CrsCdsBusy", True, "20m", {BUSY: "0x10 3x20"}),
    Case("CrsCdsBusy", False, "20m", {BUSY: "0x30", LAUNCHES: "0x10 3x20"}),
    Case("CrsCdsUntrusted", True, "40m", {REPLAY: "0+5x60", CALLS: "0+10x60"}),
    Case("CrsCdsUntrusted", False, "40m", {REPLAY: "0+1x60", METRICS: "0+9x60", CALLS: "0+10x60"}),
    Case("CrsCdsNotAssessed", True, "50m", {NOT_ASSESSED: "0+1x60", CALLS: "0+10x60"}, {"reason": "patient_unknown"}),
    Case("CrsCdsNotAssessed", False, "50m", {NOT_ASSESSED: "0+1x60", CALLS: "0+100x60"}),
    Case("CrsCdsSilent", True, "24h", {CALLS: "7x30"}),
    Case("CrsCdsSilent", False, "24h", {CALLS: "0x16 1x14"}),
    Case("CrsCdsNoCards", True, "144h", {SHOWN: "0+60x24 1440x130"}),
    Case("CrsCdsNoCards", False, "144h", {SHOWN: "0+60x160"}),
    Case("CrsCdsManyCards", True, "192h", {SHOWN: "0+60x168 10080+600x24"}),
    Case("CrsCdsManyCards", False, "192h", {SHOWN: "0+60x192"}),
    Case("CrsCdsRulesUnsigned", True, "20m", {"rules_unsigned": "1x30"}),
    Case("CrsCdsRulesUnsigned", False, "20m", {"rules_unsigned": "0x30"}),
    Case("CrsCdsTwoVersions", True, "90m", {ONE: "1x100", OTHER: "1x100"}),
    Case("CrsCdsTwoVersions", False, "90m", {ONE: "1x100", OTHER: "1x20 stale"}),
    Case("CrsCdsDecisionsLost", True, "20m", {LOST: "0x10 1x20"}),
    Case("CrsCdsDecisionsLost", False, "20m", {LOST: "4x30"}),
    Case("CrsCdsLogDegraded", True, "10m", {"log_degraded": "1x20"}),
    Case("CrsCdsLogDegraded", False, "10m", {"log_degraded": "1x3 0x20"}),
    Case("CrsCdsLogFileGone", True, "20m", {GONE: "0x10 1x20"}),
    Case("CrsCdsLogFileGone", False, "20m", {GONE: "0x30", LOST: "0x10 1x20"}),
    Case("CrsCdsSpooled", True, "10m", {"spooled_decisions": "3x20"}),
    Case("CrsCdsSpooled", False, "10m", {"spooled_decisions": "3x2 0x20"}),
    Case("CrsCdsSpoolUnreadable", True, "10m", {"spool_unreadable": "1x20"}),
    Case("CrsCdsSpoolUnreadable", False, "10m", {"spool_unreadable": "1x2 0x20", "spooled_decisions": "3x20"}),
    Case("CrsCdsLogLate", True, "40m", {'log_late_total{what="decision"}': "0+1x60"}),
    Case("CrsCdsLogLate", False, "40m", {'log_late_total{what="decision"}': "0x20 3x40"}),
    Case("CrsCdsFeedbackUnmatched", True, "28h", {UNMATCHED: "0+60x30", STORED: "0+120x30"}),
    Case("CrsCdsFeedbackUnmatched", False, "28h", {UNMATCHED: "0x30", STORED: "0+120x30"}),
    Case("CrsCdsLaunchesRefused", True, "20m", {LAUNCHES: "0x10 1x20"}),
    Case("CrsCdsLaunchesRefused", False, "20m", {LAUNCHES: "0x30", BUSY: "0x10 1x20"}),
)


def as_promtool_has_it(case: Case) -> dict[str, Any]:
    rule = ALERTS[case.alert]
    says = {name: re.sub(r"{{ \$labels\.(\w+) }}", lambda m: case.labels[m[1]], text)
            for name, text in rule["annotations"].items()} if case.fires else {}  # fmt: skip
    fired = [{"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": says}] if case.fires else []
    return {
        "interval": case.step,
        "input_series": [
            {"series": name if name.startswith("up") else f"crs_cds_{name}", "values": values}
            for name, values in case.series.items()
        ],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": fired}],
    }


def promtool(*words: str) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_promtool
def test_prometheus_can_read_the_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", str(RULES))


@needs_promtool
@pytest.mark.parametrize("step", ["1m", "1h"])
def test_each_alert_fires_and_is_quiet_where_it_should(step: str, tmp_path: Path) -> None:
    file = tmp_path / "cases.yml"
    tests = [as_promtool_has_it(case) for case in CASES if case.step == step]
    cases = {"rule_files": [str(RULES)], "evaluation_interval": step, "tests": tests}
    file.write_text(yaml.safe_dump(cases), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(file))


@needs_promtool
def test_a_case_that_does_not_fire_is_noticed(tmp_path: Path) -> None:
    case = as_promtool_has_it(CASES[0]) | {"input_series": [{"series": UP, "values": "1x10"}]}
    file = tmp_path / "cases.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [case]}), encoding="utf-8")
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", str(file))


def test_each_alert_has_a_firing_and_a_quiet_case() -> None:
    assert {(case.alert, case.fires) for case in CASES} == {(name, fires) for name in ALERTS for fires in (True, False)}


def test_each_alert_watches_metrics_that_the_service_has() -> None:
    page = Metrics("0", "0", tuple(SERVICES)).page().decode()
    made = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    watched = {name for rule in ALERTS.values() for name in re.findall(r"crs_cds_\w+", rule["expr"])}
    assert {name for name in watched if name.removesuffix("_bucket") not in made} == set()


def test_the_series_of_what_happens_seldom_are_there_from_the_start() -> None:
    """`increase` sees the first event of a series only if the series was 0 before."""
    page = Metrics("0", "0", tuple(SERVICES)).page().decode()
    seldom = (FAILED, UNREAD, BUSY, LAUNCHES, LOST, UNMATCHED)
    there = {frozenset(re.findall(r'\w+="[^"]*"|^\w+', line)) for line in page.splitlines() if line.startswith("crs")}
    assert [name for name in seldom if frozenset(re.findall(r'\w+="[^"]*"|^\w+', f"crs_cds_{name}")) not in there] == []


def test_the_runbook_has_an_entry_for_each_alert_and_no_other() -> None:
    entries = re.split(r"^### ", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    by_name = {entry.splitlines()[0]: entry for entry in entries if entry.startswith("CrsCds")}
    assert list(by_name) == list(ALERTS)
    for name, entry in by_name.items():
        assert all(f"**{part}**" in entry for part in ("It means", "Look at", "Do")), name
        assert ALERTS[name]["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
