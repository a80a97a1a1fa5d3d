"""A browser of the journeys, and an EHR beside it that launches our app: cookies by hand, each step to be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from flask.testing import FlaskClient

from tests.support.desk import Desk, chart_of, moment_of, scene_of
from tests.support.fhir_wire import FhirWire
from tests.support.smart_server import Ehr, smart_ehr

PUBLIC = "http://127.0.0.1:8000"
SESSION_KEY = "a secret of the tests that is long enough"
SCENE, OTHER_SCENE = "3", "11"  # two patients, charted to the same moment
PATIENT, OTHER = scene_of(SCENE)[1].patient_id, scene_of(OTHER_SCENE)[1].patient_id


@dataclass
class Page:
    """Where a browser ended up."""

    address: str
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def session(self) -> str:
        return parse_qs(urlsplit(self.address).query).get("session", [""])[0]


@dataclass
class Browser:
    """Follows redirects between our app and the EHR. `stops_at`: addresses that it does not follow."""

    client: FlaskClient
    cookies: dict[str, str] = field(default_factory=dict)
    keeps_cookies: bool = True
    seen: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def go(self, address: str, *, stops_at: str = "nowhere", method: str = "GET") -> Page:
        address = urljoin(f"{PUBLIC}/smart/", address)
        while True:
            self.seen.append(address)
            page = self._ours(address, method) if address.startswith(PUBLIC) else self._others(address)
            self.said += [page.text, str(page.headers)]
            there = urljoin(address, page.headers.get("Location", address))
            if page.status not in (302, 303) or urlsplit(there).path.endswith(stops_at):
                return page if page.status not in (302, 303) else Page(there, page.status, "", {})
            address = there

    def _ours(self, address: str, method: str) -> Page:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.client.open(address, method=method, headers={"Cookie": cookie} if cookie else {})
        for one in answer.headers.getlist("Set-Cookie") if self.keeps_cookies else ():
            name, _, rest = one.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return Page(address, answer.status_code, answer.get_data(as_text=True), dict(answer.headers))

    def _others(self, address: str) -> Page:
        answer = requests.get(address, allow_redirects=False, timeout=10)
        return Page(address, answer.status_code, answer.text, dict(answer.headers))


@dataclass
class Clinic:
    """The EHR, our service beside it, and a browser."""

    ehr: Ehr
    desk: Desk
    browser: Browser

    def launch_address(self, launch: str = "L1", **more: str) -> str:
        return f"{PUBLIC}/smart/launch?{urlencode({'iss': self.ehr.base, 'launch': launch, **more})}"

    def open(self, launch: str = "L1", **more: str) -> Page:
        return self.browser.go(self.launch_address(launch, **more))

    def another_browser(self, desk: Desk | None = None, **more: Any) -> Browser:
        client = (desk or self.desk).client.application.test_client(use_cookies=False)
        return Browser(client, **more)

    def metrics(self) -> str:
        return self.desk.client.get("/metrics").get_data(as_text=True)


def toml(base: str, *more: str) -> str:
    lines = [f'fhir_base = "{base}"', 'client_id = "crs-cds-app"', *(more or ['authentication = "public"'])]
    return "\n".join(["[[server]]", *lines, ""])


@contextmanager
def clinic(folder: Path, *more: str, others: str = "", **environ: str) -> Iterator[Clinic]:
    """`more` are lines of the EHR's entry, `others` further FHIR servers that may be called."""
    with smart_ehr(FhirWire([*chart_of(SCENE), *chart_of(OTHER_SCENE)]), f"{PUBLIC}/smart/callback") as ehr:
        (folder / "smart.toml").write_text(toml(ehr.base, *more), encoding="utf-8")
        settings = {
            "CRS_CDS_FHIR_SERVERS": ",".join(filter(None, [ehr.base, others])),
            "CRS_CDS_SMART": str(folder / "smart.toml"), "CRS_CDS_SESSION_KEY": SESSION_KEY,
            "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'log.sqlite'}",
        }  # fmt: skip
        desk = Desk(now=moment_of(scene_of(SCENE)[1]), environ={**settings, **environ})
        ehr.launches |= {"L1": {"patient": PATIENT}, "": {"patient": PATIENT}}
        made = Clinic(ehr, desk, Browser(desk.client.application.test_client(use_cookies=False)))
        yield made
        assert made.ehr.refused == [] or made.ehr.refused[0].startswith("token: code")


def plain(page: Page) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
