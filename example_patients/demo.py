"""`make demo`: a real FHIR server with the example patients, crs-cds beside it, and the hooks an EHR sends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import requests

from example_patients.ehr import FHIR_JSON, SERVICE_OF_HOOK, filled_prefetch, readable, transaction
from example_patients.stories import STORIES, Scene, Story, hook_body, record

HOST = "127.0.0.1"
START_SECONDS = 60


def free_port(wanted: int) -> int:
    """The wanted port, or any free one where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


@contextmanager
def server(command: list[str], url: str, environ: dict[str, str], log: Path) -> Iterator[None]:
    """A server process for as long as the block runs, once it answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(url, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(url, timeout=2).status_code == 200:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer; its last words:\n{log.read_text(errors='replace')[-2000:]}")


@contextmanager
def sekmet(folder: Path, wanted_port: int = 8090) -> Iterator[str]:
    """A Sekmet FHIR server on loopback; its base URL."""
    port = free_port(wanted_port)
    base = f"http://{HOST}:{port}/fhir"
    config = folder / "settings.yaml"
    config.write_text(
        f"base_url: {base}\nhost: {HOST}\nport: {port}\ndata_dir: {folder / 'data'}\n"
        "simulator: {enabled: false}\nvalidation: {inbound: strict}\n"
    )
    command = [str(Path(sys.executable).parent / "sekmet"), "serve", "-c", str(config)]
    with server(command, f"{base}/metadata", dict(os.environ), folder / "sekmet.log"):
        yield base


@contextmanager
def crs_cds(folder: Path, fhir_base: str, zone: str, wanted_port: int = 8000) -> Iterator[str]:
    """crs-cds under gunicorn on loopback; its base URL."""
    port = free_port(wanted_port)
    url = f"http://{HOST}:{port}"
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CRS_CDS_")}
    environ |= {
        "CRS_CDS_ENV": "development",
        "CRS_CDS_PUBLIC_URL": url,
        "CRS_CDS_FHIR_SERVERS": fhir_base,
        "CRS_CDS_TIMEZONE": zone,
        "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'decisions.sqlite'}",
        "CRS_CDS_VALUE_SETS": str(Path(__file__).parent / "value_sets"),
        "CRS_CDS_BUDGET_SECONDS": "30",  # patience for a busy machine: the demo shows answers, not speed
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "wsgi:app"]
    with server(command, f"{url}/cds-services", environ, folder / "crs-cds.log"):
        yield url


def load(fhir_base: str, session: requests.Session, as_of: datetime, zone: tzinfo) -> None:
    """Every scene's patient, in one transaction."""
    found = [r for story in STORIES for scene in story.scenes for r in record(story, scene, as_of, zone)]
    response = session.post(fhir_base, json=transaction(found), headers=FHIR_JSON, timeout=60)
    response.raise_for_status()


def ask(service: str, fhir_base: str, session: requests.Session, scene: Scene, *, prefetch: bool) -> dict[str, Any]:
    """Call the hook of a scene as an EHR does, with filled prefetch or with none."""
    more: dict[str, Any] = {"fhirServer": fhir_base}
    if prefetch:
        services = session.get(f"{service}/cds-services", timeout=10).json()["services"]
        templates = next(s["prefetch"] for s in services if s["hook"] == scene.hook)
        more["prefetch"] = filled_prefetch(templates, fhir_base, scene.patient_id, session)
    body = hook_body(scene, datetime.now(UTC), **more)
    response = session.post(f"{service}/cds-services/{SERVICE_OF_HOOK[scene.hook]}", json=body, timeout=30)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def card_ids(answer: dict[str, Any]) -> tuple[str, ...]:
    return tuple(card["source"]["topic"]["code"] for card in answer["cards"])


def play(service: str, fhir_base: str, session: requests.Session, story: Story, scene: Scene) -> bool:
    """Print one scene; whether its cards are the wanted ones, by prefetch and by search."""
    by_prefetch = ask(service, fhir_base, session, scene, prefetch=True)
    by_search = ask(service, fhir_base, session, scene, prefetch=False)
    order = f"tocilizumab {scene.toci_mg} mg drafted" if scene.toci_mg else "chart opened"
    print(f"\n── {scene.id}  {story.title} · day {scene.call[0]} · {scene.hook}: {order}")
    for card in by_prefetch["cards"]:
        print(readable(card))
    if not by_prefetch["cards"]:
        flags = by_prefetch["extension"]["org.crs-cds.assessment"].get("flags", [])
        print(f"  no card ({', '.join(flags)})")
    right = card_ids(by_prefetch) == card_ids(by_search) == scene.wanted
    if not right:
        print(f"  WANTED {scene.wanted}\n  BY PREFETCH {card_ids(by_prefetch)}\n  BY SEARCH {card_ids(by_search)}")
    return right


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Exit code 0 when every scene got its cards."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal must not leave servers behind
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory(prefix="crs-cds-demo-") as name:
        folder = Path(name)
        print("Starting a FHIR server (Sekmet) and crs-cds on loopback …")
        with sekmet(folder) as fhir_base, crs_cds(folder, fhir_base, "UTC") as service, requests.Session() as session:
            load(fhir_base, session, datetime.now(UTC), UTC)
            scenes = [(story, scene) for story in STORIES for scene in story.scenes]
            right = [play(service, fhir_base, session, story, scene) for story, scene in scenes]
            print(f"\n{sum(right)} of {len(right)} scenes got the wanted cards, by prefetch and by search alike.")
            print(f"\ncrs-cds:      {service}/cds-services")
            print(f"FHIR server:  {fhir_base}/Patient")
            _stay()
    return 0 if all(right) else 1


def _stay() -> None:
    if not sys.stdin.isatty():
        return
    print("Point a CDS Hooks client at the first address. Press Ctrl-C to stop.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())
