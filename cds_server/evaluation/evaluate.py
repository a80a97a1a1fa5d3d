"""The story of an evaluation: an export becomes buckets, buckets become rows, rows become one Evaluation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path

from cards.deciding.decision_table import CardId
from cds_server.evaluation.bucket_task import Job, RulesFrom, Summary
from cds_server.evaluation.charting import Charted, charting_beside
from cds_server.evaluation.engine import Open, Rows, run, summaries
from cds_server.evaluation.patient import pseudonym
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.reading.coverage import export_coverage
from cds_server.evaluation.reading.grouping import Grouped, grouped, latest_time, number_of_buckets
from cds_server.evaluation.reading.outcomes import (
    NO_OUTCOMES,
    SuppliedOutcomes,
    hashed,
    in_their_courses,
    read_outcomes,
)
from cds_server.evaluation.rows.cohort import (
    AvailabilityRow,
    ChangedRule,
    Evaluation,
    FlowRow,
    InventoryRow,
    Outcomes,
    Run,
    UnreadRow,
)
from cds_server.evaluation.rows.courses import ChartedGradeRow, CourseRow, GradeDayRow, MarkerRow
from cds_server.evaluation.rows.moments import CardRow, EpisodeRow, EventRow, MomentRow
from cds_server.evaluation.workplace import Workplace, fingerprint
from cds_server.exports.files import export_files
from cds_server.exports.unread import Unread
from cds_server.site_rules import SiteRules
from fhir_mappings.facts.coverage import Completeness
from fhir_mappings.facts.thresholds import in_unit, numbers

SET_ASIDE = "set-aside"


class NothingToEvaluateError(Exception):
    """An export from which no report can be made. The message is one sentence."""


@dataclass(frozen=True)
class Wanted:
    """Everything that the user asks for. `rules` are the site's, and those to compare; `from_files` names their files,
    in the same order."""

    named: tuple[Path, ...]
    protocol: Protocol
    rules: tuple[SiteRules, ...]
    from_files: tuple[RulesFrom, ...]
    zone: tzinfo | None
    zone_name: str
    version: str
    outcomes: Path | None = None
    limit: int | None = None
    workers: int = 1
    by_code: bool = False  # the inventory too, as `crs-cds coverage` makes it


@dataclass
class Progress:
    """The news that a run gives of itself."""

    reading: Callable[[int], None]
    patients: Callable[[int, int, Summary | None], None]


def evaluate(wanted: Wanted, work: Workplace, open_executor: Open, progress: Progress) -> Evaluation:
    """The evaluation of an export. Raises NothingToEvaluateError, OutcomesError and EngineError.

    1. Sort the export into buckets, unless a run that was stopped has done so.
    2. Read the outcomes that were supplied beside it.
    3. Work out the rows of every bucket that is not done.
    4. Put the rows and the counts together.
    """
    started = time.monotonic()
    files = [file.path for file in export_files(wanted.named, Unread())]
    mark = fingerprint(files, *_stated(wanted))
    found = work.begin(mark)
    if found is None:
        found = grouped(wanted.named, work.buckets, number_of_buckets(files, wanted.workers), progress.reading)
        _check(found, wanted.named)
        work.keep(mark, found)
    patients = found.people
    supplied = NO_OUTCOMES
    if wanted.outcomes is not None:
        supplied = read_outcomes(wanted.outcomes, wanted.zone, patients, found.aliases)
    job = _job(wanted, work, found, supplied)
    charted = Charted(wanted.named, wanted.from_files[0], wanted.zone, job.exported_at) if wanted.by_code else None
    with charting_beside(charted, work.charting) as charting:
        _run(job, work, found, open_executor, progress)
        by_code = charting()
    if not any(True for _ in Rows(work.results, "courses", CourseRow)):
        raise NothingToEvaluateError(
            _without_course(found, wanted, sum(one.patients for one in summaries(work.results)))
        )
    if wanted.outcomes is not None:
        supplied = in_their_courses(supplied, wanted.outcomes.name, _days0(work, patients), wanted.zone)
    together = _together(wanted, work, found, supplied, round(time.monotonic() - started, 1))
    return replace(together, charting=by_code)


def _days0(work: Workplace, patients: frozenset[str]) -> dict[str, dict[int, date]]:
    """The day 0 of each course, by the id of the patient."""
    id_of = {pseudonym(patient, work.salt): patient for patient in patients}
    found: dict[str, dict[int, date]] = {}
    for row in Rows(work.results, "courses", CourseRow):
        if row.patient in id_of:
            found.setdefault(id_of[row.patient], {})[row.course] = row.day0
    return found


def _without_course(found: Grouped, wanted: Wanted, patients: int) -> str:
    unread = "; ".join(f"{file}: {why}" for file, why, *_ in found.unread[:3])
    beside = f" ({unread})" if unread else ""
    cohort = wanted.protocol.cohort
    within = " in the time of the cohort" if cohort.since or cohort.until else ""
    return (
        f"none of the {patients} patients has a CAR-T infusion that can be read{within}{beside}; "
        "`crs-cds coverage` says what the export holds."
    )


def _stated(wanted: Wanted) -> Sequence[object]:
    outcomes = wanted.outcomes.read_bytes() if wanted.outcomes is not None and wanted.outcomes.is_file() else b""
    return (
        wanted.protocol.hash, [rules.hash for rules in wanted.rules], wanted.zone_name, wanted.version, outcomes,
        wanted.limit,
    )  # fmt: skip


def _check(found: Grouped, named: Sequence[Path]) -> None:
    if not found.sizes:
        why = "; ".join(f"{file}: {why}" for file, why, *_ in found.unread[:3]) or "no FHIR resource of a patient"
        raise NothingToEvaluateError(f"nothing in {', '.join(map(str, named))} can be evaluated: {why}.")


def _job(wanted: Wanted, work: Workplace, found: Grouped, supplied: SuppliedOutcomes) -> Job:
    return Job(
        folder=work.buckets,
        results=work.results,
        buckets=found.buckets,
        aliases=found.aliases,
        deleted=frozenset(found.deleted),
        coverage=export_coverage(found),
        rules=wanted.from_files,
        hashes=tuple(rules.hash for rules in wanted.rules),
        protocol=wanted.protocol,
        zone=wanted.zone,
        exported_at=min(latest_time(found) or datetime.now(UTC), datetime.now(UTC)),
        salt=work.salt,
        outcomes=supplied.by_patient(),
        only=_only(found, wanted.limit, work.salt),
    )


def _only(found: Grouped, limit: int | None, salt: bytes) -> frozenset[str] | None:
    """So many patients, in the order of their names in the tables, which is no order of anything else."""
    if limit is None:
        return None
    return frozenset(sorted(found.people, key=lambda patient: pseudonym(patient, salt))[:limit])


def _run(job: Job, work: Workplace, found: Grouped, open_executor: Open, progress: Progress) -> None:
    done = work.done()
    buckets = [n for n, _ in sorted(found.sizes.items(), key=lambda one: -one[1]) if n not in done]
    total = len(found.people) if job.only is None else len(job.only)
    so_far = sum(one.patients for one in summaries(work.results))
    progress.patients(so_far, total, None)

    def say(summary: Summary) -> None:
        nonlocal so_far
        so_far += summary.patients
        progress.patients(so_far, total, summary)

    if buckets:
        run(job, buckets, open_executor, say)


def _together(
    wanted: Wanted, work: Workplace, found: Grouped, supplied: SuppliedOutcomes, seconds: float
) -> Evaluation:
    results, done = work.results, summaries(work.results)
    courses = sorted(Rows(results, "courses", CourseRow), key=lambda row: (row.patient, row.course))
    markers = sorted(
        Rows(results, "markers", MarkerRow), key=lambda row: (row.patient, row.course, row.marker, row.window)
    )
    names = {patient: pseudonym(patient, work.salt) for patient, _ in supplied.rows}
    known_by = sum((Counter(one.known_by) for one in done), Counter[str]())
    compared = wanted.rules[1].hash if len(wanted.rules) > 1 else ""
    patients = sum(one.patients for one in done)
    return Evaluation(
        protocol=wanted.protocol,
        run=Run(
            wanted.version, wanted.rules[0].hash, compared, wanted.protocol.hash, wanted.protocol.statistics.seed,
            _policy(wanted.protocol), latest_time(found), patients, seconds, sum(one.constructed for one in done),
        ),
        zone_name=wanted.zone_name,
        flow=_flow(found, done, courses),
        inventory=_inventory(done),
        unread=_unread(found, supplied, done),
        availability=tuple(_availability(key, count) for key, count in sorted(known_by.items())),
        courses=tuple(courses),
        markers=tuple(markers),
        outcomes=hashed(supplied, names) if supplied is not NO_OUTCOMES else Outcomes(),
        grade_days=Rows(results, "grade_days", GradeDayRow),
        charted_grades=Rows(results, "charted_grades", ChartedGradeRow),
        moments=Rows(results, "moments", MomentRow),
        cards=Rows(results, "cards", CardRow),
        episodes=Rows(results, "episodes", EpisodeRow),
        events=Rows(results, "events", EventRow),
        codes={
            set_id: tuple(f"{c.system}|{c.code}" for c in concepts)
            for set_id, concepts in wanted.rules[0].terms.value_sets.items()
        },
        thresholds=_thresholds(wanted.rules[0]),
        changed=tuple(_changed(*wanted.rules)),
    )  # fmt: skip


def _thresholds(rules: SiteRules) -> dict[str, Decimal]:
    """The numbers in force, each under its name and unit."""
    found = {f"{one.name} ({one.unit})" if one.unit else one.name: one for one in numbers()}
    return {name: in_unit(getattr(rules.thresholds, one.name), one.unit) for name, one in found.items()}


def _changed(here: SiteRules, other: SiteRules | None = None) -> Iterator[ChangedRule]:
    """The numbers and the card modes in which the rules of `--compare` differ."""
    if other is None:
        return
    ours, theirs = _thresholds(here), _thresholds(other)
    for name, value in ours.items():
        if value != theirs[name]:
            yield ChangedRule(name, f"{value:f}", f"{theirs[name]:f}")
    for card in CardId:
        modes = here.modes.of(card), other.modes.of(card)
        if modes[0] is not modes[1]:
            yield ChangedRule(card.value, *modes)


def _availability(key: str, count: int) -> AvailabilityRow:
    quantity, _, source = key.partition("|")
    return AvailabilityRow(quantity, source, count)


def _policy(protocol: Protocol) -> str:
    """The policy that stands beside every rate."""
    moments = protocol.moments
    opened = " and ".join(f"{clock:%H:%M}" for clock in moments.chart_opened)
    said = [f"every {moments.every_hours} h" if moments.every_hours else f"chart opened at {opened}"]
    said += ["each new IL-6 or CRP"] if moments.results else []
    said += ["each change of grade"] if moments.grade_changes else []
    said += ["each order of a drug of ours"] if moments.orders else []
    return "; ".join(said)


def _flow(found: Grouped, done: Sequence[Summary], courses: Sequence[CourseRow]) -> tuple[FlowRow, ...]:
    patients = sum(one.patients for one in done)
    with_course = {row.patient for row in courses}
    first = [row for row in courses if row.course == 1]
    return (
        FlowRow("in the export", len(found.people), None),
        FlowRow("read", patients, None),
        FlowRow("without an infusion that can be read, or outside the cohort", patients - len(with_course), None),
        FlowRow("with a course", len(with_course), len(courses)),
        FlowRow("first courses", len({row.patient for row in first}), len(first)),
        FlowRow("later courses", len({r.patient for r in courses if r.course > 1}), len(courses) - len(first)),
    )


def _inventory(done: Sequence[Summary]) -> tuple[InventoryRow, ...]:
    counts = sum((Counter(one.inventory) for one in done), Counter[str]())
    rows, aside = list[InventoryRow](), Counter[str]()
    for key, count in counts.items():
        name, _, month = key.partition("|")
        if month == SET_ASIDE:
            aside[name] += count
        else:
            rows.append(InventoryRow(name, month, count, 0))
    rows += [InventoryRow(name, "", 0, count) for name, count in aside.items()]
    return tuple(sorted(rows, key=lambda row: (row.type, row.month)))


def _unread(found: Grouped, supplied: SuppliedOutcomes, done: Sequence[Summary]) -> tuple[UnreadRow, ...]:
    rows = [UnreadRow(file, why, count, places) for file, why, count, places in found.unread]
    rows += [
        UnreadRow(kind.value, coverage.why or "", 0)
        for kind, coverage in export_coverage(found).items()
        if coverage.state is not Completeness.COMPLETE
    ]
    rows += [UnreadRow(name, "names no patient", n) for name, n in sorted(found.without_patient.items())]
    rows += [UnreadRow(name, "names several patients", n) for name, n in sorted(found.of_several.items())]
    rows += [UnreadRow("export", "reports an error of its own", len(found.failures), tuple(found.failures[:5]))] * bool(
        found.failures
    )
    rows += [UnreadRow("patients", "of the recorded list are not in it", found.missing)] * bool(found.missing)
    rows += [UnreadRow("outcomes", why, 1, (f"line {number}",)) for number, why in supplied.bad]
    failed = [where for one in done for where in one.failed]
    why = "could not be worked out, by a fault of this program"
    return (*rows, *([UnreadRow("patients", why, len(failed), tuple(dict.fromkeys(failed))[:5])] if failed else []))
