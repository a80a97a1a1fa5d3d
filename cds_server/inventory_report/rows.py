"""The rows of the tables."""

from __future__ import annotations

from collections.abc import Iterator

from cds_server.inventory.impact import Impact, impact_of
from cds_server.inventory.tally import ENOUGH_PATIENTS, Named, Tally
from cds_server.inventory_report.choices import Choices
from cds_server.inventory_report.not_known import Kind, NotKnown
from cds_server.inventory_report.report import ConceptRow, NameRow, RefusalRow, Report
from cds_server.inventory_report.shown import day, safe, wrapped

MOST_ROWS, MOST_NAMES = 25, 6
COLUMNS = f"    {'resources':>11}{'patients':>10}"
OF_IMPACT = {
    Impact.COURSE: "for the course, without which there is no card",
    Impact.GRADE: "for the grade",
    Impact.ADVICE: "for the advice",
    Impact.DOSE: "for a dose",
    Impact.CAUTION: "for a caution",
    Impact.SHOWN: "for display",
    Impact.NONE: "for no card",
}
PASTE = "A line beginning with { goes into compose.include of the ValueSet file of the set named before it."


def concept_rows(report: Report) -> Iterator[str]:
    titles, zone = report.found.in_force.terms.titles, report.found.in_force.zone
    yield f"{COLUMNS}  {'from':<12}to"
    for row in report.concepts:
        few = report.shared and row.patients < ENOUGH_PATIENTS
        patients = f"<{ENOUGH_PATIENTS}" if few else f"{row.patients:,}"
        first, last = ("", "") if few else (day(row.tally.first, zone), day(row.tally.last, zone))
        what = f"{titles[row.value_set]} ({row.value_set}), {row.resource_type}"
        yield f"    {row.tally.count:>11,}{patients:>10}  {first:<12}{last:<12}{what}"
        yield from _names(row)
    if report.absent:
        yield "    Nothing is read as"
    for impact in Impact:
        absent = ", ".join(titles[set_id] for set_id in report.absent if impact_of(set_id) is impact)
        yield from wrapped(absent, f"        {OF_IMPACT[impact]}: ")


def _names(row: ConceptRow) -> Iterator[str]:
    for name in row.names[:MOST_NAMES]:
        yield f"    {name.tally.count:>11,}{'':>40}{named_as(name.name)}"
    if len(row.names) > MOST_NAMES:
        yield f"    {'':>51}and {len(row.names) - MOST_NAMES:,} more names"


def named_as(name: Named) -> str:
    parts = (f"{name.system} {name.code}".strip(), f'"{name.text}"' if name.text else "", _unit(name.unit))
    return safe(" ".join(part for part in parts if part)) or "without code and text"


def _unit(unit: str | None) -> str:
    return "" if unit is None else f"in {unit}" if unit else "without a unit"


def counted(tally: Tally) -> str:
    patients = len(tally.patients)
    return f"{tally.count:>11,}{f'{patients}+' if tally.is_of_many else patients:>10}"


def refusal_rows(report: Report) -> Iterator[str]:
    yield COLUMNS
    yield from _cut([*(_refusal(report, row) for row in report.set_aside)])
    if report.invalid:
        yield "    refused by the model of FHIR, which the service tries on what an answer rests on (a sample):"
        yield from _cut([*(_refusal(report, row) for row in report.invalid)])
    if report.passed_over:
        yield "    passed over without a word, for their status:"
        yield from _cut([*(_refusal(report, row) for row in report.passed_over)])


def _refusal(report: Report, row: RefusalRow) -> str:
    refusal = row.refusal
    what = report.found.in_force.terms.titles.get(refusal.value_set) or refusal.resource_type
    unit, text = _unit(refusal.unit), f'"{refusal.stands}"' if refusal.stands else ""
    said = [
        text if text not in refusal.why else "",
        unit if not refusal.unit or refusal.unit not in refusal.why else "",
    ]
    stands = ", ".join(filter(None, said))
    tried = f", {row.tally.count:,} of {row.tried:,} tried" if row.tried else ""
    where = "" if report.shared else f"   first at {': '.join(filter(None, row.tally.first_at))}"
    return safe(f"{counted(row.tally)}  {what}: {refusal.why}{f' ({stands})' if stands else ''}{tried}{where}")


def not_known_rows(report: Report) -> Iterator[str]:
    yield COLUMNS
    if report.not_known:
        yield f"    {PASTE}"
    choices = Choices()
    for row in report.not_known[:MOST_ROWS]:
        yield f"    {counted(row.tally)}  {_kind(report, row)}: {named_as(row.name)}{_reading(row)}"
        yield f"    {'':>25}{choices.line(row)}"
    yield from _more(len(report.not_known))
    yield from choices.legend()


def frequent_rows(rows: tuple[NameRow, ...]) -> Iterator[str]:
    yield COLUMNS
    choices = Choices()
    for row in rows[:MOST_ROWS]:
        yield f"    {counted(row.tally)}  {named_as(row.name)}"
        if row.value_sets:
            yield f"    {'':>25}{choices.line(row)}"
    yield from _more(len(rows))
    yield from choices.legend()


def _kind(report: Report, row: NotKnown) -> str:
    titles = report.found.in_force.terms.titles
    return f"{row.kind.value} of {titles[row.value_sets[0]]}" if row.kind is Kind.UNIT else row.kind.value


def _reading(row: NotKnown) -> str:
    """The rest of a row: why it is doubtful, the units beside it, how many numbers would be read."""
    units = ", ".join(f"{unit or 'no unit'} {tally.count:,}" for unit, tally in row.units)
    tried = f"{row.would_read:,} of {row.tried:,} numbers would be read" if row.tried else ""
    more = "; ".join(filter(None, (row.why if row.kind is not Kind.ROUTE else "", units, tried)))
    return safe(f"; {more}") if more else ""


def _cut(rows: list[str]) -> Iterator[str]:
    yield from (f"    {row}" for row in rows[:MOST_ROWS])
    yield from _more(len(rows))


def _more(rows: int) -> Iterator[str]:
    if rows > MOST_ROWS:
        yield f"    {'':>25}and {rows - MOST_ROWS:,} more; --json has all"
    if not rows:
        yield "    nothing"
