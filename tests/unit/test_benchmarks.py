"""The benchmarks still run, and what they compare is the same work. What it costs is not tested: `make bench` says."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import exported
from benchmarks.additions import ALONE, BOTH, LOG, WITHOUT, additions, of_additions
from benchmarks.administrations import of_administrations, with_administrations
from benchmarks.discovery import discovery_figures, of_discovery
from benchmarks.fhir_server import fhir_server
from benchmarks.figures import NOT_SEEN, ROOT, SEEN, WITH_LOG, Figure, our_figures
from benchmarks.load import FHIR, PREFETCH, said_of, service, soak, under_load
from benchmarks.our_service import CARDS, OurService, cards_of
from benchmarks.patients import call_body, copies
from benchmarks.peers import HEALTHCHAIN, LIMIT, RESOURCES, every_resource_validated
from benchmarks.results import Run, by_prefetch
from benchmarks.start_up import installed, of_start, starts
from benchmarks.typed_scan import typed_scan
from benchmarks.with_fhir import _by_round, readings, ward, with_a_fhir_server
from fhir_mappings.codes.terminology import packaged_terminology

FEW = 170  # the story alone has 153


def test_our_figures_are_taken_beside_the_limit() -> None:
    figures = our_figures(FEW, 1)
    assert {f.contender for f in figures} == {LIMIT, SEEN, NOT_SEEN, WITH_LOG}
    assert all(f.milliseconds > 0 and f.limit > 0 for f in figures)


def test_the_administrations_of_a_call_are_those_asked_for() -> None:
    given = json.loads(call_body(FEW, administrations=40))["prefetch"]["recentAdministrations"]["entry"]
    assert sum("-given-" in entry["resource"]["id"] for entry in given) == 40
    page = of_administrations(with_administrations({0: 1, 40: 1}))
    assert "| 40 |" in page
    assert "Each further administration" in page


@pytest.mark.parametrize("observations", [FEW, 1_400])  # 1,400: a first page of vital signs, as it came
def test_the_limit_and_the_service_read_the_same_observations_and_a_third_is_of_interest(observations: int) -> None:
    body = call_body(observations)
    assert typed_scan(body) == observations
    assert cards_of(OurService().answer(body)) == CARDS
    terms = packaged_terminology()
    found = [key for key in json.loads(body)["prefetch"].values() if key and "entry" in key]
    codes = [
        [(c["system"], c["code"]) for part in (e["resource"], *e["resource"].get("component", ()))
         for c in part["code"]["coding"]]
        for key in found for e in key["entry"] if "-more-" in e["resource"]["id"]
    ]  # fmt: skip
    of_interest = sum(1 for codings in codes if terms.sets_of(codings))
    assert of_interest == -(-len(codes) // 3)


def test_every_observation_of_another_patient_has_other_bytes_and_the_answer_is_the_same() -> None:
    body = call_body(FEW)
    others = list(islice(copies(body), 2))
    resources = [
        {json.dumps(entry) for key in json.loads(one)["prefetch"].values() if key for entry in key.get("entry", [key])}
        for one in (body, *others)
    ]
    assert not resources[0] & resources[1] | resources[1] & resources[2]
    service = OurService()
    assert [cards_of(service.answer(one)) for one in others] == [CARDS, CARDS]


def test_every_resource_of_the_patients_is_valid_fhir() -> None:
    assert every_resource_validated(call_body(FEW))()


def test_the_page_says_which_aims_are_met() -> None:
    figures = [
        Figure(size, name, milliseconds * size / 200, size / 200)
        for size in (200, 10_000)
        for name, milliseconds in {LIMIT: 1.0, SEEN: 1.2, NOT_SEEN: 9.0, HEALTHCHAIN: 6.0, RESOURCES: 50.0}.items()
    ]
    said = by_prefetch(Run(tuple(figures), {"start": 80.0, "end": 120.4}))
    assert "| 200 | 1.00 ms | 1.2 | 9.0 | – | 6.0 | 50.0 |" in said
    assert "resources seen before: at most 10 times the limit | 1.20 | met |" in said
    assert "each further Observation, resources seen before: at most 5 times the limit's | 1.20 | met |" in said
    assert "each further Observation, not seen before: at most 5 times the limit's | 9.00 | not met |" in said
    assert "| start | 80 |" in said
    assert "memory at the end: at most 115 MiB | 120.40 | not met |" in said


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_is_read_step_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks import memory  # noqa: PLC0415

    largest = tmp_path / "largest.json"
    largest.write_bytes(call_body(FEW))
    memory.main(str(largest), "1", f"sqlite:///{tmp_path / 'log.sqlite'}")
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 6
    assert all(mebibytes > 0 for mebibytes in found.values())


def test_the_peers_need_no_module_that_is_not_locked_for_them() -> None:
    locked = (ROOT / "requirements" / "bench.txt").read_text(encoding="utf-8")
    assert all(f"\n{name}==" in locked for name in ("healthchain", "fhir-resources", "msgspec", "fastapi"))


def test_calls_that_read_a_fhir_server_are_measured_beside_their_searches() -> None:
    (found,) = readings(["200"], [5], calls=2)
    assert (found.rounds, found.requests) == (2, 17)
    assert found.seconds > 0
    assert found.searches >= 2 * 0.005, "two rounds that wait"
    assert found.bytes > 100_000
    said = with_a_fhir_server(
        [found, replace(found, chart="50000", latency=50, seconds=1.0, in_turn=2.0)], ward(1, "200")
    )
    assert "| 200 | 5 ms |" in said
    assert "200 Observations at 5 ms: at most 1.8 times its searches alone" in said
    assert (
        "50,000 Observations at 50 ms: at most 0.4 times its searches with their slices in turn | 0.50 | not met"
        in said
    )
    assert "1 of 1 calls whole" in said


def test_the_slices_of_one_search_count_together_where_they_are_asked_in_turn() -> None:
    with fhir_server() as root:
        one = [f"/200/5/Observation?patient=p&date=ge2026-03-0{n}&date=lt2026-03-0{n + 1}&_count=5" for n in (2, 3, 4)]
        other = "/200/5/Observation?patient=p&code=c&_count=5"
        found = _by_round(root, [*one, other])
    assert [[len(slices) for slices in searches] for searches in found] == [[1], [3]]


def test_what_trust_and_the_log_add_is_measured_by_answers_that_passed_both() -> None:
    found = additions(1)
    assert {what: set(costs) for what, costs in found.items()} == {
        FHIR: {WITHOUT, LOG, BOTH, ALONE},
        PREFETCH: {WITHOUT, LOG, BOTH},
    }
    assert "the log, of a call with 50 ms FHIR latency" in of_additions(found)


def test_discovery_is_measured_beside_an_empty_route() -> None:
    assert "| discovery |" in of_discovery(discovery_figures(2, 1))


def test_size_and_start_are_measured_in_processes_of_their_own() -> None:
    packages = installed()
    assert {"crs-cds", "Flask", "cryptography", "psycopg-binary"} <= set(packages)
    said = of_start(packages, starts(1, Path(sys.executable)))
    assert "| resident, MiB |" in said


def test_an_export_is_read_with_all_its_codes_and_measured_beside_a_scan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "export.ndjson"
    path.write_text("".join(f"{line}\n" for line in islice(exported.lines(3000), 3000)), encoding="utf-8")
    assert 900 < path.stat().st_size / 3000 < 1200
    exported.main(str(path))
    found = json.loads(capsys.readouterr().out)
    assert (found["resources"], found["codes"]) == (3000, 2000)
    page = exported.of_export(exported.costs((1000, 2000)))
    assert "| 2,000 | 2 MiB |" in page
    assert "peak memory: at most 1.2 times that of 1,000 |" in page


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_soak_counts_answers_decisions_and_memory() -> None:
    with service() as to:
        found = soak(to, PREFETCH, 4, 1 / 30)
    assert (found.load.statuses, found.lost) == ({"200": 8}, 0)
    assert [len(workers) for workers in found.resident] == [2, 2]
    assert "decisions lost: 0" in said_of(found)
    assert "| by prefetch | 4 |" in under_load({PREFETCH: found.load})
    assert "none was kept" in under_load({PREFETCH: None})
