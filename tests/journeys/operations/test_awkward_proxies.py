"""`crs-cds selftest --quick` on Sekmet, through a proxy with one awkward habit at a time: all is as wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from example_patients.programs.commands import seed, selftest
from example_patients.programs.demo import crs_cds, sekmet
from example_patients.programs.selftest import one_scene_a_card
from example_patients.stories.stories import SCENES
from tests.support.awkward_proxy import HABITS, LONGEST, AwkwardProxy, awkward_proxy

pytest.importorskip("sekmet", reason="Sekmet is not installed: `make test` installs it")
pytestmark = pytest.mark.live
LONG_TYPES = {"Observation", "MedicationAdministration", "Procedure", "Condition"}


def run(command: Any, *args: str) -> Result:
    return CliRunner().invoke(command, args, env={"CRS_CDS_TIMEZONE": None})


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwkwardProxy]:
    with sekmet(tmp_path_factory.mktemp("fhir"), 0) as fhir, awkward_proxy(fhir) as found:
        assert run(seed, fhir).exit_code == 0
        yield found


@pytest.fixture(scope="module")
def service(proxy: AwkwardProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    bases = ",".join(proxy.base(habit) for habit in HABITS)
    with crs_cds(tmp_path_factory.mktemp("service"), bases, "UTC", 0) as url:
        yield url


def asked(proxy: AwkwardProxy, service: str, habit: str, *options: str) -> dict[str, Any]:
    proxy.asked[habit].clear()
    said = run(selftest, service, "--fhir", proxy.base(habit), "--json", *options)
    found: dict[str, Any] = json.loads(said.stdout)
    assert [row for row in found["rows"] if not row["ok"]] == []
    assert said.exit_code == 0
    return found


def test_a_quick_run_asks_about_one_scene_for_each_card_and_sends_long_searches_by_post(
    proxy: AwkwardProxy, service: str
) -> None:
    """Sekmet names the parameters in its link `self`, which shows that it read the body."""
    habit = "pages-of-1000"
    rows = asked(proxy, service, habit, "--quick")["rows"]
    cards = {card for _, scene in SCENES for card in scene.wanted}
    assert {card for row in rows if row["how"] == "search" for card in row["wanted"]} == cards
    assert len(rows) == len(one_scene_a_card()) * 2 + 3 < 30
    by_post = [one.address for one in proxy.asked[habit] if one.method == "POST"]
    assert {address.strip("/").partition("/")[0] for address in by_post} == LONG_TYPES
    assert all(address.endswith("/_search") for address in by_post)


@pytest.mark.parametrize("habit", [habit for habit in HABITS if habit != "pages-of-1000"])
def test_a_quick_run_is_as_wanted_through_each_habit(proxy: AwkwardProxy, service: str, habit: str) -> None:
    remarks = asked(proxy, service, habit, "--quick")["remarks"]
    by_get = [one for one in proxy.asked[habit] if len(proxy.base(habit) + one.address) > LONGEST]
    assert by_get, "the templates are long"
    if habit == "rejects-long-addresses":
        assert any(remark.startswith("Prefetch went without conditions,") for remark in remarks)
    if habit == "wants-the-reference":
        assert any("patient=Patient/ID only" in remark for remark in remarks)
