"""The report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.inventory.inventory import Inventory
from cds_server.inventory_report.report import Report
from cds_server.inventory_report.rows import concept_rows, frequent_rows, not_known_rows, refusal_rows
from cds_server.inventory_report.shown import safe
from fhir_mappings.facts.coverage import FUTURE_DATED
from fhir_mappings.reading.resources import STRUCTS

MOST_FILES = 20
HEAD = (
    "PATIENT DATA: texts are printed as they are charted and may hold names. Keep this output as you keep the record.",
    "Codes, texts and places of fewer than five patients are left out. What is left may still be sensitive.",
)
AHEAD = "Some data lie ahead of the clock. Of an export with shifted dates, name its last day with --at."


def table(report: Report) -> Iterator[str]:
    """The lines of the report."""
    yield HEAD[report.shared]
    yield from ("", *_read(report))
    yield from ("", "WHAT IS READ", *concept_rows(report))
    yield from ("", "WHAT IS SET ASIDE, AND WHY", *refusal_rows(report))
    yield from ("", "WHAT LOOKS LIKE OURS AND IS NOT KNOWN", *not_known_rows(report))
    for title, rows in (
        ("RESULTS OF CULTURES AND PCR THAT COUNT AS POSSIBLE INFECTION", report.findings),
        ("OTHER DRUGS, BY FREQUENCY", report.drugs),
        ("OTHER PROCEDURES, BY FREQUENCY", report.procedures),
        ("OTHER CODES OF OBSERVATIONS, BY FREQUENCY", report.codes),
    ):
        yield from ("", title, *frequent_rows(rows))
    yield from _ends(report)


def _read(report: Report) -> Iterator[str]:
    found = report.found
    known = {name: n for name, n in found.types.items() if name in STRUCTS}
    others = {name: n for name, n in found.types.items() if name not in STRUCTS}
    yield f"Read: {found.types.total():,} resources of {len(found.patients):,} patients, told apart by their ids"
    yield f"    {_by_type(known)}"
    if others:
        yield f"    not read by the service: {_by_type(others)}"
    if found.failures.count:
        yield f"    the export says of itself that something failed: {found.failures.count:,} times (OperationOutcome)"
    if len(found.unread):
        yield f"    could not be read: {len(found.unread):,} places"
        yield from (f"        {line}" for line in _unread(found, named=not report.shared))


def _unread(found: Inventory, *, named: bool) -> Iterator[str]:
    parts = sorted(found.unread, key=lambda part: (-part[2].count, part[0]))
    for number, (file, why, part) in enumerate(parts[:MOST_FILES], 1):
        more = ", …" if part.count > len(part.places) > 0 else ""
        places = f" ({part.count:,}: {', '.join(part.places)}{more})" if part.places else ""
        yield f"{safe(file) if named else f'file {number}'}: {why.value}{places if named else ''}"
    if len(parts) > MOST_FILES:
        yield f"and {len(parts) - MOST_FILES:,} more"


def _by_type(types: dict[str, int]) -> str:
    return ", ".join(f"{safe(name)} {n:,}" for name, n in sorted(types.items(), key=lambda item: -item[1])) or "nothing"


def _ends(report: Report) -> Iterator[str]:
    if report.left_out:
        yield from ("", f"Left out, of fewer than five patients: {report.left_out:,} rows")
    if report.uncounted:
        yield from ("", f"Too many distinct names to tell apart: {report.uncounted:,} resources stand in no row")
    if any(row.refusal.why == FUTURE_DATED for row in report.set_aside):
        yield from (
            "",
            "Some data lie ahead of the clock. Of an export with shifted dates, name its last day with --at.",
        )
