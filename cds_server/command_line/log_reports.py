"""The commands on the decision log: what it shows, how it is kept short, and how it goes back by one version."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cds_server.app import spool_of
from cds_server.command_line.site import BadInputError, day_of, site
from cds_server.limits import SettingsError
from cds_server.settings.reading import log_settings_from
from cds_server.storage.chain.purge import purge as purged
from cds_server.storage.database import SCHEMA, engine_for
from cds_server.storage.reports import (
    alerts_text,
    feedback_csv,
    feedback_report,
    feedback_text,
    unmatched_feedback,
    waiting_decisions,
)
from cds_server.storage.schema import NoRevisionBeforeError, UnknownRevisionError, rows_by_table
from cds_server.storage.schema import downgrade as to_revision_before
from cds_server.storage.schema import upgrade as to_newest
from cds_server.storage.spool import Spool

_since = click.option("--since", metavar="DATE", help="From this day on; by default 30 days ago.")
_until = click.option("--until", metavar="DATE", help="Before this day; by default until now.")


@click.command()
@_since
@_until
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, for a spreadsheet.")
def feedback(since: str | None, until: str | None, *, as_csv: bool) -> None:
    """Print for each card how often it was shown, accepted and overridden, with the reasons."""
    start, end = _period(since, until)

    def work(session: Session) -> str:
        reports = feedback_report(session, start, end)
        return feedback_csv(reports) if as_csv else feedback_text(reports, unmatched_feedback(session, start, end))

    _report(work)


@click.command()
@_since
@_until
def alerts(since: str | None, until: str | None) -> None:
    """Print how many calls got cards, how many were silent, and why."""
    start, end = _period(since, until)

    def work(engine: Engine, spool: Spool | None) -> str:
        waiting, closed = waiting_decisions(spool, start, end)
        with Session(engine) as session:
            text = alerts_text(session, start, end, waiting)
        return text + (f"{closed} decisions in the spool are not opened by CRS_CDS_SPOOL_KEY.\n" if closed else "")

    in_log(work)


@click.command()
@click.option("--before", metavar="DATE", required=True, help="Decisions of earlier days are deleted.")
def purge(before: str) -> None:
    """Delete old decisions with their cards and feedback."""
    end = day_of("before", before, datetime.now(UTC), site())

    def work(engine: Engine, spool: Spool | None) -> str:
        waiting = spool.purge(end) if spool is not None else 0
        found = purged(engine, end, operator())
        anchor = "The log begins after seal {}, hash {}.\n".format(*found.anchor) if found.anchor else ""
        return f"{found.decisions + waiting} decisions deleted.\n{anchor}"

    in_log(work)


def operator() -> str:
    """The user who runs this command, as the machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return f"user {os.getuid()}"


@click.command()
def upgrade() -> None:
    """Bring the tables up to date, before the workers of this version start. They would do it too."""

    def work(engine: Engine, _: Spool | None) -> str:
        try:
            to_newest(engine)
        except UnknownRevisionError as error:
            raise BadInputError(f"CRS_CDS_DATABASE_URL: {error}.") from error
        return f"The tables are of revision {SCHEMA}.\n"

    in_log(work)


@click.command()
def downgrade() -> None:
    """Take the tables back to the version before. Stop every worker and make a backup first.

    Only the version before is supported. A table that it does not know is deleted, and said with its rows.
    """

    def work(engine: Engine, _: Spool | None) -> str:
        before = rows_by_table(engine)
        try:
            revision = to_revision_before(engine)
        except NoRevisionBeforeError as error:
            raise BadInputError(f"CRS_CDS_DATABASE_URL: {error}.") from error
        lost = {table: number for table, number in before.items() if table not in rows_by_table(engine)}
        deleted = "".join(f"{table}: deleted with {number} rows.\n" for table, number in lost.items())
        return f"{deleted}The tables are of revision {revision}. Start the version before.\n"

    in_log(work)


def _period(since: str | None, until: str | None) -> tuple[datetime, datetime]:
    """The period that a report covers. Raises BadInputError."""
    here, now = site(), datetime.now(UTC)
    return day_of("since", since, now - timedelta(days=30), here), day_of("until", until, now, here)


def _report(work: Callable[[Session], str]) -> None:
    def read(engine: Engine, _: Spool | None) -> str:
        with Session(engine) as session:
            return work(session)

    in_log(read)


def in_log(work: Callable[[Engine, Spool | None], str]) -> None:
    """Do some work on the log, as the service left it. Raises BadInputError if the database does not answer."""
    try:
        settings = log_settings_from(os.environ)
        engine = engine_for(settings.database_url, statement_seconds=0)
        file = engine.url.database
        if engine.dialect.name == "sqlite" and file and not os.path.exists(file):
            raise BadInputError(f"CRS_CDS_DATABASE_URL: there is no {file}; name the database of the service.")
        try:
            click.echo(work(engine, spool_of(settings)), nl=False)
        finally:
            engine.dispose()
    except SettingsError as error:
        raise BadInputError(str(error)) from error
    except SQLAlchemyError as error:
        wrong = f"CRS_CDS_DATABASE_URL: the database does not answer ({type(error).__name__})."
        raise BadInputError(wrong) from error
