"""Evaluations for tests: the stories to their end as an export, and the rows that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.engine import processes
from cds_server.evaluation.evaluate import Progress, Wanted, evaluate
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.workplace import Workplace
from cds_server.site_rules import site_rules
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


def evaluated(folder: Path, work: Path, **more: Any) -> Evaluation:
    wanted = Wanted(
        (folder,), more.pop("protocol", Protocol()), (RULES,), (RulesFrom(None, EXAMPLE_VALUE_SETS),), ZONE,
        "Asia/Shanghai", "0", **more,
    )  # fmt: skip
    return evaluate(wanted, Workplace(work), processes(1), SILENT)
