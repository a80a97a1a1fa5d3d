"""The SMART launch in Chromium: from an EHR and standalone, in frames of others, and where cookies are blocked.

The EHR is at `localhost`, our app at `127.0.0.1`: to a browser they are two sites.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from cds_server.app import create_app
from tests.browser.conftest import CHROMIUM
from tests.support.desk import EXAMPLE_VALUE_SETS, chart_of, moment_of, scene_of
from tests.support.fhir_wire import FhirWire
from tests.support.smart_desk import OTHER, OTHER_SCENE, PATIENT, SCENE, SESSION_KEY, toml
from tests.support.smart_server import Ehr, smart_ehr

FOLD, OTHER_FOLD = "6.2×", "4.00×"


@dataclass
class Hospital:
    """The EHR and our app, each on its own site. `frame` is the EHR's page with ours in it."""

    ehr: Ehr
    app: str

    @property
    def site(self) -> str:
        return self.ehr.root.replace("127.0.0.1", "localhost")

    def launch(self, launch: str = "L1") -> str:
        return f"{self.app}/smart/launch?{urlencode({'iss': self.ehr.base, 'launch': launch})}"

    def framed(self, address: str) -> str:
        frame = f'<iframe title="course" width="1000" height="700" src="{address.replace("&", "&amp;")}"></iframe>'
        self.ehr.pages["/chart"] = (
            f"<!DOCTYPE html><title>The EHR</title><link rel=icon href=data:,><h1>The EHR</h1>{frame}"
        )
        return f"{self.site}/chart"


@contextmanager
def hospital(folder: Path, *, may_frame: bool) -> Iterator[Hospital]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = f"http://127.0.0.1:{port}"
    with smart_ehr(FhirWire([*chart_of(SCENE), *chart_of(OTHER_SCENE)]), f"{app}/smart/callback") as ehr:
        made = Hospital(ehr, app)
        ehr.launches |= {"L1": {"patient": PATIENT}, "L2": {"patient": OTHER}, "": {"patient": PATIENT}}
        (folder / "smart.toml").write_text(toml(ehr.base), encoding="utf-8")
        environ = {
            "CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_FHIR_SERVERS": ehr.base,
            "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS), "CRS_CDS_PUBLIC_URL": app, "CRS_CDS_BUDGET_SECONDS": "20",
            "CRS_CDS_LOG_MILLISECONDS": "5000", "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'log.sqlite'}",
            "CRS_CDS_SMART": str(folder / "smart.toml"), "CRS_CDS_SESSION_KEY": SESSION_KEY,
            "CRS_CDS_FRAME_ANCESTORS": made.site if may_frame else "",
        }  # fmt: skip
        served = create_app(environ, clock=lambda: moment_of(scene_of(SCENE)[1]))
        server = make_server("127.0.0.1", port, served, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Hospital]:
    with hospital(tmp_path, may_frame=True) as made:
        yield made


@contextmanager
def careful(browser: Browser, folder: Path, profile: dict[str, object]) -> Iterator[BrowserContext]:
    """A browser of its own with the settings of its user: what becomes of cookies."""
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps({"profile": profile}), encoding="utf-8")
    context = browser.browser_type.launch_persistent_context(
        folder, executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
    )
    yield context
    context.close()


def shows_the_course(page: Page) -> None:
    expect(page.get_by_text(FOLD).first).to_be_visible()


def test_an_ehr_opens_the_course_of_its_patient(here: Hospital, page: Page) -> None:
    page.goto(here.launch())
    shows_the_course(page)
    assert re.fullmatch(rf"{here.app}/smart/course\?session=[\w-]{{43}}", page.url), "no code is left in the address"
    page.reload()
    shows_the_course(page)


def test_standalone_it_opens_for_the_patient_who_is_chosen_at_the_ehr(here: Hospital, page: Page) -> None:
    page.goto(f"{here.app}/smart/launch")
    shows_the_course(page)


def test_two_tabs_keep_to_their_patients_when_they_are_read_again(here: Hospital, context: BrowserContext) -> None:
    one, other = context.new_page(), context.new_page()
    one.goto(here.launch())
    other.goto(here.launch("L2"))
    one.reload()
    shows_the_course(one)
    expect(other.get_by_text(OTHER_FOLD).first).to_be_visible()


def test_no_script_can_read_the_cookie_and_none_leaves_for_the_ehr(here: Hospital, page: Page) -> None:
    page.goto(here.launch())
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
        "crs-cds", True, True, "None",
    )  # fmt: skip
    assert page.evaluate("document.cookie") == ""


def test_access_is_ended_by_keyboard_and_stays_so(here: Hospital, page: Page) -> None:
    page.goto(here.launch())
    course = page.url
    button = page.get_by_role("button", name="End access")
    for _ in range(20):
        page.keyboard.press("Tab")
        if button.evaluate("it => it === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Access ended")).to_be_visible()
    answer = page.request.get(course)
    assert (answer.status, FOLD in answer.text()) == (403, False)


def test_in_a_frame_of_the_ehr_it_opens_there(here: Hospital, page: Page) -> None:
    page.goto(here.framed(here.launch()))
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text(FOLD).first).to_be_visible()


def test_in_a_frame_of_anyone_else_it_does_not(tmp_path: Path, context: BrowserContext) -> None:
    with hospital(tmp_path, may_frame=False) as here:
        page, said = context.new_page(), []
        page.on("console", lambda line: said.append(line.text))
        with page.expect_event("console", lambda line: "frame-ancestors" in line.text):
            page.goto(here.framed(here.launch()))
        assert FOLD not in page.frames[1].content()
    assert "'none'" in " ".join(said)


THIRD_PARTY = {"cookie_controls_mode": 1, "block_third_party_cookies": True}
ALL = {"default_content_setting_values": {"cookies": 2}}


def test_where_third_party_cookies_are_blocked_ours_belongs_to_the_frame(
    here: Hospital, browser: Browser, tmp_path: Path
) -> None:
    with careful(browser, tmp_path / "profile", THIRD_PARTY) as context:
        page = context.new_page()
        page.goto(here.framed(here.launch()))
        expect(page.frame_locator("iframe").get_by_text(FOLD).first).to_be_visible()
        page.frames[1].evaluate("document.cookie = 'other=1; SameSite=None; Secure'")
        assert page.frames[1].evaluate("document.cookie") == "", "one that does not belong to the frame is not kept"


def in_frames_of(site: str) -> dict[str, object]:
    return {"content_settings": {"exceptions": {"cookies": {f"127.0.0.1,{site}": {"setting": 2}}}}}


def test_where_a_frame_keeps_no_cookie_a_new_window_opens_the_course(
    here: Hospital, browser: Browser, tmp_path: Path
) -> None:
    with careful(browser, tmp_path / "profile", in_frames_of(here.site)) as context:
        page = context.new_page()
        page.goto(here.framed(here.launch()))
        link = page.frame_locator("iframe").get_by_role("link", name="Open in a new window")
        with context.expect_page() as opened:
            link.click()
        shows_the_course(opened.value)
        assert page.frames[1].url.startswith(f"{here.app}/smart/launch"), "and the EHR keeps its own page"


def test_where_no_cookie_is_kept_at_all_it_is_said(here: Hospital, browser: Browser, tmp_path: Path) -> None:
    with careful(browser, tmp_path / "profile", ALL) as context:
        page = context.new_page()
        page.goto(here.launch())
        expect(page.get_by_role("heading", name="Open the course in a new window")).to_be_visible()
        expect(page.get_by_text("cookies of this address are blocked altogether")).to_be_visible()
        assert here.ehr.asked == []


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("address", ["launch?iss=https://evil.example", "course", "launch?cookie=1", "launch"])
def test_every_page_fits_and_has_no_barrier(here: Hospital, context: BrowserContext, address: str, width: int) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"{here.app}/smart/{address}")
    if address == "launch":
        expect(page.locator("svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
