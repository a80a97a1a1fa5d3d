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
from datetime import UTC, datetime
from pathlib import Path

import requests

from example_patients.client.ehr import SERVICE_OF_HOOK, Ehr, readable
from example_patients.programs.seed import seed
from example_patients.stories.stories import SCENES, Scene, Story

HOST = "127.0.0.1"
START_SECONDS = 60
NETWORK = frozenset({"CRS_CDS_CA_BUNDLE", "CRS_CDS_CLIENT_CERT", "CRS_CDS_HTTPS_PROXY"})  # network settings


def free_port(wanted: int) -> int:
    """The wanted port, or any free one if that is taken."""
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
    """Run a server process while the block runs; the block begins once the server answers."""
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
    """Run a Sekmet FHIR server on loopback; yields its base URL."""
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
def crs_cds(
    folder: Path, fhir_base: str, zone: str, wanted_port: int = 8000, *, fhir_is_ours: bool = False
) -> Iterator[str]:
    """Run crs-cds under gunicorn on loopback; yields its base URL. Its order desk writes only to our FHIR server."""
    port = free_port(wanted_port)
    url = f"http://{HOST}:{port}"
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CRS_CDS_") or k in NETWORK}
    environ |= {
        "CRS_CDS_ENV": "development",
        "CRS_CDS_PUBLIC_URL": url,
        "CRS_CDS_FHIR_SERVERS": fhir_base,
        "CRS_CDS_TIMEZONE": zone,
        "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'decisions.sqlite'}",
        "CRS_CDS_VALUE_SETS": str(Path(__file__).parents[1] / "value_sets"),
        # patience for a busy machine: the demo shows answers, not speed
        "CRS_CDS_BUDGET_SECONDS": "30",
        "CRS_CDS_LOG_MILLISECONDS": "5000",
    }
    if fhir_is_ours:
        environ["CRS_CDS_DEMO_FHIR"] = fhir_base
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "wsgi:app"]
    with server(command, f"{url}/cds-services", environ, folder / "crs-cds.log"):
        yield url


def play(ehr: Ehr, story: Story, scene: Scene) -> bool:
    """Print one scene; True if its cards are the wanted ones, both by prefetch and by search."""
    templates = ehr.discovered()[SERVICE_OF_HOOK[scene.hook]]
    by_prefetch = ehr.ask(scene, scene.hook, ehr.prefetch(templates, scene))
    by_search = ehr.ask(scene, scene.hook)
    order = f"tocilizumab {scene.toci_mg} mg drafted" if scene.toci_mg else "chart opened"
    print(f"\n── {scene.id}  {story.title} · day {scene.call[0]} · {scene.hook}: {order}")
    for card in by_prefetch.cards:
        print(readable(card))
    if not by_prefetch.cards:
        print(f"  no card ({by_prefetch.problem or ', '.join(by_prefetch.assessment.get('flags', []))})")
    came = [answer.problem or answer.card_ids for answer in (by_prefetch, by_search)]
    right = came == [scene.wanted] * 2
    if not right:
        print(f"  WANTED {scene.wanted}\n  BY PREFETCH {came[0]}\n  BY SEARCH {came[1]}")
    return right


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Run the demo; its exit code is 0 if every scene got its cards."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal must not leave servers behind
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory(prefix="crs-cds-demo-") as name:
        folder = Path(name)
        print("Starting a FHIR server (Sekmet) and crs-cds on loopback …")
        with (
            sekmet(folder) as fhir_base,
            crs_cds(folder, fhir_base, "UTC", fhir_is_ours=True) as service,
            requests.Session() as session,
        ):
            seed(fhir_base, session, datetime.now(UTC), UTC)
            ehr = Ehr(service, fhir_base, session, session)
            right = [play(ehr, story, scene) for story, scene in SCENES]
            print(f"\n{sum(right)} of {len(right)} scenes got the wanted cards, by prefetch and by search alike.")
            print(f"\nFHIR server:  {fhir_base}/Patient")
            print(f"crs-cds:      {service}/cds-services   (point a CDS Hooks client here)")
            if sys.stdin.isatty():
                print("Press Ctrl-C to stop.")
            print(f"order desk:   {service}/demo   (open it in a browser)")
            _stay()
    return 0 if all(right) else 1


def _stay() -> None:
    if not sys.stdin.isatty():
        return
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())
