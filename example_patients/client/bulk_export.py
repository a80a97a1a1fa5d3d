"""A Bulk Data export of a server: asked for, waited for, and written into a folder as it came."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import requests

from example_patients.client.http_calls import NoAnswerError, RefusedError, json_of, refusal, sent

STEP = "the export"
READ = (
    "Patient", "Observation", "MedicationAdministration", "MedicationRequest", "Medication", "Procedure", "Condition",
    "AllergyIntolerance", "ServiceRequest",
)  # fmt: skip
MOST_SECONDS = 600.0
PAUSE_SECONDS = 1.0
MANIFEST = "manifest.json"


def exported(fhir_base: str, session: requests.Session, folder: Path) -> dict[str, int]:
    """Write the export of everything that an evaluation reads, and count its resources by type. Raises NoAnswerError
    and OSError."""
    manifest = _manifest(_begun(fhir_base, session), session)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    found: dict[str, int] = {}
    for number, file in enumerate((*manifest.get("output", ()), *manifest.get("error", ()))):
        answer = sent(STEP, session, "GET", str(file["url"]))
        if answer.status_code != 200:
            raise RefusedError(STEP, f"{file['url']}: the server answers {refusal(answer)}")
        (folder / f"{number:03}.{file['type']}.ndjson").write_bytes(answer.content)
        lines = sum(bool(line.strip()) for line in answer.content.splitlines())
        found[file["type"]] = found.get(file["type"], 0) + lines
    return found


def _begun(fhir_base: str, session: requests.Session) -> str:
    """The address at which the server says how far the export is."""
    headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    answer = sent(STEP, session, "GET", f"{fhir_base}/$export", params={"_type": ",".join(READ)}, headers=headers)
    if answer.status_code != 202 or "Content-Location" not in answer.headers:
        raise RefusedError(STEP, f"the server answers {refusal(answer)} and not 202 with a Content-Location")
    return str(answer.headers["Content-Location"])


def _manifest(address: str, session: requests.Session) -> dict[str, Any]:
    """The list of the files, once the server has written them."""
    ends = time.monotonic() + MOST_SECONDS
    while time.monotonic() < ends:
        answer = sent(STEP, session, "GET", address, headers={"Accept": "application/json"})
        if answer.status_code != 202:
            return json_of(STEP, answer)
        wait = answer.headers.get("Retry-After", "")
        time.sleep(min(float(wait) if wait.isdecimal() else PAUSE_SECONDS, ends - time.monotonic()))
    raise NoAnswerError(STEP, f"not ready after {MOST_SECONDS:g} s")
