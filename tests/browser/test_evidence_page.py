"""The page `/evidence` in a browser: readable on a phone and by a screen reader, and a card's link lands in its section."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from werkzeug.serving import make_server

from cds_server.app import create_app

CONFORMANCE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = create_app({"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": "sqlite://"})
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/evidence"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_scrolls_sideways_and_axe_finds_nothing(address: str, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 812})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, options=CONFORMANCE)
    assert found.violations_count == 0, found.generate_report()


def test_the_link_of_a_card_lands_in_its_section(address: str, page: Page) -> None:
    page.goto(f"{address}#steroid-early-low-il6")
    section = page.locator("#steroid-early-low-il6")
    assert "withholding tocilizumab" in (section.text_content() or "")
    box = section.bounding_box()
    assert box is not None
    assert -1 <= box["y"] < 300
