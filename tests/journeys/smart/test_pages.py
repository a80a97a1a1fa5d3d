"""The files of the pages: served from here, kept by browsers for a while, and those of others as they were published."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path

import pytest

import cds_server
from tests.support.desk import Desk
from tests.support.tables import NOW, rows

SERVER = Path(cds_server.__file__).parent
# as they were published, without the line that names a source map
OF_OTHERS = rows("""
| file                                    | SHA-256                                                          |
| course_page/static/echarts-6.1.0.min.js | b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0 |
| static/markdown-it-15.0.3.min.js        | b06c85174d2b1bb6339dfa1f0bc938cea57f62663f132a77abbf651562542443 |
""")


@pytest.mark.parametrize("file", OF_OTHERS, ids=lambda row: row["file"])
def test_a_file_of_others_is_as_published(file: dict[str, str]) -> None:
    assert hashlib.sha256((SERVER / file["file"]).read_bytes()).hexdigest() == file["SHA-256"]


def test_a_file_that_an_upgrade_may_change_is_asked_for_each_time() -> None:
    client = Desk(now=NOW).client
    with client.get("/static/course/course.js") as script:
        assert script.headers["Cache-Control"] == "no-cache"
    with client.get("/static/course/course.js", headers={"If-None-Match": script.headers["ETag"]}) as same:
        pass
    assert (same.status_code, same.headers["Cache-Control"], same.data) == (304, "no-cache", b"")
    with client.get("/static/course/echarts-6.1.0.min.js") as library:
        assert library.headers["Cache-Control"] == "public, max-age=86400"
    for missing in (
        "/static/none.css",
        "/static/course/none.js",
        "/static/course.js",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
    ):
        answer = client.get(missing)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")


def test_a_file_that_came_is_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    client = Desk(now=NOW).client
    with caplog.at_level(logging.INFO, logger="cds_server"):
        for file in ("crs-cds.css", "course/course.js", "course/none.js"):
            client.get(f"/static/{file}").close()
    assert [vars(line)["address"] for line in caplog.records] == ["course.static"]


ADDRESSES = (
    "/",
    "/static/course/course.js",
    "/static/none.css",
    "/nothing",
    "/demo/course/p",
    "/metrics",
    "/cds-services",
    "/cds-services/x",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_browser_guesses_what_an_answer_is_and_services_alone_are_for_other_origins(address: str) -> None:
    with Desk(now=NOW).client.get(address, headers={"Origin": "https://elsewhere.example"}) as answer:
        headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    others = [name for name, _ in headers if name.startswith("Access-Control-")]
    assert bool(others) == address.startswith("/cds-services")
    assert headers["Content-Type"].startswith("text/html") == ("Content-Security-Policy" in headers)


@pytest.mark.parametrize(
    ("public_url", "below"), [("https://cds.example/a/crs", "/a/crs"), ("https://cds.example", "")]
)
def test_behind_a_proxy_that_takes_a_path_away_links_have_it(public_url: str, below: str) -> None:
    client = Desk(now=NOW, environ={"CRS_CDS_PUBLIC_URL": public_url}).client
    text = client.get("/").get_data(as_text=True)
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', text))
    assert links == {
        f"{below}/{path}"
        for path in ("static/crs-cds.css", "cds-services", "health/ready", "decision-table", "evidence", "openapi.json")
    }
    for link in links:
        with client.get(link.removeprefix(below)) as answer:
            assert answer.status_code == 200
