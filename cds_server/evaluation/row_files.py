"""The rows of an evaluation as CSV files: a file a table, a column a field."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseRow, GradeDayRow, MarkerRow
from cds_server.evaluation.rows.moments import CardRow, EpisodeRow, EventRow, MomentRow


def write_rows(found: Evaluation, folder: Path, zone: tzinfo) -> None:
    """Write every table of patients; each of these files is patient data."""
    tables: tuple[tuple[str, type[Any], Iterable[Any]], ...] = (
        ("courses", CourseRow, found.courses),
        ("samples", MarkerRow, found.markers),
        ("grade_days", GradeDayRow, found.grade_days),
        ("charted_grades", ChartedGradeRow, found.charted_grades),
        ("moments", MomentRow, found.moments),
        ("cards", CardRow, found.cards),
        ("episodes", EpisodeRow, found.episodes),
        ("events", EventRow, found.events),
    )
    for name, row_type, rows in tables:
        names = [field.name for field in fields(row_type)]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([_cell(getattr(row, column), zone) for column in names] for row in rows)


def _cell(value: object, zone: tzinfo) -> object:
    """A value as text: times by the facility's clock, nothing for what is not known."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return f"{round(value, 4).normalize():f}"
    if isinstance(value, tuple):
        return " ".join(str(_cell(one, zone)) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.value if isinstance(value, Enum) else "" if value is None else value
