"""`make screenshots`: the pictures of the README, taken of the demo's own servers into `docs/images/`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from cds_server.evaluation.report.write import write_report
from example_patients.programs.demo import crs_cds, sekmet
from tests.browser.conftest import CHROMIUM
from tests.browser.small_png import small_png
from tests.support.evaluation_rows import paper_evaluation

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 200_000
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 375, "height": 740}
TALL, COURSE = {"width": 1280, "height": 1600}, {"width": 1280, "height": 1340}


def order_desk(page: Page, url: str) -> None:
    """Patient A when tocilizumab is drafted and one of the cards is overridden, and the card of a high IL-6 rise with its evidence."""
    page.set_viewport_size(DESKTOP)
    page.goto(f"{url}/demo")
    expect(page.get_by_role("status")).to_contain_text("patient-view: 2 cards")
    page.get_by_role("button", name="Day 7, 09:45").click()
    expect(page.locator("#now")).to_contain_text("day 7, 09:45")
    page.wait_for_load_state("networkidle")  # the status of the day before reads the same
    page.get_by_role("button", name="Tocilizumab 560 mg IV", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("order-select: 3 cards")
    second = page.locator("#cards article").nth(1)
    second.get_by_role("combobox").select_option(index=2)
    second.get_by_role("button", name="Override").click()
    expect(page.get_by_role("status")).to_contain_text("Overridden: ")
    page.evaluate("scrollTo(0, 0)")
    take(page, "order-desk.png")
    page.set_viewport_size(PHONE)
    page.get_by_role("link", name="To the cards").click()
    take(page, "order-desk-phone.png")
    page.set_viewport_size(TALL)
    page.get_by_label("Story", exact=True).select_option("3")
    recommended = page.locator("#cards article", has_text="tocilizumab 496 mg IV")
    keep("card.png", recommended.screenshot())


def course(page: Page, url: str) -> None:
    """The course of Patient A up to the last scene."""
    page.set_viewport_size(DESKTOP)
    page.goto(f"{url}/demo")
    page.get_by_role("button", name="Day 9, 15:00").click()
    expect(page.get_by_role("status")).to_contain_text("patient-view: 3 cards")
    address = page.get_by_role("link", name="The course as a picture").get_attribute("href")
    for name, size in (("course.png", COURSE), ("course-phone.png", PHONE)):
        page.set_viewport_size(size)
        answer = page.goto(f"{url}{address}", wait_until="networkidle")
        if answer is None or answer.status != 200:
            raise RuntimeError(f"{address} has no page to take a picture of")
        take(page, name)


def evaluation(page: Page, folder: Path) -> None:
    """Page one of a report, of the study's constructed patients."""
    page.set_viewport_size(COURSE)
    page.goto(write_report(paper_evaluation(), folder).as_uri())
    take(page, "evaluation.png")


def take(page: Page, name: str) -> None:
    keep(name, page.screenshot())


def keep(name: str, screenshot: bytes) -> None:
    picture = small_png(screenshot)
    (IMAGES / name).write_bytes(picture)
    print(f"{name}: {len(picture) // 1000} kB")
    if len(picture) > MOST_BYTES:
        raise RuntimeError(f"{name} is larger than {MOST_BYTES // 1000} kB")


def main() -> None:
    if CHROMIUM is None:
        sys.exit("Chromium is not installed: `make programs` does where it may")
    with (
        tempfile.TemporaryDirectory(prefix="crs-cds-screenshots-") as name,
        sekmet(Path(name), 0) as fhir_base,
        crs_cds(Path(name), fhir_base, "UTC", 0, fhir_is_ours=True) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-lcd-text"]
        )
        expect.set_options(timeout=30_000)  # a busy machine is no fault of the page
        with browser.new_page(timezone_id="UTC", locale="en-GB") as page:
            order_desk(page, url)
            course(page, url)
            evaluation(page, Path(name) / "report")


if __name__ == "__main__":
    main()
