"""The report as JSON: every row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cds_server.inventory.tally import ENOUGH_PATIENTS, Named, Tally
from cds_server.inventory_report.not_known import NotKnown
from cds_server.inventory_report.report import ConceptRow, NameRow, RefusalRow, Report
from cds_server.inventory_report.value_set_lines import Line
from fhir_mappings.reading.resources import STRUCTS

MOST_LINES = 1000  # of one list: each is tried with the reader of value sets
Json = dict[str, Any]


def as_json(report: Report) -> Json:
    """The whole report. A field without a value is left out."""
    found = report.found
    return {
        "patientData": True,
        "shared": report.shared,
        "asOf": found.in_force.as_of.isoformat(),
        "patients": len(found.patients),
        "resources": {name: n for name, n in sorted(found.types.items()) if name in STRUCTS},
        "notReadByTheService": {name: n for name, n in sorted(found.types.items()) if name not in STRUCTS},
        "failuresOfTheExport": found.failures.count,
        "unread": _unread(report),
        "concepts": [_concept(report, row) for row in report.concepts],
        "absent": [{"valueSet": s, "title": found.in_force.terms.titles[s]} for s in report.absent],
        "setAside": [_refusal(report, row, "why") for row in report.set_aside],
        "invalid": [_refusal(report, row, "why") for row in report.invalid],
        "passedOver": [_refusal(report, row, "status") for row in report.passed_over],
        "notKnown": [_not_known(report, r, lined=n < MOST_LINES) for n, r in enumerate(report.not_known)],
        "findings": _names(report, report.findings),
        "otherDrugs": _with_lines(report, report.drugs),
        "otherProcedures": _with_lines(report, report.procedures),
        "otherCodes": _names(report, report.codes),
        "rowsLeftOut": report.left_out,
        "resourcesBeyondTheMostNames": report.uncounted,
    }


def _unread(report: Report) -> list[Json]:
    return [
        {"why": why.value, "places": part.count} | ({} if report.shared else {"file": file, "first": list(part.places)})
        for file, why, part in report.found.unread
    ]


def _tally(report: Report, tally: Tally) -> Json:
    found: Json = {"resources": tally.count, "patients": len(tally.patients)}
    if tally.is_of_many:
        found["patientsAtLeast"] = True
    if tally.first is not None and tally.last is not None:
        zone = report.found.in_force.zone
        found |= {"first": tally.first.astimezone(zone).isoformat(), "last": tally.last.astimezone(zone).isoformat()}
    if not report.shared:
        found["firstAt"] = dict(zip(("file", "place"), tally.first_at, strict=True))
    return found


def _name(name: Named) -> Json:
    fields = {"system": name.system, "code": name.code, "text": name.text}
    found: Json = {key: value for key, value in fields.items() if value}
    return found if name.unit is None else found | {"unit": name.unit}


def _names(report: Report, rows: Iterable[NameRow]) -> list[Json]:
    return [_name(row.name) | _tally(report, row.tally) for row in rows]


def _with_lines(report: Report, rows: tuple[NameRow, ...]) -> list[Json]:
    found = _names(report, rows)
    for row, one in zip(rows[:MOST_LINES], found, strict=False):
        one.update(_line(row.line()))
    return found


def _concept(report: Report, row: ConceptRow) -> Json:
    counted = _tally(report, row.tally) | {"patients": row.patients}
    counted.pop("patientsAtLeast", None)
    if report.shared and row.patients < ENOUGH_PATIENTS:
        counted = {"resources": row.tally.count, "patientsFewerThan": ENOUGH_PATIENTS}
    title = report.found.in_force.terms.titles[row.value_set]
    return {
        "valueSet": row.value_set, "title": title, "resourceType": row.resource_type, **counted,
        "names": _names(report, row.names),
    }  # fmt: skip


def _refusal(report: Report, row: RefusalRow, reason: str) -> Json:
    refusal = row.refusal
    fields = {"resourceType": refusal.resource_type, "valueSet": refusal.value_set, reason: refusal.why,
              "stands": refusal.stands, "unit": refusal.unit, "tried": row.tried}  # fmt: skip
    return {key: value for key, value in fields.items() if value} | _tally(report, row.tally)


def _not_known(report: Report, row: NotKnown, *, lined: bool) -> Json:
    found: Json = {"kind": row.kind.name.lower(), **_name(row.name), **_tally(report, row.tally)}
    if row.why:
        found["why"] = row.why
    if row.units:
        found["units"] = [{"unit": unit, "resources": tally.count} for unit, tally in row.units]
    if row.tried:
        found |= {"numbersTried": row.tried, "numbersThatWouldBeRead": row.would_read}
    return found | (_line(row.line()) if lined else {"valueSets": list(row.value_sets)})


def _line(line: Line) -> Json:
    found: Json = {"valueSets": list(line.value_sets)}
    if line.include is None:
        return found | {"noLine": line.why_not}
    if line.needs_ingredient:
        found["needsIngredient"] = True
    return found | {"include": line.include}
