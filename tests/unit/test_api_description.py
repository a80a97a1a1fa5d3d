"""The API description names every address, and every answer is what it says."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from example_patients.stories.stories import Scene, Story, hook_body, record
from order_desk.routes import desk as order_desk
from tests.support.api_description import FILE, document, text
from tests.support.desk import SCENES, ZONE, Desk, moment_of, whole_prefetch
from tests.support.tables import NOW

DESCRIPTION = document()
SMART = {"/smart/launch", "/smart/callback", "/smart/course", "/smart/leave"}


def test_the_description_is_not_stale() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: make docs"


def test_the_description_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(DESCRIPTION).validate()


def addresses(rules: Any) -> set[tuple[str, str]]:
    """The addresses of a service with their methods; what stands for one service or file stands for all of them."""
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule).replace("//", "/"), method)
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_every_address_is_described_and_no_other(tmp_path: Any) -> None:
    (tmp_path / "smart.toml").write_text(
        '[[server]]\nfhir_base = "https://fhir.example.org/r4"\nclient_id = "a"\nauthentication = "public"\n',
        encoding="utf-8",
    )
    app = Desk(environ={
        "CRS_CDS_FHIR_SERVERS": "https://fhir.example.org/r4", "CRS_CDS_SMART": str(tmp_path / "smart.toml"),
        "CRS_CDS_SESSION_KEY": "s" * 40,
    }).client.application  # fmt: skip
    app.register_blueprint(order_desk)
    described = {
        (re.sub("/cds-services/[^/]+", "/cds-services/{service_id}", path), method.upper())
        for path, methods in DESCRIPTION["paths"].items()
        for method in methods
    }
    assert described == {(path.replace("path:", ""), method) for path, method in addresses(app.url_map.iter_rules())}


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]},
                                format_checker=Draft202012Validator.FORMAT_CHECKER)  # fmt: skip


def is_as_described(name: str, answer: Any) -> None:
    assert [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(answer)] == []


@pytest.mark.parametrize(("story", "scene"), SCENES, ids=[scene.id for _, scene in SCENES])
def test_the_cards_of_every_scene_are_as_described(story: Story, scene: Scene) -> None:
    desk = Desk(now=moment_of(scene))
    body = hook_body(scene, desk.now, prefetch=whole_prefetch(record(story, scene, desk.now, ZONE)))
    answer = desk.post(body)
    is_as_described(f"{'Selections' if scene.hook == 'order-select' else 'Drafts'}Call", body)
    assert bool(answer.get_json()["cards"]) is bool(scene.wanted)
    is_as_described("CardsAnswer", answer.get_json())


@pytest.mark.parametrize(("path", "status", "name"), [
    ("/cds-services", 200, "Discovery"),
    ("/health/live", 200, "Live"),
    ("/health/ready", 200, "Ready"),
    ("/nowhere", 404, "OperationOutcome"),
])  # fmt: skip
def test_an_answer_is_as_described(path: str, status: int, name: str) -> None:
    answer = Desk(now=NOW).client.get(path)
    assert answer.status_code == status
    is_as_described(name, answer.get_json())


def test_an_answer_that_is_not_as_described_is_noticed() -> None:
    with pytest.raises(AssertionError, match="severity"):
        is_as_described("OperationOutcome", {"resourceType": "OperationOutcome", "issue": [{"code": "invalid"}]})


def test_the_service_serves_the_description() -> None:
    assert Desk(now=NOW).client.get("/openapi.json").get_data(as_text=True) == text()
