"""The command `crs-cds evaluate`: a centre's own patients through the same rules."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

import click

from cds_server.command_line.evaluated_log import logged_calls
from cds_server.command_line.site import BadInputError, Site, site
from cds_server.evaluation.bucket_task import RulesFrom, Summary
from cds_server.evaluation.engine import EngineError, Open, cluster, processes
from cds_server.evaluation.evaluate import NothingToEvaluateError, Progress, Wanted, evaluate
from cds_server.evaluation.logged import LoggedCall
from cds_server.evaluation.protocol import Protocol, protocol_of
from cds_server.evaluation.reading.outcomes import OutcomesError
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.workplace import Workplace
from cds_server.limits import SettingsError
from cds_server.site_rules import SiteRules, site_rules

WORK = ".work"
_HOURS = re.compile(r"(\d{1,2})h")
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("evaluate")
@click.argument("export", metavar="[EXPORT...]", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder of the report."
)
@click.option("--protocol", "protocol_file", type=FILE, help="The definitions, as TOML; see docs/evaluate.md.")
@click.option("--outcomes", type=FILE, help="Outcomes that FHIR does not hold: patient,event,date,value,course.")
@click.option("--compare", type=FILE, help="A second file of thresholds and card modes, replayed on the same moments.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
@click.option("--cluster", "address", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.")
@click.option("--limit", type=click.IntRange(1), help="So many patients only, to try it out.")
@click.option(
    "--every", metavar="HOURS", help="Open the chart every so many hours, such as 1h, not at 08:00 and 20:00."
)
@click.option("--from", "since", metavar="DATE", help="Courses whose day 0 is this day or later.")
@click.option("--until", metavar="DATE", help="Courses whose day 0 is this day or earlier.")
@click.option("--aggregate-only", is_flag=True, help="Write no row of a patient, and cells below 7 as <7.")
@click.option("--hold", type=click.IntRange(1), help="Simulate a user who dismisses each card for so many hours.")
@click.option("--decisions", is_flag=True, help="Read the decision log, beside a replay of EXPORT or without one.")
@click.option("--as-configured", is_flag=True, help="Count active cards only, not those that are tried in shadow.")
def evaluate_command(export: tuple[Path, ...], out: Path, **options: object) -> None:
    """Evaluate the patients of EXPORT: what they had, what the rules would have said, and when.

    EXPORT is a folder of NDJSON or Bundles, as a bulk export writes them, .gz or not. The report is patient data. A run
    that is stopped goes on where it was when the same command is run again. With --decisions the report compares the
    replay with what the service said in a shadow or live period; --from and --until are then days of calls too.
    """
    here = site()
    since, until = _text(options["since"]), _text(options["until"])
    calls = logged_calls(here, since, until, datetime.now(UTC)) if options["decisions"] else []
    if not export:
        _write_log_alone(here, calls, out, options)
        return
    try:
        _check_place(out, export)
        wanted = _wanted(here, export, options)
        open_executor = _executor(options)
        out.mkdir(parents=True, exist_ok=True)
        work = Workplace(out.with_name(out.name + WORK))
        progress = _Progress()
        found = evaluate(wanted, work, open_executor, Progress(progress.reading, progress.patients))
        progress.clear()
        _write(found, calls, out, aggregate_only=bool(options["aggregate_only"]))
    except (SettingsError, OutcomesError, NothingToEvaluateError, EngineError) as error:
        raise BadInputError(str(error)) from error
    except OSError as error:
        raise BadInputError(_of_the_disk(error, out)) from error
    work.clear()
    click.echo(_said(found, out, aggregate_only=bool(options["aggregate_only"])))


def _check_place(out: Path, export: Sequence[Path]) -> None:
    """Refuse a report inside the export: the next run would read it as data. Raises BadInputError."""
    inside = [folder for folder in export if folder.is_dir() and out.resolve().is_relative_to(folder.resolve())]
    if inside:
        raise BadInputError(f"--out {out} lies in the export {inside[0]}: name a folder outside it.")


def _write(found: Evaluation, calls: Sequence[LoggedCall], out: Path, *, aggregate_only: bool) -> None:
    """Write the report. Raises BadInputError where its statistics are not installed."""
    with _needing_an_extra():
        from cds_server.evaluation.report.write import write_report  # noqa: PLC0415  (an extra)
    write_report(found, out, calls, aggregate_only=aggregate_only)


def _write_log_alone(here: Site, calls: Sequence[LoggedCall], out: Path, options: dict[str, object]) -> None:
    """Write the report of a decision log without a replay. Raises BadInputError."""
    if not calls:
        raise BadInputError("name the folder of an export, or --decisions for the decision log, or both.")
    with _needing_an_extra():
        from cds_server.evaluation.report.write import write_log_report  # noqa: PLC0415  (an extra)
    try:
        statistics = protocol_of(_path(options["protocol_file"])).statistics
        facts = {"version": version("crs-cds"), "rules": here.rules.hash, "time zone": str(here.settings.zone or "UTC")}
        write_log_report(calls, statistics, facts, out, aggregate_only=bool(options["aggregate_only"]))
    except SettingsError as error:
        raise BadInputError(str(error)) from error
    except OSError as error:
        raise BadInputError(_of_the_disk(error, out)) from error
    patients = len({call.patient for call in calls})
    click.echo(f"{len(calls)} calls about {patients} patients in the log\n{out}/index.html")


@contextmanager
def _needing_an_extra() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise BadInputError("the report needs scipy and statsmodels: install crs-cds[evaluate].") from error


def _text(option: object) -> str | None:
    return option if isinstance(option, str) else None


def _wanted(here: Site, export: tuple[Path, ...], options: dict[str, object]) -> Wanted:
    """The options as one request. Raises SettingsError and BadInputError."""
    protocol_file, compare = _path(options["protocol_file"]), _path(options["compare"])
    settings = here.settings
    rules: tuple[SiteRules, ...] = (here.rules,)
    own = RulesFrom(settings.thresholds_file, settings.value_sets_folder, settings.protocol_file)
    files: tuple[RulesFrom, ...] = (own,)
    if compare is not None:
        files = (own, replace(own, thresholds=compare))
        rules = (*rules, _compared(files[1]))
    limit, workers = options["limit"], options["workers"]
    protocol = _with_options(protocol_of(protocol_file), options)
    return Wanted(
        export, protocol, rules, files, settings.zone, str(settings.zone or ""), version("crs-cds"),
        _path(options["outcomes"]), limit if isinstance(limit, int) else None,
        workers if isinstance(workers, int) else 1, by_code=True,
    )  # fmt: skip


def _compared(files: RulesFrom) -> SiteRules:
    """The rules of `--compare`: other thresholds and modes over the site's codes and protocol. Raises SettingsError."""
    try:
        return site_rules(files.thresholds, files.value_sets, files.protocol)
    except SettingsError as error:
        raise SettingsError(str(error).replace("CRS_CDS_THRESHOLDS", "--compare")) from error


def _path(option: object) -> Path | None:
    return option if isinstance(option, Path) else None


def _with_options(protocol: Protocol, options: dict[str, object]) -> Protocol:
    """The protocol with what the command line changes in it: it stands in the report as if it were written there."""
    every, hold = options["every"], options["hold"]
    if every is not None:
        hours = _HOURS.fullmatch(str(every))
        if hours is None or int(hours[1]) < 1:
            raise BadInputError("--every must be a number of hours such as 1h or 6h.")
        protocol = replace(protocol, moments=replace(protocol.moments, every_hours=int(hours[1])))
    if isinstance(hold, int):
        protocol = replace(protocol, cards=replace(protocol.cards, hold_hours=hold))
    if options["as_configured"]:
        protocol = replace(protocol, cards=replace(protocol.cards, as_configured=True))
    for name, option in (("since", "since"), ("until", "until")):
        if options[option] is not None:
            protocol = replace(protocol, cohort=replace(protocol.cohort, **{name: _day(option, str(options[option]))}))
    return protocol


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        name = {"since": "from"}.get(option, option)
        raise BadInputError(f"--{name} must be a date such as 2026-03-01.") from error


def _executor(options: dict[str, object]) -> Open:
    address, workers = options["address"], options["workers"]
    if isinstance(address, str):
        return cluster(address)
    return processes(workers if isinstance(workers, int) else 1)


def _of_the_disk(error: OSError, out: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {out} is full; what is done is kept: make room and run the same command again."
    return f"{error.filename or out}: {os.strerror(error.errno) if error.errno else 'cannot be written'}."


def _said(found: Evaluation, out: Path, *, aggregate_only: bool) -> str:
    run, courses = found.run, found.courses
    doubts = len(found.unread)
    lines = [
        f"{run.patients} patients, {len(courses)} courses, in {run.seconds:g} s; protocol {run.protocol_hash}, "
        f"rules {run.rules_hash}",
        f"{out}/index.html" + ("" if aggregate_only else ": patient data on every page"),
    ]
    if doubts:
        lines.append(f"{doubts} things of the export could not be used or are not there")
    return "\n".join(lines)


class _Progress:
    """A line on standard error with patients, rate, time left and memory, where a person looks on."""

    EVERY = 20_000

    def __init__(self) -> None:
        self._looks = sys.stderr.isatty()
        self._started, self._first = time.monotonic(), 0
        self._shown = -1

    def reading(self, resources: int) -> None:
        if resources // self.EVERY != self._shown:
            self._shown = resources // self.EVERY
            self._say(f"{resources:,} resources sorted by patient")

    def patients(self, done: int, total: int, last: Summary | None) -> None:
        if last is None:
            self._started, self._first = time.monotonic(), done
            self._say(f"{done:,} of {total:,} patients")
            return
        seconds = max(time.monotonic() - self._started, 0.001)
        rate = (done - self._first) / seconds
        left = f", {(total - done) / rate:,.0f} s left" if rate else ""
        self._say(f"{done:,} of {total:,} patients, {rate:.1f} a second{left}, {last.mebibytes:.0f} MiB a process")

    def clear(self) -> None:
        self._say("")

    def _say(self, text: str) -> None:
        if self._looks:
            click.echo(f"\r\x1b[K{text}", err=True, nl=False)
