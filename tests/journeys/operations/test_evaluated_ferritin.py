"""Ferritin is read by an evaluation alone: the peak after the infusion and before the first IL-6 blocker."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.evaluations import chart, evaluated, export
from tests.support.tables import rows

# Patient B: infused on 2 March, first tocilizumab on 10 March 10:00
FERRITIN = rows("""
| value | unit  | at                        | because                               |
| 9000  | ng/mL | 2026-03-01T08:00:00+08:00 | before the infusion                   |
| 600   | ng/mL | 2026-03-06T08:00:00+08:00 | counts                                |
| 2.4   | mg/L  | 2026-03-09T08:00:00+08:00 | the peak: 2400 of the other unit      |
| 3000  | nmol/L | 2026-03-09T09:00:00+08:00 | moles have no factor that all share  |
| 8000  | ng/mL | 2026-03-11T08:00:00+08:00 | after the drug                        |
""")


def sample(number: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"ferritin-{number}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}, "subject": {"reference": "Patient/b"},
        "effectiveDateTime": row["at"], "valueQuantity": {"value": float(row["value"]), "unit": row["unit"]},
    }  # fmt: skip


def test_the_peak_of_ferritin_has_no_verdict(tmp_path: Path) -> None:
    samples = [sample(number, row) for number, row in enumerate(FERRITIN)]
    found = evaluated(export(tmp_path / "export", [*chart("2", "b"), *samples]), tmp_path / "work")
    (row,) = [row for row in found.markers if row.marker == "ferritin"]
    assert (row.samples, row.unit, row.peak_low, row.peak_high) == (2, "ug/L", 2400, 2400)
    assert (row.window, row.group, row.baseline_low, row.fold_low) == ("study", "unknown", None, None)


def test_a_chart_has_the_same_cards_with_ferritin_and_without(tmp_path: Path) -> None:
    samples = [sample(number, row) for number, row in enumerate(FERRITIN)]
    both = [
        evaluated(export(tmp_path / name, [*chart("2", "b"), *more]), tmp_path / f"{name}-work")
        for name, more in (("without", []), ("with", samples))
    ]
    without, with_ferritin = ([replace(card, patient="") for card in one.cards] for one in both)
    assert without == with_ferritin
