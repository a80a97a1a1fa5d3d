"""What the answer becomes for the client that asked: the site's own order codes, and Epic's ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from cards.orders.orders import ORDER_NAMES
from cds_server.command_line.program import commands
from cds_server.limits import SettingsError
from cds_server.storage.database import CardRow, engine_for
from example_patients.stories.stories import hook_body
from tests.support.desk import Desk, card, card_ids, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.tokens import ISSUER, KEYS, Token

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SITE = """
[tocilizumab]
codings = [{ system = "urn:oid:1.2.3", code = "12345", display = "tocilizumab IV" }]
[dexamethasone]
codings = [{ system = "urn:oid:1.2.3", code = "777" }]
[blood-culture]
codings = [{ system = "urn:oid:1.2.4", code = "LAB462" }, { system = "urn:oid:1.2.4", code = "LAB463" }]
"""


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., Any]:
    """The answer to a scene for a client of some profile at a site with its own order codes."""
    (tmp_path / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    (tmp_path / "orders.toml").write_text(SITE, encoding="utf-8")

    def ask(scene_id: str, profile: str, hook: str = "patient-view", **more: Any) -> Any:
        file = tmp_path / "clients.toml"
        text = f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = ["https://x/fhir"]\n'
        file.write_text(f'{text}profile = "{profile}"\naudiences = ["urn:crs-cds"]\n', encoding="utf-8")
        _, scene = scene_of(scene_id)
        desk = Desk(now=moment_of(scene), environ={
            "CRS_CDS_CLIENTS": str(file), "CRS_CDS_ORDERS": str(tmp_path / "orders.toml"),
            "CRS_CDS_DATABASE_URL": f"sqlite:///{tmp_path / 'log.sqlite'}"})  # fmt: skip
        body = {**hook_body(scene, desk.now, prefetch=whole_prefetch(chart_of(scene_id)), **more), "hook": hook}
        bearer = {"Authorization": f"Bearer {Token(claims={'aud': 'urn:crs-cds'}).text()}"}
        return desk.client.post(f"/cds-services/crs-{hook}", json=body, headers=bearer)

    return ask


def codings(answer: Any, card_id: str) -> list[list[tuple[str, str]]]:
    found = []
    for suggestion in card(answer, card_id)["suggestions"]:
        (action,) = suggestion["actions"]
        concept = action["resource"].get("medicationCodeableConcept") or action["resource"]["code"]
        found.append([(c["system"], c["code"]) for c in concept["coding"]])
    return found


def test_the_site_s_codings_stand_beside_the_standard_one(asked: Callable[..., Any]) -> None:
    answer = asked("3", "standard")
    assert codings(answer, "toci-recommended") == [[(RXNORM, "612865"), ("urn:oid:1.2.3", "12345")]]
    surveillance = codings(asked("5", "standard", "order-sign"), "infection-surveillance")
    assert [("http://loinc.org", "600-7"), ("urn:oid:1.2.4", "LAB462"), ("urn:oid:1.2.4", "LAB463")] in surveillance
    assert any(len(found) == 1 for found in surveillance), "an order without codes of the site stays as it is"


def test_epic_gets_topics_of_letters_and_digits_rxnorm_as_an_oid_and_one_action_each(
    asked: Callable[..., Any], tmp_path: Path
) -> None:
    answer = asked("3", "epic")
    assert card_ids(answer) == ("tocirecommended", "crsgrade")
    (found,) = codings(answer, "tocirecommended")
    assert found == [("urn:oid:2.16.840.1.113883.6.88", "612865"), ("urn:oid:1.2.3", "12345")]
    for shown in asked("5", "epic", "order-sign").get_json()["cards"]:
        assert shown["source"]["topic"]["code"].isalnum()
        assert shown.get("selectionBehavior", "any") == "any"
        assert all(len(suggestion["actions"]) == 1 for suggestion in shown.get("suggestions", ()))
    engine = engine_for(f"sqlite:///{tmp_path / 'log.sqlite'}")
    with Session(engine) as session:
        assert "toci-recommended" in set(session.scalars(select(CardRow.card))), "the log has our own names"
    engine.dispose()


def drafted(resource: dict[str, Any]) -> dict[str, Any]:
    _, scene = scene_of("3")
    entry = [{"resource": {**resource, "id": "d1"}}]
    return {"patientId": scene.patient_id, "userId": "Practitioner/1", "draftOrders": {"entry": entry}}


def test_what_was_accepted_comes_back_with_the_site_s_code_and_is_not_suggested_again(
    asked: Callable[..., Any],
) -> None:
    order = card(asked("3", "epic"), "tocirecommended")["suggestions"][0]["actions"][0]["resource"]
    again = asked("3", "epic", hook="order-sign", context=drafted(order))
    assert "tocirecommended" in card_ids(again)
    assert not any("suggestions" in shown for shown in again.get_json()["cards"])


def test_an_order_that_changes_a_draft_keeps_the_client_s_own_codings(asked: Callable[..., Any]) -> None:
    order = card(asked("3", "standard"), "toci-recommended")["suggestions"][0]["actions"][0]["resource"]
    order["medicationCodeableConcept"]["coding"] = [{"system": RXNORM, "code": "612865"}]
    order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] = 800
    checked = asked("3", "epic", hook="order-sign", context=drafted(order))
    assert codings(checked, "tocidosecheck") == [[(RXNORM, "612865")]]


BAD = (
    ('[tocilizumabb]\ncodings = []', "tocilizumabb is not an order; the orders are tocilizumab, dexamethasone"),
    ('[tocilizumab]\ncode = "x"', "[tocilizumab] must hold `codings`, a list, and no other field"),
    ('[tocilizumab]\ncodings = [{ code = "x" }]', "codings[0] must hold system and code"),
    ('[tocilizumab]\ncodings = [{ system = "x", code = "y" }]', "codings[0].system must be a URI"),
    ('[tocilizumab]\ncodings = [{ system = "urn:x", code = 5 }]', "each field must be a text"),
    ('[tocilizumab]\ncodings = [{ system = "urn:x", code = " " }]', "each field must be a text"),
    ("[tocilizumab\n", "not TOML"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "says"), BAD, ids=[says for _, says in BAD])
def test_an_orders_file_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "orders.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Desk(environ={"CRS_CDS_ORDERS": str(tmp_path / "orders.toml")})
    assert says in str(caught.value)


def test_the_operations_page_names_every_order_that_may_have_codes() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in ORDER_NAMES)


def test_the_templates_to_type_in_are_those_of_discovery() -> None:
    said = CliRunner().invoke(commands, ["check-config", "--prefetch"], env={"CRS_CDS_ENV": "development"}).output
    templates = (
        Desk(environ={"CRS_CDS_VALUE_SETS": ""}).client.get("/cds-services").get_json()["services"][0]["prefetch"]
    )
    lines = [line.strip() for line in said.splitlines()]
    assert dict(zip(lines[::2], lines[1::2], strict=True)) == templates
