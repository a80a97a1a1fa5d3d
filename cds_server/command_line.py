"""The command `crs-cds`. Bad input ends with exit code 2 and a sentence that names file, entry and field."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any

import click
from flask.cli import AppGroup, ScriptInfo
from flask.json import dumps
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cards.pages.decision_page import decision_page
from cards.pages.explanation import explanation
from cds_server.app import check_services, create_app
from cds_server.config_check import checks, in_force
from cds_server.data_keys import prefetch_templates
from cds_server.hooks.answer import answer_json
from cds_server.hooks.client_profile import order_codings
from cds_server.hooks.services import SERVICE_OF_HOOK
from cds_server.limits import SettingsError
from cds_server.patient_advice import Occasion, advice_on, facts_of, mapping_context
from cds_server.record.recorded_bundle import BadBundleError, check_drafts, recorded_drafts, recorded_patient
from cds_server.settings.reading import settings_from, site_settings_from
from cds_server.settings.table import DEFAULT_DATABASE, SiteSettings
from cds_server.site_rules import SiteRules, site_rules
from cds_server.storage.database import engine_for
from cds_server.storage.purge import purge
from cds_server.storage.reports import alerts_text, feedback_csv, feedback_report, feedback_text, unmatched_feedback


@dataclass(frozen=True)
class Site:
    settings: SiteSettings
    rules: SiteRules


FIRST_YEAR, LAST_YEAR = 1901, 2199


class Refused(click.ClickException):
    """Bad input: a sentence on standard error, exit code 2."""

    exit_code = 2


def site() -> Site:
    """The site's rules from the environment, as the server reads them."""
    try:
        settings = site_settings_from(os.environ)
        return Site(settings, site_rules(settings.thresholds_file, settings.value_sets_folder))
    except SettingsError as error:
        raise Refused(str(error)) from error


def _moment(text: str | None, here: Site) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused("--at must be a time such as 2026-03-09T09:45:00+08:00.") from error
    if at.tzinfo is None and here.settings.zone is None:
        raise Refused("--at needs an offset, such as 2026-03-09T09:45:00+08:00, or CRS_CDS_TIMEZONE must be set.")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Refused(f"--at must lie between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return at if at.tzinfo is not None else at.replace(tzinfo=here.settings.zone)


def _name(file: IO[bytes]) -> str:
    name = getattr(file, "name", "-")
    return "standard input" if name in ("-", "<stdin>") else str(name)


commands = AppGroup("crs-cds", help="CRS after CAR-T cells: decision support by CDS Hooks.")


@commands.command(with_appcontext=False)
@click.argument("bundle", type=click.File("rb"))
@click.option("--hook", type=click.Choice(list(SERVICE_OF_HOOK)), help="By default patient-view, or order-sign.")
@click.option("--draft", type=click.File("rb"), multiple=True, help="A drafted order, or a Bundle of them.")
@click.option("--at", metavar="TIME", help="The moment of the call; by default now.")
@click.option("--patient", metavar="ID", help="The patient, where the Bundle does not say.")
@click.option("--json", "as_json", is_flag=True, help="The CDS Hooks answer instead of the page.")
def explain(
    bundle: IO[bytes],
    hook: str | None,
    draft: tuple[IO[bytes], ...],
    at: str | None,
    patient: str | None,
    as_json: bool,
) -> None:
    """Why the patient of a recorded BUNDLE gets which cards ("-" reads standard input)."""
    here = site()
    try:
        files = [(_name(file), recorded_drafts(_name(file), file.read())) for file in draft]
        recorded = recorded_patient(_name(bundle), bundle.read(), patient)
        for name, found_drafts in files:
            check_drafts(name, found_drafts, recorded)
    except BadBundleError as error:
        raise Refused(str(error)) from error
    drafts = tuple(one for _, found_drafts in files for one in found_drafts)
    service = SERVICE_OF_HOOK[hook or ("order-sign" if drafts else "patient-view")]
    owner = recorded.owner
    how = mapping_context(owner.patient_id, owner.fhir_base, here.rules, here.settings.zone, _moment(at, here))
    facts = facts_of(recorded.record, how)
    found = advice_on(Occasion(service.showing, drafts), facts, recorded.record, how, here.rules)
    if as_json:
        shown: dict[str, Any] = answer_json(found, facts, here.rules, here.settings.public_url)
        click.echo(dumps(shown, indent=2))
    else:
        click.echo(explanation(facts, found, here.rules.thresholds, here.rules.hash), nl=False)


@commands.command("decision-table", with_appcontext=False)
def decision_table() -> None:
    """The page to sign: rows, numbers, wording and codes in force at this site, as Markdown."""
    here = site()
    click.echo(decision_page(here.rules.thresholds, here.rules.terms, here.rules.modes, here.rules.hash), nl=False)


PERIOD = (
    click.option("--since", metavar="DATE", help="From this day on; by default 30 days ago."),
    click.option("--until", metavar="DATE", help="Before this day; by default until now."),
)


def _day(name: str, text: str | None, default: datetime, here: Site) -> datetime:
    if text is None:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"--{name} must be a date such as 2026-03-01.") from error
    return datetime(day.year, day.month, day.day, tzinfo=here.settings.zone or UTC)


def _in_log(work: Callable[[Engine], str]) -> None:
    """Do some work on the log, as the service left it. A database that does not answer is a sentence."""
    try:
        engine = engine_for(os.environ.get("CRS_CDS_DATABASE_URL", DEFAULT_DATABASE), statement_seconds=0)
        file = engine.url.database
        if engine.dialect.name == "sqlite" and file and not os.path.exists(file):
            raise Refused(f"CRS_CDS_DATABASE_URL: there is no {file}; name the database of the service.")
        try:
            click.echo(work(engine), nl=False)
        finally:
            engine.dispose()
    except SettingsError as error:
        raise Refused(str(error)) from error
    except SQLAlchemyError as error:
        raise Refused(f"CRS_CDS_DATABASE_URL: the database does not answer ({type(error).__name__}).") from error


@commands.command(with_appcontext=False)
@PERIOD[0]
@PERIOD[1]
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, for a spreadsheet.")
def feedback(since: str | None, until: str | None, *, as_csv: bool) -> None:
    """Per card how often it was shown, accepted and overridden, with the reasons."""
    here, now = site(), datetime.now(UTC)
    start, end = _day("since", since, now - timedelta(days=30), here), _day("until", until, now, here)

    def work(engine: Engine) -> str:
        with Session(engine) as session:
            reports = feedback_report(session, start, end)
            return feedback_csv(reports) if as_csv else feedback_text(reports, unmatched_feedback(session, start, end))

    _in_log(work)


@commands.command(with_appcontext=False)
@PERIOD[0]
@PERIOD[1]
def alerts(since: str | None, until: str | None) -> None:
    """How many calls got cards, how many were silent, and why."""
    here, now = site(), datetime.now(UTC)
    start, end = _day("since", since, now - timedelta(days=30), here), _day("until", until, now, here)

    def work(engine: Engine) -> str:
        with Session(engine) as session:
            return alerts_text(session, start, end)

    _in_log(work)


@commands.command("purge", with_appcontext=False)
@click.option("--before", metavar="DATE", required=True, help="Decisions of earlier days are deleted.")
def purge_log(before: str) -> None:
    """Delete old decisions with their cards and feedback."""
    here = site()
    end = _day("before", before, datetime.now(UTC), here)
    _in_log(lambda engine: f"{purge(engine, end)} decisions deleted.\n")


@commands.command("check-config", with_appcontext=False)
@click.option("--prefetch", is_flag=True, help="Print the prefetch templates instead, to type in at the client.")
def check_config(*, prefetch: bool) -> None:
    """What is in force, and whether each server that is named can be reached and answers (exit code 1 if not)."""
    if prefetch:
        for key, template in prefetch_templates(site().rules.terms).items():
            click.echo(f"{key}\n    {template}")
        return
    try:
        settings = settings_from(os.environ)
        check_services(settings)
        rules = site_rules(settings.thresholds_file, settings.value_sets_folder)
        order_codings(settings.orders_file, rules.terms)
        for line in in_force(settings, rules):
            click.echo(line)
        wrong = 0
        for check in checks(settings):
            wrong += check.wrong is not None
            click.echo(f"{'FAILED' if check.wrong else 'ok':<7}{check.what}: {check.wrong or check.found}")
    except SettingsError as error:
        raise Refused(str(error)) from error
    if wrong:
        raise SystemExit(1)


def main() -> None:
    os.umask(0o077)  # a decision log in SQLite is for no one else to read
    commands(obj=ScriptInfo(create_app=create_app), prog_name="crs-cds")
