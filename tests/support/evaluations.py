"""Evaluations for tests: the stories to their end as an export, and the rows that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Any

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.engine import processes
from cds_server.evaluation.evaluate import Progress, Wanted, evaluate
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.workplace import Workplace
from cds_server.site_rules import site_rules
from example_patients.cohorts.export import Cohort, write_cohort
from example_patients.stories.stories import whole_record
from tests.support.desk import EXAMPLE_VALUE_SETS, ZONE, moment_of, scene_of
from tests.support.fhir_wire import Resource

RULES = site_rules(None, EXAMPLE_VALUE_SETS)
SILENT = Progress(lambda _: None, lambda *_: None)
EXPORTED = {"transactionTime": "2026-07-01T00:00:00Z", "output": []}


def chart(scene_id: str, patient: str) -> list[Resource]:
    """A story to its end, under another id."""
    story, scene = scene_of(scene_id)
    found = whole_record(story, scene, moment_of(scene), ZONE)
    changed: list[Resource] = json.loads(json.dumps(found).replace(scene.patient_id, patient))
    return changed


def export(folder: Path, resources: Iterable[Resource], **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.ndjson").write_text("\n".join(map(json.dumps, resources)), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps(EXPORTED), encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.ndjson").write_text(text, encoding="utf-8")
    return folder


FLOWSHEET = "https://example.org/flowsheet"


def flowsheet(value_set: str, code: str) -> bytes:
    """A site's own code for a value set, as the content of its file."""
    concept = {"code": code, "display": f"{value_set} of the flowsheet"}
    include = [{"system": FLOWSHEET, "concept": [concept]}]
    return json.dumps(
        {"resourceType": "ValueSet", "id": value_set, "status": "active", "compose": {"include": include}}
    ).encode()


def flowsheets(folder: Path, **codes: str) -> Path:
    """A folder of value sets, each with one code of the site; `_` stands for the hyphen of an id."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, code in codes.items():
        value_set = name.replace("_", "-")
        (folder / f"{value_set}.json").write_bytes(flowsheet(value_set, code))
    return folder


def charted(patient: str, code: str, value: str, at: str) -> Resource:
    """An entry of the flowsheet. `at` is a FHIR dateTime."""
    return {
        "resourceType": "Observation", "id": f"{patient}-{code}-{at[:13]}".replace("T", "-"), "status": "final",
        "code": {"coding": [{"system": FLOWSHEET, "code": code}]}, "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at, "valueString": value,
    }  # fmt: skip


def evaluated(folder: Path, work: Path, **more: Any) -> Evaluation:
    codes: Path = more.pop("value_sets", EXAMPLE_VALUE_SETS)
    rules = RULES if codes == EXAMPLE_VALUE_SETS else site_rules(None, codes)
    wanted = Wanted(
        (folder,), more.pop("protocol", Protocol()), (rules,), (RulesFrom(None, codes),), ZONE, "Asia/Shanghai", "0",
        **more,
    )  # fmt: skip
    return evaluate(wanted, Workplace(work), processes(1), SILENT)


def evaluated_cohort(cohort: Cohort, folder: Path, protocol: Protocol) -> Evaluation:
    """The evaluation of a constructed cohort with its outcomes, under the packaged rules in UTC."""
    write_cohort(cohort, folder / "export")
    outcomes = folder / "export" / "outcomes.csv"
    wanted = Wanted(
        (folder / "export",), protocol, (site_rules(None, None),), (RulesFrom(None, None),), UTC, "UTC", "0",
        outcomes if outcomes.exists() else None,
    )  # fmt: skip
    return evaluate(wanted, Workplace(folder / "work"), processes(1), SILENT)
