"""A real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# the same browser without windows and settings, at half the work
SHELL = shutil.which("chromium-headless-shell") or CHROMIUM


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if SHELL is None:
        pytest.skip("Chromium is not installed: `make test` does where it may")
    with sync_playwright() as playwright:
        # as root, and in a container, its own sandbox cannot be had
        chromium = playwright.chromium.launch(executable_path=SHELL, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC", locale="en-GB") as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """An empty page; a script's error or what the Content-Security-Policy forbids fails the test."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    assert wrong == []
