"""Do two checkouts give the same answers? `make same-answers BASE=<commit>` asks both about every broken chart.

The charts are those of `tests.support.charts`, each broken field by field, and every scene of the stories on every hook.
Both checkouts answer at the clock of the chart, with uuids numbered, and the answers are compared to the byte. A move
changes none of them; of any other change the differences are what its commit says they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.stories import SCENES, hook_body
from tests.support.charts import CHARTS
from tests.support.desk import chart_of, moment_of, whole_prefetch
from tests.support.dirty_data import broken_bundles, json_text

ROOT = Path(__file__).parents[2]
ANSWERS = Path(__file__).with_name("answers.py")
SHOWN = 20


def calls() -> Iterator[dict[str, Any]]:
    """Every call: its name, the moment, the address and the body as JSON text."""
    for _, scene in SCENES:
        now, prefetch = moment_of(scene), whole_prefetch(chart_of(scene.id))
        for hook in SERVICE_OF_HOOK:
            body = hook_body(scene, now, hook, prefetch=prefetch)
            yield _call(f"scene {scene.id}, {hook}", now.isoformat(), hook, json_text(body))
    for name, make in CHARTS.items():
        chart = make()
        for broken in broken_bundles(chart.prefetch, chart.now, chart.keys):
            text = json_text(chart.body(broken.prefetch))
            yield _call(f"{name}: {broken.field} {broken.how}", chart.now.isoformat(), chart.hook, text)


def _call(name: str, now: str, hook: str, body: str) -> dict[str, Any]:
    return {"name": name, "now": now, "address": f"/cds-services/{SERVICE_OF_HOOK[hook]}", "body": body}


def answers_of(checkouts: dict[str, Path], folder: Path) -> dict[str, list[list[Any]]]:
    """The answers of each checkout, which work side by side."""
    asked = folder / "calls.ndjson"
    with asked.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(call, ensure_ascii=False) + "\n" for call in calls())
    working = {
        name: subprocess.Popen(
            [sys.executable, str(ANSWERS), str(checkout), str(asked), str(folder / f"{name}.ndjson")], cwd=folder
        )
        for name, checkout in checkouts.items()
    }
    for name, process in working.items():
        if process.wait() != 0:
            raise SystemExit(f"{name}: the checkout could not answer; see above")
    return {
        name: [json.loads(line) for line in (folder / f"{name}.ndjson").open(encoding="utf-8")] for name in checkouts
    }


def differing(before: list[list[Any]], after: list[list[Any]]) -> list[tuple[str, str, str]]:
    """The calls whose answers differ: name, and where they begin to differ, before and after."""
    found = []
    for old, new in zip_longest(before, after, fillvalue=["", 0, ""]):
        if old != new:
            texts = f"{old[1]} {old[2]}", f"{new[1]} {new[2]}"
            at = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
            found.append((new[0] or old[0], *(text[max(0, at - 60) : at + 120] for text in texts)))
    return found


def main(base: str) -> int:
    with tempfile.TemporaryDirectory(prefix="crs-cds-answers-") as name:
        folder, then = Path(name), Path(name) / "base"
        git = ["git", "-C", str(ROOT)]
        subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(then), base], check=True)
        try:
            answers = answers_of({"before": then, "after": ROOT}, folder)
        finally:
            subprocess.run([*git, "worktree", "remove", "--force", str(then)], check=True)
    found = differing(answers["before"], answers["after"])
    for what, before, after in found[:SHOWN]:
        print(f"{what}\n    before  {before}\n    after   {after}")
    print(f"{len(answers['after'])} answers, {len(found)} differ from {base}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
