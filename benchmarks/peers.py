"""The CPU time of peers on the same bytes, beside the limit. Run it in the environment of requirements/bench.txt:

python -m benchmarks.peers BODY ROUNDS PEER…     prints the medians as JSON, milliseconds by contender
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import medians
from benchmarks.typed_scan import typed_scan

LIMIT = "typed scan"
HEALTHCHAIN, RESOURCES = "HealthChain", "fhir.resources on every resource"
OF_INTEREST = frozenset({"8310-5", "8480-6", "59408-5", "26881-3", "1988-5", "29463-7"})


def healthchain_service(body: bytes) -> Callable[[], object]:
    """HealthChain's CDS Hooks service as FastAPI calls it, without a socket. The handler does the least that a rule
    needs: it picks the values with a code of interest."""
    from fastapi import FastAPI  # noqa: PLC0415
    from healthchain.gateway.cds import CDSHooksService  # noqa: PLC0415
    from healthchain.models.responses.cdsresponse import Card, CDSResponse, Source  # noqa: PLC0415

    service = CDSHooksService()

    @service.hook("patient-view", id="count")  # type: ignore[untyped-decorator]
    def count(request: Any) -> Any:
        found = [value for key in request.prefetch.values() if key and "entry" in key for value in _values(key)]
        source = Source(label="benchmark")
        return CDSResponse(cards=[Card(summary=f"{len(found)} values", indicator="info", source=source)])

    app = FastAPI()
    app.include_router(service)
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/cds/cds-services/count", "raw_path": b"/cds/cds-services/count", "query_string": b"",
        "root_path": "", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    loop = asyncio.new_event_loop()

    async def call() -> None:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(dict(scope), receive, send)
        if sent[0]["status"] != 200 or b'"0 values"' in sent[1]["body"]:
            raise RuntimeError(sent)

    return lambda: loop.run_until_complete(call())


def _values(bundle: dict[str, Any]) -> Iterable[Any]:
    for entry in bundle["entry"]:
        for part in (entry["resource"], *entry["resource"].get("component", ())):
            if any(coding.get("code") in OF_INTEREST for coding in part.get("code", {}).get("coding", ())):
                yield part.get("valueQuantity")


def every_resource_validated(body: bytes) -> Callable[[], object]:
    """The work of parsing the prefetch and reading every resource by its R4B model."""
    from fhir.resources.R4B.medicationadministration import MedicationAdministration  # noqa: PLC0415
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415
    from fhir.resources.R4B.patient import Patient  # noqa: PLC0415

    models = {m.__name__: m for m in (MedicationAdministration, Observation, Patient)}

    def validate() -> int:
        found = [key for key in json.loads(body)["prefetch"].values() if key]
        of_keys = [e["resource"] for key in found if "entry" in key for e in key["entry"]]
        return len([models[r["resourceType"]].model_validate(r) for r in of_keys])

    return validate


PEERS = {HEALTHCHAIN: healthchain_service, RESOURCES: every_resource_validated}


def main(path: str, rounds: str, *names: str) -> None:
    body = Path(path).read_bytes()
    contenders: dict[str, Callable[[], object]] = {LIMIT: lambda: typed_scan(body)}
    contenders |= {name: PEERS[name](body) for name in names}
    turns = {name: (lambda work=work: work) for name, work in contenders.items()}
    versions = {name: version(name) for name in ("healthchain", "fhir.resources", "fastapi", "pydantic", "msgspec")}
    print(json.dumps({"medians": medians(turns, int(rounds)), "versions": versions}))


if __name__ == "__main__":
    main(*sys.argv[1:])
