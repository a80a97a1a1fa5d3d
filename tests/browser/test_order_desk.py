"""The order desk in a real browser, with a real FHIR server: the story from the order to the feedback in the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from cds_server.storage.database import CardRow, FeedbackRow, engine_for
from example_patients.programs.demo import crs_cds, sekmet
from tests.support.tables import name_of, rows

pytest.importorskip("sekmet", reason="Sekmet is not installed: `make test` installs it")
pytestmark = pytest.mark.live
DESK_PATIENT = "crs-cds-example-desk-{}"
MARKUP = "<img src=x onerror=alert(1)><b>bold</b> **stars** [link](javascript:alert(1))"


@dataclass(frozen=True)
class Demo:
    url: str
    fhir: str
    database: str

    def kept(self) -> list[tuple[str, str, list[str]]]:
        """The feedback in the decision log that was matched to a card: the card, the outcome, the reasons."""
        engine = engine_for(self.database)
        with Session(engine) as session:
            found = session.execute(
                select(CardRow.card, FeedbackRow.outcome, FeedbackRow.reasons)
                .join(FeedbackRow, FeedbackRow.card_uuid == CardRow.uuid)
                .where(FeedbackRow.matched)
                .order_by(FeedbackRow.received_at)
            ).all()
        engine.dispose()
        return [(card, outcome, reasons) for card, outcome, reasons in found]

    def write(self, resource: dict[str, Any]) -> None:
        url = f"{self.fhir}/{resource['resourceType']}/{resource['id']}"
        assert requests.put(url, json=resource, timeout=30).ok

    def active_orders(self, story: str) -> list[str]:
        query = {"patient": DESK_PATIENT.format(story), "status": "active"}
        found = requests.get(f"{self.fhir}/MedicationRequest", params=query, timeout=30).json()
        return [entry["resource"]["medicationCodeableConcept"]["text"] for entry in found.get("entry", ())]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    expect.set_options(timeout=30_000)  # a busy machine is no fault of the page
    folder: Path = tmp_path_factory.mktemp("demo")
    with sekmet(folder, 0) as fhir, crs_cds(folder, fhir, "UTC", 0, fhir_is_ours=True) as url:
        while requests.get(f"{url}/health/ready", timeout=30).json()["status"] != "ready":
            time.sleep(0.1)  # until its tables are there
        yield Demo(url, fhir, f"sqlite:///{folder / 'decisions.sqlite'}")


@pytest.fixture
def lenient(context: BrowserContext) -> Page:
    """A page on which an answer may be an error: the browser notes those as errors of its own."""
    return context.new_page()


def open_story(page: Page, demo: Demo, story: str) -> None:
    page.goto(f"{demo.url}/demo")
    said(page, "patient-view: ")
    if story != "1":
        page.get_by_label("Story", exact=True).select_option(story)
        expect(page.get_by_role("heading", name=f"Story {story} Example")).to_be_visible()
        said(page, "patient-view: ")


def said(page: Page, words: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(words)


def summaries(page: Page) -> list[str]:
    return page.locator("#cards article h3").all_inner_texts()


def chart_row(page: Page, name: str) -> str:
    return (
        page.locator("#chart tr", has=page.get_by_role("rowheader", name=name, exact=True)).locator("td").inner_text()
    )


def test_a_story_by_mouse_from_the_order_to_the_feedback(page: Page, demo: Demo) -> None:
    before = len(demo.kept())
    open_story(page, demo, "11")
    page.get_by_role("button", name="Tocilizumab 496 mg IV", exact=True).click()
    said(page, "order-select: 2 cards (warning, info)")
    dose = page.get_by_label("Dose of tocilizumab")
    dose.fill("800")
    dose.blur()
    said(page, "order-select: 3 cards (warning, warning, info)")
    expect(page.locator("#drafts")).to_contain_text("tocilizumab 800 mg IV")
    page.get_by_role("button", name="Change the draft: Tocilizumab 496 mg").click()
    said(page, "accepted. order-select: 2 cards (warning, info)")
    expect(page.get_by_label("Dose of tocilizumab")).to_have_value("496")
    expect(page.locator("#drafts li")).to_have_count(1)
    assert demo.kept()[before:] == [("toci-dose-check", "accepted", [])]

    page.get_by_role("button", name="Sign the orders").click()
    said(page, "order-sign: 2 cards (warning, info)")
    assert demo.active_orders("11") == [], "the cards are read first"
    page.get_by_role("button", name="Sign all the same").click()
    said(page, "1 order signed. patient-view: ")
    assert demo.active_orders("11") == ["tocilizumab 496 mg IV"]
    assert "tocilizumab 496 mg IV" in chart_row(page, "Active orders")


def test_the_same_by_keyboard_alone(page: Page, demo: Demo) -> None:
    before = len(demo.kept())
    page.goto(f"{demo.url}/demo")
    said(page, "patient-view: 2 cards")
    tab_to(page, "Story")
    page.keyboard.type("3 ")
    expect(page.get_by_role("heading", name="Story 3 Example")).to_be_visible()
    said(page, "patient-view: 2 cards (warning, info)")
    tab_to(page, "Recommended: Tocilizumab 496 mg")
    page.keyboard.press("Enter")
    said(page, "accepted. order-select: 2 cards (warning, info)")
    expect(page.locator("#drafts li")).to_be_focused()
    tab_to(page, "Dose of tocilizumab")
    page.keyboard.press("Control+A")
    page.keyboard.type("495")
    page.keyboard.press("Enter")
    said(page, "order-select: ")
    expect(page.get_by_label("Dose of tocilizumab")).to_be_focused()
    tab_to(page, "Sign the orders")
    page.keyboard.press("Space")
    said(page, "order-sign: 2 cards")
    tab_to(page, "In detail")
    page.keyboard.press("Enter")
    expect(page.locator("#cards details").first).to_have_attribute("open", "")
    tab_to(page, "Reason to override")
    page.keyboard.type("Rec")
    tab_to(page, "Override: ")
    page.keyboard.press("Enter")
    said(page, "Overridden: Recommended action was already completed")
    expect(page.locator(".outcome")).to_be_focused()
    tab_to(page, "Sign all the same", backwards=True)
    page.keyboard.press("Enter")
    said(page, "1 order signed.")
    expect(page.get_by_role("heading", name="Cards on patient-view")).to_be_focused()
    assert demo.kept()[before:] == [
        ("toci-recommended", "accepted", []),
        ("toci-recommended", "overridden",
         ["http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes|action-completed"]),
    ]  # fmt: skip
    assert demo.active_orders("3") == ["tocilizumab 495 mg IV"]


def tab_to(page: Page, name: str, *, backwards: bool = False) -> None:
    """Presses Tab until what has the focus is called so."""
    called = "(e => (e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent).trim())"
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if page.evaluate(f"{called}(document.activeElement)").startswith(name):
            return
    raise AssertionError(f"no way to {name} by Tab")


MOMENTS = rows("""
    | day | time  | grade            | temperature | IL-6 newest | tocilizumab given | because                             |
    | --- | ----- | ---------------- | ----------- | ----------- | ----------------- | ----------------------------------- |
    | 5   | 10:00 | grade 2          | 39.1 °C     | 31 pg/mL    | 0                 | the first scene                     |
    | 9   | 15:00 | grade 4          | 36.8 °C     | 5200 pg/mL  | 2                 | the last scene                      |
    | 7   | 10:30 | grade 2          | 39.1 °C     | 47.7 pg/mL  | 1                 | back, and between two scenes        |
    | 5   | 06:30 | at least grade 1 | 39.1 °C     | 18 pg/mL    | 0                 | the fever alone is charted yet      |
    """)


def test_the_clock_moves_the_chart_and_the_cards(page: Page, demo: Demo) -> None:
    open_story(page, demo, "1")
    for row in MOMENTS:
        page.get_by_label("Day", exact=True).fill(row["day"])
        page.get_by_label("Time", exact=True).fill(row["time"])
        page.get_by_role("button", name="Move", exact=True).click()
        expect(page.locator("#now")).to_contain_text(f"day {row['day']}, {row['time']} of the story")
        expect(page.locator("#cards article").last).to_contain_text(f"CRS {row['grade']}")
        assert chart_row(page, "Temperature").startswith(row["temperature"]), row
        assert chart_row(page, "IL-6").startswith(row["IL-6 newest"]), row
        assert chart_row(page, "Drugs given").count("tocilizumab 560 mg") == int(row["tocilizumab given"]), row


def test_the_clock_is_stepped_from_entry_to_entry(page: Page, demo: Demo) -> None:
    open_story(page, demo, "1")
    for button, moment in (
        ("Earlier entry", "day 5, 09:30"),
        ("Later entry", "day 5, 10:00"),
        ("Later", "day 6, 09:30"),
    ):
        page.get_by_role("button", name=button).click()
        expect(page.locator("#now")).to_contain_text(moment)
    page.get_by_role("button", name="Day 9, 15:00").click()
    said(page, "patient-view: 3 cards (critical, warning, info)")
    page.get_by_role("button", name="Later entry").click()
    said(page, "Nothing later is charted.")


def test_moved_in_haste_the_chart_is_that_of_the_last_moment_asked_for(page: Page, demo: Demo) -> None:
    open_story(page, demo, "1")
    for scene in ("Day 9, 15:00", "Day 7, 09:45", "Day 9, 15:00", "Day 5, 10:00"):
        page.get_by_role("button", name=scene).click()
    expect(page.locator("#now")).to_contain_text("day 5, 10:00")
    expect(page.locator("#cards article").last).to_contain_text("CRS grade 2")
    assert "tocilizumab" not in chart_row(page, "Drugs given")
    page.get_by_role("button", name="Open the chart again").click()
    said(page, "patient-view: 2 cards (warning, info)")
    assert "tocilizumab" not in chart_row(page, "Drugs given")


def test_drafts_are_added_removed_and_an_unrelated_one_gets_no_card(page: Page, demo: Demo) -> None:
    open_story(page, demo, "3")
    page.get_by_role("button", name="Ondansetron").click()
    said(page, "order-select: no card.")
    expect(page.locator("#cards")).to_contain_text("The drafted orders ask for no advice on CRS")
    page.get_by_role("button", name="Blood culture").click()
    expect(page.locator("#drafts li")).to_have_count(2)
    page.get_by_role("button", name="Remove Blood culture").click()
    said(page, "Blood culture: removed. order-select: no card.")
    expect(page.locator("#drafts li")).to_have_count(1)
    page.get_by_role("button", name="Sign the orders").click()
    said(page, "1 order signed.")  # without a card there is nothing to read first


NO_CARDS = rows("""
    | story | moment         | says                                      | because               |
    | ----- | -------------- | ----------------------------------------- | --------------------- |
    | 16    | Day 4, 10:00   | No CAR-T infusion is on record            | no course             |
    | 2     | Day 20, 10:00  | The patient is recorded as deceased       | the patient has died  |
    """)


@pytest.mark.parametrize("row", NO_CARDS, ids=name_of)
def test_an_answer_without_cards_says_why(row: dict[str, str], page: Page, demo: Demo) -> None:
    open_story(page, demo, row["story"])
    page.get_by_role("button", name=row["moment"]).click()
    said(page, row["says"])
    expect(page.get_by_role("heading", name="No card", exact=True)).to_be_visible()


def outcome(status: int, says: str) -> dict[str, Any]:
    issue = {"severity": "error", "code": "incomplete", "diagnostics": says}
    return {"status": status, "json": {"resourceType": "OperationOutcome", "issue": [issue]}}


FAILURES = rows("""
    | answer    | says                                                     | because                              |
    | --------- | -------------------------------------------------------- | ------------------------------------ |
    | 412       | HTTP 412: administrations: could not be read             | the record cannot be read            |
    | 503       | HTTP 503: administrations: could not be read             | too many calls, or out of time       |
    | no JSON   | HTTP 502                                                 | a proxy answers                      |
    | none      | the service did not answer                               | no connection                        |
    | empty     | The service gave no card and no reason for it            | shadow, or another service           |
    | not cards | the answer is not one of CDS Hooks                       | another service                      |
    """)


@pytest.mark.parametrize("row", FAILURES, ids=name_of)
def test_what_is_no_assessment_is_never_an_empty_list(row: dict[str, str], lenient: Page, demo: Demo) -> None:
    def answer(route: Route) -> None:
        what = row["answer"]
        if what == "none":
            route.abort()
        elif what in ("empty", "not cards"):
            route.fulfill(json={"cards": []} if what == "empty" else {"hello": "world"})
        elif what == "no JSON":
            route.fulfill(status=502, body="<html>bad gateway</html>")
        else:
            route.fulfill(**outcome(int(what), "administrations: could not be read"))

    open_story(lenient, demo, "3")
    lenient.route("**/cds-services/crs-*", answer)
    lenient.get_by_role("button", name="Tocilizumab 496 mg IV", exact=True).click()
    said(lenient, row["says"])
    heading = "No card" if row["answer"] == "empty" else "No assessment"
    expect(lenient.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    if row["answer"] == "empty":
        expect(lenient.locator("#cards")).to_contain_text("This is no all-clear.")


def test_what_got_no_assessment_is_signed_only_by_saying_so_again(lenient: Page, demo: Demo) -> None:
    open_story(lenient, demo, "3")
    lenient.route("**/cds-services/crs-*", lambda route: route.fulfill(**outcome(503, "busy")))
    lenient.get_by_role("button", name="Tocilizumab 496 mg IV", exact=True).click()
    said(lenient, "order-select: no assessment")
    lenient.get_by_role("button", name="Sign the orders").click()
    said(lenient, "order-sign: no assessment")
    assert demo.active_orders("3") == []
    expect(lenient.get_by_role("button", name="Sign all the same")).to_be_visible()


LINKS = rows("""
    | type     | url                         | leads to                            | because                            |
    | -------- | --------------------------- | ----------------------------------- | ---------------------------------- |
    | absolute | https://doi.example/10.1000 | https://doi.example/10.1000         | a page of others                   |
    | smart    | https://cds.example/launch  | /demo/course/crs-cds-example-desk-3 | without an EHR's launch the course |
    | absolute | javascript:alert(1)         |                                     | not an address to open             |
    """)


@pytest.mark.parametrize("row", LINKS, ids=name_of)
def test_a_link_of_a_card_leads_where_an_ehr_would_open_it(row: dict[str, str], page: Page, demo: Demo) -> None:
    def with_link(route: Route) -> None:
        answer = route.fetch().json()
        answer["cards"][0]["links"] = [{"label": "A link", "url": row["url"], "type": row["type"]}]
        route.fulfill(json=answer)

    open_story(page, demo, "3")
    page.route("**/cds-services/crs-patient-view", with_link)
    page.get_by_role("button", name="Open the chart again").click()
    expect(page.get_by_text("A link", exact=True)).to_be_visible()
    link = page.get_by_role("link", name="A link")
    if row["leads to"]:
        expect(link).to_have_attribute("href", row["leads to"])
    else:
        expect(link).to_have_count(0)


def test_a_chart_that_cannot_be_read_is_not_an_empty_one(lenient: Page, demo: Demo) -> None:
    open_story(lenient, demo, "3")
    lenient.route("**/fhir/Observation?*_sort=-date&_count=500", lambda route: route.fulfill(status=500, body=""))
    lenient.route("**/fhir/ServiceRequest?*", lambda route: route.abort())
    lenient.get_by_role("button", name="Open the chart again").click()
    expect(lenient.get_by_role("rowheader", name="Signs and results")).to_be_visible()
    assert chart_row(lenient, "Signs and results") == "could not be read"
    assert chart_row(lenient, "Active orders") == "could not be read"
    said(lenient, "patient-view: 2 cards")  # the service reads it by itself


def test_a_chart_that_cannot_be_written_gets_no_cards(lenient: Page, demo: Demo) -> None:
    open_story(lenient, demo, "1")
    lenient.route("**/demo/stories/1/clock", lambda route: route.fulfill(**outcome(502, "nothing was written")))
    lenient.get_by_role("button", name="Day 9, 15:00").click()
    said(lenient, "The chart could not be written: HTTP 502: nothing was written")
    expect(lenient.locator("#cards article")).to_have_count(0)
    expect(lenient.get_by_role("button", name="Tocilizumab 560 mg IV", exact=True)).to_be_disabled()


def test_strings_of_a_hostile_record_stay_text(page: Page, demo: Demo) -> None:
    open_story(page, demo, "5")
    id_ = DESK_PATIENT.format("5")
    subject = {"reference": f"Patient/{id_}"}
    demo.write({"resourceType": "Patient", "id": id_, "name": [{"family": MARKUP}], "birthDate": "1980-01-01"})
    demo.write({
        "resourceType": "Condition", "id": f"{id_}-hostile", "subject": subject,
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                                       "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "A41.9", "display": MARKUP}],
                 "text": MARKUP},
    })  # fmt: skip
    demo.write({
        "resourceType": "Observation", "id": f"{id_}-hostile", "status": "final", "subject": subject,
        "effectiveDateTime": requests.get(f"{demo.fhir}/Observation/{id_}-0", timeout=30).json()["effectiveDateTime"],
        "code": {"coding": [{"system": "http://loinc.org", "code": "600-7", "display": MARKUP}]},
        "valueCodeableConcept": {"text": MARKUP},
    })  # fmt: skip
    demo.write({
        "resourceType": "MedicationRequest", "id": f"{id_}-order-hostile", "status": "active", "intent": "order",
        "subject": subject, "medicationCodeableConcept": {"text": MARKUP}, "authoredOn": "2026-11-22T10:00:00Z",
    })  # fmt: skip
    page.get_by_role("button", name="Open the chart again").click()
    expect(page.locator("#chart h3")).to_contain_text(MARKUP)
    assert MARKUP in chart_row(page, "Diagnoses")
    assert MARKUP in chart_row(page, "Active orders")
    page.get_by_role("button", name="Tocilizumab 560 mg IV", exact=True).click()
    said(page, "order-select: ")
    assert MARKUP in page.locator("#cards").text_content().replace("\u200b", "")
    assert page.locator("main img").count() == 0
    assert page.locator("#cards b, #cards a[href^=javascript]").count() == 0


def test_the_raw_request_and_answer_are_those_that_were_sent_and_can_be_copied(page: Page, demo: Demo) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with page.expect_request("**/cds-services/crs-patient-view") as sent:
        open_story(page, demo, "1")
    page.get_by_role("button", name="Copy the request").click()
    said(page, "The request was copied.")
    copied = page.evaluate("navigator.clipboard.readText().then(JSON.parse)")
    assert copied == sent.value.post_data_json
    assert copied["prefetch"]["vitals"]["resourceType"] == "Bundle"
    answer = sent.value.response()
    assert answer is not None
    assert page.evaluate("JSON.parse(document.getElementById('answer').textContent)") == answer.json()
    page.get_by_label("What was sent").select_option(label=page.locator("#exchange option").last.inner_text())
    expect(page.locator("#address")).to_have_text(f"GET {demo.url}/cds-services")


@pytest.mark.parametrize("width", [375, 1280])
def test_no_page_scrolls_sideways_or_breaks_a_rule_of_accessibility(page: Page, demo: Demo, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_story(page, demo, "1")
    page.get_by_role("button", name="Day 9, 15:00").click()
    said(page, "patient-view: 3 cards")
    page.get_by_role("button", name="Dexamethasone").click()
    said(page, "order-select: ")
    for opened in page.locator("#cards summary").all():
        opened.click()
    check_page(page)
    page.goto(f"{demo.url}/")
    expect(page.get_by_role("link", name="Open the order desk")).to_be_visible()
    check_page(page)
    page.get_by_role("link", name="The decision table").click()
    expect(page.get_by_role("heading", name="The decision table", exact=True)).to_be_visible()
    expect(page.get_by_role("table").first).to_be_visible()
    check_page(page)


def check_page(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert found.violations_count == 0, found.generate_report()
