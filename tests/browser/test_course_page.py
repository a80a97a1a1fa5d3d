"""The page of a course in a real browser, against the app and a FHIR server on real sockets."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page
from werkzeug.serving import BaseWSGIServer, make_server

from cds_server.app import create_app
from tests.support.desk import EXAMPLE_VALUE_SETS, chart_of, moment_of, scene_of
from tests.support.faulty_server import FaultyServer, faulty_server
from tests.support.fhir_wire import Resource
from tests.support.tables import NOW, changed, dense, name_of, patient, rows

HOSTILE = '<img src=x onerror="document.title=1">{name|x}'
DRAWN = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
CONFORMANCE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def hostile_chart() -> list[Resource]:
    chart = patient(
        "il6 10 @D0 08:00; il6 30 @-3h; device NC @-2h; flow 2 @-2h; grade 2; give dexamethasone 10 IV @-2h"
    )
    named = {"Patient": {"name": [{"family": HOSTILE}]}}
    return [
        changed(r, valueString=f"30 {HOSTILE}", valueQuantity=None)
        if r.get("valueQuantity", {}).get("value") == 30
        else changed(r, **named.get(r["resourceType"], {}))
        for r in chart
    ]


def whole(chart: list[Resource]) -> list[Resource]:
    return [{k: v for k, v in r.items() if v is not None} for r in chart]


SCENES = ("1d", "3", "9", "12", "16")
CHARTS: dict[str, tuple[str, list[Resource]]] = {
    **{f"s{scene_id}": (f"crs-cds-example-{scene_id}", chart_of(scene_id)) for scene_id in SCENES},
    "long": ("p", patient(dense(60))),
    "hostile": ("p", whole(hostile_chart())),
    "limits": ("p", patient("il6 <1.5 @D0 08:00; il6 >5000 @-3h; MAP 75 @-2h; grade 1")),
    "il10": (
        "p",
        patient(
            "il6 10 @D0 08:00; il6 40 @D3 07:00; il10 12 @D0 08:00; il10 96 @D4 07:00; toci 560 @D3 12:00; grade 2"
        ),
    ),
    "doses": (
        "p",
        patient(
            "give dexamethasone 10 IV @-58h; give methylprednisolone 500 IV @-52h; give dexamethasone 10 IV @-46h; grade 0; T 39 @-60h"
        ),
    ),
}


@pytest.fixture(scope="module")
def fhir() -> Iterator[FaultyServer]:
    with faulty_server(CHARTS) as server:
        yield server


@dataclass
class Ward:
    """Opens the page of a chart, its FHIR server with a fault or none; one app for each."""

    fhir: FaultyServer
    running: dict[tuple[str, str, str], BaseWSGIServer] = field(default_factory=dict)
    page: Page | None = None

    def opens(self, chart: str, column: str = "all", fault: str = "none", *, drawn: bool = True) -> Page:
        port = self._app(chart, column, fault).server_port
        assert self.page is not None
        self.page.goto(f"http://127.0.0.1:{port}/demo/course/{CHARTS[chart][0]}")
        if drawn:
            self.page.wait_for_selector("#picture svg[viewBox]", state="attached")
        return self.page

    def _app(self, chart: str, column: str, fault: str) -> BaseWSGIServer:
        if (chart, column, fault) not in self.running:
            now = moment_of(scene_of(chart[1:])[1]) if chart.startswith("s") else NOW
            environ = {
                "CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_DATABASE_URL": "sqlite://",
                "CRS_CDS_FHIR_SERVERS": self.fhir.base(chart, column, fault),
                "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS), "CRS_CDS_BUDGET_SECONDS": "20",
                "CRS_CDS_LOG_MILLISECONDS": "5000",
            }  # fmt: skip
            server = make_server("127.0.0.1", 0, create_app(environ, clock=lambda: now), threaded=True)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self.running[chart, column, fault] = server
        return self.running[chart, column, fault]


@pytest.fixture(scope="module")
def ward_of_the_module(fhir: FaultyServer) -> Iterator[Ward]:
    found = Ward(fhir)
    yield found
    for server in found.running.values():
        server.shutdown()
        server.server_close()


@pytest.fixture
def ward(ward_of_the_module: Ward, page: Page) -> Ward:
    ward_of_the_module.page = page
    return ward_of_the_module


def texts(page: Page) -> list[str]:
    """What is written in the picture."""
    found: list[str] = page.eval_on_selector_all("#picture svg text", "all => all.map((one) => one.textContent)")
    return found


def data(page: Page) -> Any:
    return json.loads(page.locator("#course-data").text_content() or "")


def told(page: Page) -> Locator:
    return page.locator("#told")


def now_at(page: Page) -> float:
    """The place of now in the picture, in pixels from its left."""
    found: float = page.evaluate(
        """() => echarts.getInstanceByDom(document.getElementById("picture")).convertToPixel(
              { xAxisIndex: 0 }, JSON.parse(document.getElementById("course-data").textContent).end)"""
    )
    return found


SHOWN = rows("""
| chart  | written in the picture                                                                                      | because                      |
| s1d    | CRS grade (ASTCT)  now: grade 4; 4 × baseline = 72 pg/mL; 1.83 × baseline = 40.26 mg/L; fever from 38 °C     | limits are the rules' own    |
| s1d    | IL-6, pg/mL (log)  shaded: does not count (rises after tocilizumab); peak 47.7 pg/mL; baseline 18.0 pg/mL  | IL-6 after tocilizumab       |
| s1d    | Vasopressors  now: epinephrine, norepinephrine; Oxygen  now: CPAP or BiPAP; 560 mg; now                      | what is in use now           |
| s3     | peak 46.5 pg/mL; nasal cannula 2 L/min; day 4                                                                | a short course               |
| doses  | now: grade 0, fever may be suppressed; CAR-T                                                                | a 0 under treatment is no all-clear |
| il10   | IL-10, pg/mL (log); baseline 12 pg/mL; peak 96 pg/mL                                                         | IL-10 has a lane and no limit |
| s12    | unknown; ≥1; 1; 0                                                                                            | a minimum and a gap have a word |
""")


@pytest.mark.parametrize("row", SHOWN, ids=name_of)
def test_what_is_written_in_the_picture(ward: Ward, row: dict[str, str]) -> None:
    found = " ".join(texts(ward.opens(row["chart"])))
    found = re.sub(r"\s+", " ", found)
    for words in row["written in the picture"].split("; "):
        assert re.sub(r"\s+", " ", words) in found


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("chart", ["s1d", "s12", "doses", "long"])
def test_a_bar_ends_at_the_line_of_now_and_no_word_in_it_is_cut(ward: Ward, page: Page, chart: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 812})
    ward.opens(chart)
    bars = page.eval_on_selector_all(
        "#picture svg path[stroke-dasharray], #picture svg path[fill^='#e'], #picture svg path[fill='#f0e442']",
        """(all) => all.map((one) => [one.getBBox().x, one.getBBox().width, one.getBBox().height])
                       .filter(([, width, height]) => width > 0 && height > 10)""",
    )
    assert bars
    assert max(x + wide for x, wide, _ in bars) <= now_at(page) + 1
    assert min(wide for _, wide, _ in bars) >= 3, "seen however short"
    assert [text for text in texts(page) if "…" in text] == []


def test_a_result_below_a_limit_points_down_and_a_mean_pressure_has_its_own_lane(ward: Ward) -> None:
    page = ward.opens("limits")
    found = " ".join(texts(page))
    assert "hypotension below 65 mmHg mean (two readings)" in found
    assert "Systolic pressure, mmHg" in found
    marks = page.evaluate(
        """() => echarts.getInstanceByDom(document.getElementById("picture")).getOption().series
              .flatMap((one) => one.data).filter((one) => one && one.symbol === "arrow").map((one) => one.symbolRotate)"""
    )
    assert marks == [180, 0]


def test_the_words_of_a_dose_are_whole_or_left_out(ward: Ward) -> None:
    found = [text for text in texts(ward.opens("doses")) if text.endswith(" mg")]
    assert found == ["dexamethasone 10 mg", "dexamethasone 10 mg"], "the one between has no room"


def test_hovering_tells_value_unit_time_and_source(ward: Ward) -> None:
    page = ward.opens("s3")
    mark = page.locator("#picture svg text", has_text="peak 46.5 pg/mL").bounding_box()
    assert mark is not None
    page.mouse.move(mark["x"] + mark["width"] + 10, mark["y"] + mark["height"] / 2)  # the mark beside its label
    page.wait_for_selector(".tip")
    said = page.locator(".tip p").all_text_contents()
    assert said[:3] == ["IL-6: 46.5 pg/mL", "6 Mar 07:00", "peak"]
    assert said[3].startswith("Observation/")
    assert told(page).text_content() == " · ".join(said)


def test_tapping_tells_it_on_a_phone(ward: Ward) -> None:
    page = ward.opens("s3")
    box = page.locator("#picture").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + now_at(page) - 2, box["y"] + 24 + 18 + 50)  # the band of the grade, now
    page.wait_for_selector(".tip")
    assert page.locator(".tip p").first.text_content() == "CRS: grade 2"


def test_the_arrow_keys_walk_through_every_mark(ward: Ward) -> None:
    page = ward.opens("s1d")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "picture"
    page.keyboard.press("Home")
    found = []
    for _ in range(3):
        found.append((told(page).text_content() or "").split(" · ")[0])
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    found.append((told(page).text_content() or "").split(" · ")[0])
    assert found == ["CRS: unknown", "CRS: at least grade 1", "CRS: grade 2", "IL-6: 5200 pg/mL"]
    walked = set()
    for _ in range(12):
        page.keyboard.press("End")
        walked.add((told(page).text_content() or "").split(":")[0])
        page.keyboard.press("ArrowDown")
    assert walked >= {"IL-6", "CRP", "Oxygen", "SpO2", "Vasopressor", "SBP", "Drug"}
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "picture", "the keyboard is not trapped"


def test_every_mark_is_drawn_where_it_belongs(ward: Ward) -> None:
    """The keyboard's mark of each temperature lies on the axis in the order of its time and value."""
    page = ward.opens("s1d")
    marks = data(page)["lanes"]["temperature"]["marks"]
    page.focus("#picture")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    places = []
    lit = page.locator("#picture svg path[transform^='matrix(5.6,0,0,5.6,']")  # 1.4 times as large as the others
    for mark in marks:
        assert mark["text"] in (told(page).text_content() or "")
        page.evaluate(DRAWN)  # the mark before it is lit until then
        lit.wait_for(state="attached", timeout=5000)
        x, y = (lit.get_attribute("transform") or "").rstrip(")").split(",")[-2:]
        places.append((float(x), float(y)))
        page.keyboard.press("ArrowRight")
    first, last = marks[0], marks[-1]
    per_ms = (places[-1][0] - places[0][0]) / (last["at"] - first["at"])
    per_degree = (places[-1][1] - places[0][1]) / (last["value"] - first["value"])
    for mark, (x, y) in zip(marks, places, strict=True):
        assert abs(places[0][0] + (mark["at"] - first["at"]) * per_ms - x) < 0.5
        assert abs(places[0][1] + (mark["value"] - first["value"]) * per_degree - y) < 0.5
    assert per_ms > 0 > per_degree


@pytest.mark.parametrize("chart", ["s1d", "s9", "s12", "long"])
def test_it_prints_on_one_page(ward: Ward, chart: str) -> None:
    pdf = ward.opens(chart).pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


@pytest.mark.parametrize("chart", ["s1d", "s3", "s12", "s16", "long", "hostile"])
@pytest.mark.parametrize("width", [375, 1280])
def test_no_page_scrolls_sideways_and_axe_finds_nothing(ward: Ward, page: Page, chart: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 812})
    ward.opens(chart, drawn=chart != "s16")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nor with all tables open"
    found = Axe().run(page, options=CONFORMANCE)
    assert found.violations_count == 0, found.generate_report()


def test_a_hostile_name_or_result_stays_text(ward: Ward) -> None:
    page = ward.opens("hostile")
    assert HOSTILE in (page.locator("header .name").text_content() or "")
    page.focus("#picture")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Home")
    assert page.locator("img").count() == 0
    assert page.title() != "1"


FAILING = rows("""
| column        | fault | says                            | drawn | because                                        |
| all           | 500   | could not be read               | no    | nothing could be read                          |
| vitals-oxygen | 500   | Not all could be read           | yes   | the picture, and above it what is missing      |
| il6Crp-weight | 500   | Not all could be read           | yes   | the grade is known, the rise is not            |
""")


@pytest.mark.parametrize("row", FAILING, ids=name_of)
def test_a_fhir_server_that_fails_half_way_is_said(ward: Ward, row: dict[str, str], context: BrowserContext) -> None:
    ward.page = context.new_page()  # the browser logs a status of 412 as an error
    page = ward.opens("s3", row["column"], row["fault"], drawn=row["drawn"] == "yes")
    assert row["says"] in (page.locator("main .notice").first.text_content() or "")
    assert (page.locator("#picture").count() == 1) is (row["drawn"] == "yes")
    assert Axe().run(page, options=CONFORMANCE).violations_count == 0


@pytest.mark.parametrize("script", ["lanes.js", "echarts"])
def test_a_picture_that_could_not_be_drawn_says_so(ward: Ward, script: str, context: BrowserContext) -> None:
    ward.page = context.new_page()  # the browser logs what did not come as an error
    assert ward.opens("s3").locator("#undrawn").count() == 0
    ward.page.route(re.compile(f"/static/course/{script}"), lambda route: route.abort())
    page = ward.opens("s3", drawn=False)
    page.locator("#undrawn").wait_for(state="visible")
    assert page.locator("#picture svg").count() == 0


def test_a_reader_who_wants_no_motion_and_one_without_colour_lose_nothing(ward: Ward, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    ward.opens("s12")
    assert any("unknown" in text for text in texts(page))
    assert page.locator("#picture svg animate, #picture svg animateTransform").count() == 0
