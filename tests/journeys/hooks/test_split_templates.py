"""Prefetch templates in parts: `crs-cds check-config --prefetch --max-length N` prints them, a call takes them.

A part that does not come is missed: its codes may stand for the one thing that matters.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from click.testing import CliRunner

from cds_server.command_line.program import commands
from cds_server.prefetch_parts import encoded_length
from example_patients.client.ehr import filled, filled_prefetch
from example_patients.stories.stories import SCENES, hook_body
from tests.support.desk import Desk, bundle, card_ids, chart_of, moment_of, scene_of, without_uuids
from tests.support.fhir_wire import BASE, FhirWire, Resource

INTEGRATE = Path(__file__).parents[3] / "docs" / "integrate.md"
FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def printed(*options: str) -> dict[str, str]:
    found = CliRunner().invoke(commands, ["check-config", "--prefetch", *options], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    return dict(zip(lines[::2], (line.strip() for line in lines[1::2]), strict=True))


def sent(templates: dict[str, str], chart: list[Resource], patient_id: str) -> dict[str, Any]:
    with responses.RequestsMock() as mock, requests.Session() as session:
        FhirWire(chart).on(mock)
        return filled_prefetch(templates, BASE, patient_id, session)


def answered(scene_id: str, prefetch: dict[str, Any]) -> Any:
    _, scene = scene_of(scene_id)
    now = moment_of(scene)
    return Desk(now=now).post(hook_body(scene, now, "patient-view", prefetch=prefetch))


@pytest.mark.parametrize("longest", [400, 1000, 2000])
def test_no_template_is_longer_and_together_they_ask_for_every_code(longest: int) -> None:
    whole, split = printed(), printed("--max-length", str(longest))
    assert max(len(filled(one, "{{context.patientId}}")) for one in split.values()) <= longest + len("%7B%7B%7D%7D")
    for key, template in whole.items():
        parts = [split[name] for name in split if name == key or name.startswith(f"{key}-")]
        codes = [code for part in parts for code in codes_in(part)]
        assert codes == codes_in(template)
        assert {re.sub(r"code=[^&]*", "", part) for part in parts} == {re.sub(r"code=[^&]*", "", template)}
        assert (len(parts) == 1) == (encoded_length(template) <= longest)


def codes_in(template: str) -> list[str]:
    found = re.search(r"[?&]code=([^&]*)", template)
    return found[1].split(",") if found else []


@pytest.mark.parametrize("scene_id", [scene.id for _, scene in SCENES])
def test_a_call_with_split_keys_is_answered_as_one_with_whole_keys(scene_id: str) -> None:
    _, scene = scene_of(scene_id)
    chart = chart_of(scene_id)
    whole = answered(scene_id, sent(printed(), chart, scene.patient_id))
    assert whole.status_code == 200
    split = answered(scene_id, sent(printed("--max-length", "400"), chart, scene.patient_id))
    assert without_uuids(split.get_json()) == without_uuids(whole.get_json())


@pytest.mark.parametrize("part", ["left out", "failed", "a first page"])
def test_a_part_that_does_not_come_whole_is_missed(part: str) -> None:
    """All that shows an infusion but one part of the coded procedures: without a server to ask, that is a 412."""
    _, scene = scene_of("16")
    prefetch = sent(printed("--max-length", "400"), chart_of("16"), scene.patient_id)
    assert card_ids(answered("16", prefetch)) == ()
    name = next(name for name in prefetch if name.startswith("cellTherapyProcedures-2-of-"))
    if part == "left out":
        del prefetch[name]
    else:
        next_page = bundle([], link=[{"relation": "next", "url": f"{BASE}?page=2"}])
        prefetch[name] = FAILED if part == "failed" else next_page
    assert answered("16", prefetch).status_code == 412


def test_a_length_that_one_code_does_not_fit_is_refused_with_the_key() -> None:
    found = CliRunner().invoke(commands, ["check-config", "--prefetch", "--max-length", "60"])
    assert found.exit_code == 2
    assert "--max-length is too short for il6Crp." in found.output
    alone = CliRunner().invoke(commands, ["check-config", "--max-length", "500"])
    assert (alone.exit_code, "goes with --prefetch" in alone.output) == (2, True)


def test_the_page_for_integrators_names_the_longest_template() -> None:
    longest = max(printed().items(), key=lambda one: encoded_length(one[1]))
    said = f"`{longest[0]}`, with {len(longest[1]):,} characters and {encoded_length(longest[1]):,} once it is percent-encoded"
    assert said in " ".join(INTEGRATE.read_text(encoding="utf-8").split())
