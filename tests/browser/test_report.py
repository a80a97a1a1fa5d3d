"""The report of an evaluation as a file in a real browser: wide, on a phone, printed, and without its script."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from cds_server.evaluation.report.write import write_report
from tests.support.evaluation_rows import PAPER, paper_evaluation

CONFORMANCE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(paper_evaluation(), tmp_path_factory.mktemp("report")).as_uri()


def opened(page: Page, report: str) -> Page:
    page.goto(report)
    page.wait_for_selector(".chart svg")
    return page


def test_it_has_no_fault_for_axe(page: Page, report: str) -> None:
    found = Axe().run(opened(page, report), options=CONFORMANCE)
    assert found.violations_count == 0, found.generate_report()


def test_nor_has_an_aggregate_report(page: Page, tmp_path: Path) -> None:
    aggregate = write_report(paper_evaluation(), tmp_path, aggregate_only=True).as_uri()
    found = Axe().run(opened(page, aggregate), options=CONFORMANCE)
    assert found.violations_count == 0, found.generate_report()
    assert page.locator(".on-each-page").text_content() == "The study's own counts · " + PAPER.note


@pytest.mark.parametrize("width", [1280, 375])
def test_nothing_stands_beside_the_screen(page: Page, report: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert opened(page, report).evaluate("document.documentElement.scrollWidth") <= width


def test_every_picture_is_drawn_and_has_words_and_a_table(page: Page, report: str) -> None:
    opened(page, report)
    charts = page.locator(".chart")
    assert charts.count() == page.locator(".chart svg").count() == 6
    assert all(chart.get_attribute("aria-label") for chart in charts.all())


def test_nothing_is_asked_of_the_network(page: Page, report: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, report)
    assert asked == [report]


def test_without_its_script_the_tables_say_the_same(browser: Browser, report: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(report)
        assert page.get_by_role("cell", name="0.0125").count() == 1
        assert page.locator(".chart").first.is_hidden()


def test_each_printed_page_says_what_it_holds(page: Page, report: str, tmp_path: Path) -> None:
    opened(page, report).emulate_media(media="print")
    line = page.locator(".on-each-page")
    assert line.is_visible()
    style = line.evaluate("line => [getComputedStyle(line).display, getComputedStyle(line).breakInside]")
    assert style == ["table-header-group", "avoid"], "what the browser repeats on each page, above everything else"
    assert "holds patient data" in line.inner_text()
    assert "Constructed data" in line.inner_text()
    assert len(page.pdf(format="A4")) > 50_000


def test_printed_on_a4_no_table_is_cut_off(page: Page, report: str) -> None:
    page.set_viewport_size({"width": 703, "height": 1000})  # 186 mm between the margins
    page.emulate_media(media="print")
    opened(page, report)
    beside = page.evaluate("""[...document.querySelectorAll('table')].filter(
        table => table.getBoundingClientRect().right > innerWidth + 1
    ).map(table => table.parentElement.getAttribute('aria-label'))""")
    assert beside == []


def test_on_a_desk_no_column_of_the_statistics_hides_behind_a_scroll_bar(page: Page, report: str) -> None:
    opened(page, report)
    for heading in ("How well the rise tells them apart", "Shares with tocilizumab and without"):
        table = page.get_by_role("region", name=f"{heading}: table")
        assert table.evaluate("region => region.scrollWidth - region.clientWidth") <= 0, heading


def test_each_grade_of_a_strip_has_a_colour_of_its_own(page: Page, report: str) -> None:
    opened(page, report)
    colours = page.evaluate("""Object.fromEntries([...document.querySelectorAll('.strip li')].map(
        day => [day.className, getComputedStyle(day).backgroundColor + getComputedStyle(day).backgroundImage]
    ))""")
    assert len(colours) >= 3
    assert len(set(colours.values())) == len(colours)
