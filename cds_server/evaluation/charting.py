"""The inventory of the export as `crs-cds coverage` makes it, in a process of its own while patients are evaluated.

It needs several hundred MiB where an export has many codes, which the processes that evaluate never do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from multiprocessing import get_context
from pathlib import Path

import msgspec

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.engine import end_with_the_parent
from cds_server.evaluation.rows.charting import AbsentRow, Charting, ConceptCount, NamedCount
from cds_server.exports.export import Export
from cds_server.inventory.impact import Impact, impact_of
from cds_server.inventory.in_force import InForce
from cds_server.inventory.inventory import inventory
from cds_server.inventory.tally import Tally
from cds_server.inventory_report.report import RefusalRow, Report, report
from cds_server.inventory_report.rows import OF_IMPACT, named_as
from cds_server.inventory_report.shown import day
from cds_server.operations.log_lines import where_it_failed
from cds_server.site_rules import site_rules

MOST_NAMES = 6  # of one concept
MOST_CODES = 500


@dataclass(frozen=True)
class Charted:
    """The export and the rules by which it is read. `at` is the moment after which data lie ahead of the clock."""

    named: Sequence[Path]
    rules: RulesFrom
    zone: tzinfo | None
    at: datetime


def charting_of(what: Charted) -> Charting:
    """The inventory of an export."""
    files, zone = what.rules, what.zone or UTC
    rules = site_rules(files.thresholds, files.value_sets, files.protocol)
    found = inventory(Export(what.named), InForce(rules.terms, rules.thresholds, zone, what.at))
    return _charting(report(found, shared=False), zone)


def _charting(made: Report, zone: tzinfo) -> Charting:
    titles = made.found.in_force.terms.titles
    return Charting(
        concepts=tuple(
            ConceptCount(
                row.value_set, titles[row.value_set], row.resource_type, row.tally.count, row.patients,
                day(row.tally.first, zone), day(row.tally.last, zone),
                "; ".join(named_as(name.name) for name in row.names[:MOST_NAMES]),
            )
            for row in made.concepts
        ),
        absent=tuple(
            AbsentRow(set_id, titles[set_id], OF_IMPACT[impact_of(set_id)])
            for impact in Impact for set_id in made.absent if impact_of(set_id) is impact
        ),
        set_aside=tuple(_refused(made, (*made.set_aside, *made.invalid))),
        not_known=tuple(
            _counted(f"{row.kind.value}: {named_as(row.name)}", row.tally, row.why, row.value_sets)
            for row in made.not_known
        ),
        other_codes=tuple(_counted(named_as(row.name), row.tally) for row in made.codes[:MOST_CODES]),
    )  # fmt: skip


def _refused(made: Report, rows: Iterable[RefusalRow]) -> Iterator[NamedCount]:
    titles = made.found.in_force.terms.titles
    for row in rows:
        what, stands = titles.get(row.refusal.value_set) or row.refusal.resource_type, row.refusal.stands
        why = f'{row.refusal.why} ("{stands}")' if stands and stands not in row.refusal.why else row.refusal.why
        yield _counted(what, row.tally, why)


def _counted(what: str, tally: Tally, why: str = "", value_sets: Iterable[str] = ()) -> NamedCount:
    patients = f"{len(tally.patients)}{' or more' if tally.is_of_many else ''}"
    return NamedCount(what, why, tally.count, patients, ", ".join(value_sets))


@contextmanager
def charting_beside(what: Charted | None, kept: Path) -> Iterator[Callable[[], Charting]]:
    """The inventory, made while something else is done, and kept in a file for a run that goes on; none where it is
    not wanted."""
    if what is None or kept.exists():
        yield lambda: msgspec.json.decode(kept.read_bytes(), type=Charting) if kept.exists() else Charting()
        return
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_the_parent) as beside:
        future = beside.submit(charting_of, what)

        def made() -> Charting:
            try:
                found = future.result()
            except Exception as error:  # the patients are evaluated without it, and the report says so
                return Charting(failed=where_it_failed(error))
            part = kept.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(found))
            part.rename(kept)
            return found

        yield made
