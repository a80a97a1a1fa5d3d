"""The same stories once more against a real FHIR server (Sekmet) and crs-cds under gunicorn, over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from example_patients.demo import ask, card_ids, crs_cds, load, sekmet
from example_patients.stories import Scene
from tests.journeys.desk import SCENES

pytest.importorskip("sekmet", reason="Sekmet is not installed: `make test` installs it")
pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, requests.Session]]:
    folder: Path = tmp_path_factory.mktemp("live")
    with sekmet(folder) as fhir_base, crs_cds(folder, fhir_base, "UTC") as service, requests.Session() as session:
        load(fhir_base, session, datetime.now(UTC), UTC)
        yield service, fhir_base, session


@pytest.mark.parametrize("prefetch", [True, False], ids=["prefetch", "search"])
@pytest.mark.parametrize("scene", [scene for _, scene in SCENES], ids=[scene.id for _, scene in SCENES])
def test_scene(scene: Scene, servers: tuple[str, str, requests.Session], *, prefetch: bool) -> None:
    service, fhir_base, session = servers
    assert card_ids(ask(service, fhir_base, session, scene, prefetch=prefetch)) == scene.wanted
