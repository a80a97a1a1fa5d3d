"""What can go wrong between a FHIR server and its client, as bytes on the wire: one function for each fault.

A fault yields the parts of an answer as they are sent; the connection is closed behind the last.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from tests.support.fhir_wire import Resource, outcome

Bundle = dict[str, Any]
DRIP_SECONDS = 0.04
STALL_SECONDS = 20.0  # well beyond any budget here, and what a busy machine adds to it
SOMEONE_ELSE = "someone-else"
HTML = "<!DOCTYPE html><html><body>Please sign in</body></html>"


@dataclass(frozen=True)
class Asked:
    """A request that meets a fault.

    `search` is path and query of the first page, `page` counts from 1, `times` how often the first page was asked for,
    `whole` what a server without fault says to it.
    """

    base: str
    search: str
    page: int
    times: int
    whole: Bundle
    patient: str
    stopped: threading.Event

    @property
    def entries(self) -> list[Bundle]:
        found: list[Bundle] = self.whole.get("entry", [])
        return found

    def next_page(self, base: str | None = None) -> str:
        return f"{base or self.base}?_page={self.page + 1}&_of={quote(self.search, safe='')}"


Fault = Callable[[Asked], Iterator[bytes]]


def http(status: int, body: str, *, length: int | None = None, **headers: str) -> bytes:
    """An answer as it stands on the wire."""
    content = body.encode()
    lines = {
        "Content-Type": "application/fhir+json", "Content-Length": str(len(content) if length is None else length),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + content


def answer(status: int, body: str, *, length: int | None = None, **headers: str) -> bytes:
    """One that says that its connection is closed behind it."""
    return http(status, body, length=length, Connection="close", **headers)


def searchset(entries: Iterable[Bundle], total: int | None = None, next_page: str | None = None) -> bytes:
    bundle: Bundle = {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)}
    bundle |= {} if total is None else {"total": total}
    bundle |= {} if next_page is None else {"link": [{"relation": "next", "url": next_page}]}
    return answer(200, json.dumps(bundle))


def refused(status: int, **headers: Any) -> Fault:
    def fault(asked: Asked) -> Iterator[bytes]:
        yield answer(status, outcome(status, "refused")[2], **headers)

    return fault


def until_a_date(asked: Asked) -> Iterator[bytes]:
    at = datetime.now(UTC) + timedelta(seconds=2)
    return refused(503, Retry_After=format_datetime(at, usegmt=True))(asked)


def said(body: str, content_type: str = "application/fhir+json") -> Fault:
    def fault(asked: Asked) -> Iterator[bytes]:
        yield answer(200, body, Content_Type=content_type)

    return fault


def once(fault: Fault) -> Fault:
    """A fault that has passed when the same is asked for again."""

    def passing(asked: Asked) -> Iterator[bytes]:
        return fault(asked) if asked.times == 1 else whole(asked)

    return passing


def whole(asked: Asked) -> Iterator[bytes]:
    yield answer(200, json.dumps(asked.whole))


def hang(asked: Asked) -> Iterator[bytes]:
    asked.stopped.wait(STALL_SECONDS)
    yield b""


def dropped(asked: Asked) -> Iterator[bytes]:
    yield b""


def _dripped(whole: bytes, asked: Asked) -> Iterator[bytes]:
    ends = time.monotonic() + STALL_SECONDS
    for byte in whole:
        yield bytes([byte])
        if time.monotonic() > ends or asked.stopped.wait(DRIP_SECONDS):
            return


def drip_headers(asked: Asked) -> Iterator[bytes]:
    yield from _dripped(answer(200, json.dumps(asked.whole), X_Long="x" * 1000), asked)


def drip_body(asked: Asked) -> Iterator[bytes]:
    head, _, body = answer(200, json.dumps(asked.whole) + " " * 1000).partition(b"\r\n\r\n")
    yield head + b"\r\n\r\n"
    yield from _dripped(body, asked)


def cut_off(asked: Asked) -> Iterator[bytes]:
    """The connection breaks in the middle of the body."""
    body = json.dumps(asked.whole)
    yield answer(200, body[: len(body) // 2], length=len(body))


def truncated(asked: Asked) -> Iterator[bytes]:
    """The same with a length that says that this was all."""
    body = json.dumps(asked.whole)
    yield answer(200, body[: len(body) // 2])


def next_loops(asked: Asked) -> Iterator[bytes]:
    yield searchset(asked.entries, next_page=f"{asked.base}{asked.search}")


def _elsewhere(asked: Asked) -> str:
    return asked.base.replace("127.0.0.1", "localhost")


def next_elsewhere(asked: Asked) -> Iterator[bytes]:
    half = (len(asked.entries) + 1) // 2
    yield searchset(asked.entries[:half], next_page=asked.next_page(_elsewhere(asked)))


def next_hangs(asked: Asked) -> Iterator[bytes]:
    half = (len(asked.entries) + 1) // 2
    return hang(asked) if asked.page > 1 else iter([searchset(asked.entries[:half], None, asked.next_page())])


def endless(asked: Asked) -> Iterator[bytes]:
    """A million pages: the first is all that there is, and each names another. They outlast the budget."""
    asked.stopped.wait(DRIP_SECONDS if asked.page > 1 else 0)
    yield searchset(asked.entries if asked.page == 1 else [], next_page=asked.next_page())


def redirect(asked: Asked) -> Iterator[bytes]:
    yield answer(302, "", Location=f"{_elsewhere(asked)}{asked.search}")


def another_patient(asked: Asked) -> Iterator[bytes]:
    """The patient's own results, as those of someone else."""
    if asked.whole["resourceType"] == "Patient":
        yield answer(200, json.dumps({**asked.whole, "id": SOMEONE_ELSE}))
        return
    text = json.dumps(asked.entries).replace(asked.patient, SOMEONE_ELSE)
    yield searchset([*json.loads(text), {"resource": _note(SOMEONE_ELSE)}])


def another_type(asked: Asked) -> Iterator[bytes]:
    """Resources of the patient, but of a type that was not asked for."""
    note = _note(asked.patient)
    yield answer(200, json.dumps(note)) if asked.whole["resourceType"] == "Patient" else searchset([{"resource": note}])


def _note(patient: str) -> Resource:
    return {
        "resourceType": "Communication", "id": "note", "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip


def doubled(asked: Asked) -> Iterator[bytes]:
    """Two pages, and each of them twice; what has a page only has no second one to double."""
    half, total = (len(asked.entries) + 1) // 2, len(asked.entries)
    if total < 2:
        yield answer(200, json.dumps(asked.whole))
        return
    page = asked.entries[:half] if asked.page <= 2 else asked.entries[half:]
    yield searchset(page, total, asked.next_page() if asked.page < 4 else None)


def page_again(asked: Asked) -> Iterator[bytes]:
    """In place of the second page comes the first again."""
    half = (len(asked.entries) + 1) // 2
    yield searchset(asked.entries[:half], len(asked.entries), asked.next_page() if asked.page == 1 else None)


def _changed(asked: Asked, *, settled: bool) -> Iterator[bytes]:
    """Between two pages a result on the first is withdrawn: the later ones move up, and one is on neither page."""
    after, size = asked.entries, (len(asked.entries) + 1) // 2
    withdrawn = {**after[0]["resource"], "id": "withdrawn", "status": "entered-in-error"} if after else None
    before = after if settled or withdrawn is None else [{"resource": withdrawn}, *after]
    if asked.page == 1:
        yield searchset(before[:size], len(before), asked.next_page())
    else:
        yield searchset(after[size:], len(after))


def changed(asked: Asked) -> Iterator[bytes]:
    return _changed(asked, settled=asked.times > 1)


def changing(asked: Asked) -> Iterator[bytes]:
    return _changed(asked, settled=False)


FAULTS: Mapping[str, Fault] = {
    **{str(status): refused(status) for status in (400, 401, 403, 404, 410, 500, 503)},
    "429": refused(429, Retry_After="30"),
    "429-once": once(refused(429, Retry_After="0")),
    "503-once": once(refused(503)),
    "hang": hang,
    "drip-headers": drip_headers,
    "drip-body": drip_body,
    "dropped": dropped,
    "dropped-once": once(dropped),
    "cut-off": cut_off,
    "html": said(HTML, "text/html"),
    "truncated": truncated,
    "truncated-once": once(truncated),
    "outcome": said(outcome(200, "no")[2]),
    "empty": said(""),
    "redirect": redirect,
    "another-patient": another_patient,
    "another-type": another_type,
    "next-loops": next_loops,
    "next-elsewhere": next_elsewhere,
    "next-hangs": next_hangs,
    "endless": endless,
    "doubled": doubled,
    "page-again": page_again,
    "changed": changed,
    "changing": changing,
}
# tried again when the server asks for it, which takes longer than the matrix has time for
LATER: Mapping[str, Fault] = {
    "429-in-a-second": once(refused(429, Retry_After="1")),
    "503-until-a-date": once(until_a_date),
}
# a read of the Patient has no pages
ONLY_SEARCHES = frozenset(
    {"next-loops", "next-elsewhere", "next-hangs", "endless", "doubled", "page-again", "changed", "changing"}
)
