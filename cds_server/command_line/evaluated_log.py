"""The decision log as `crs-cds evaluate --decisions` reads it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cds_server.command_line.log_reports import in_log
from cds_server.command_line.site import BadInputError, Site, day_of
from cds_server.evaluation.logged import LoggedCall, calls_of_log
from cds_server.storage.database import SCHEMA
from cds_server.storage.schema import is_up_to_date
from cds_server.storage.spool import Spool


def logged_calls(here: Site, since: str | None, until: str | None, now: datetime) -> list[LoggedCall]:
    """The calls in the log from one day to another, both included; all of them by default. Raises BadInputError."""
    start = day_of("from", since, datetime.min.replace(year=1901, tzinfo=now.tzinfo), here)
    end = day_of("until", until, now, here)
    end = end if until is None else end.replace(hour=23, minute=59, second=59, microsecond=999_999)
    found: list[LoggedCall] = []

    def work(engine: Engine, _: Spool | None) -> str:
        if not is_up_to_date(engine):
            raise BadInputError(
                f"CRS_CDS_DATABASE_URL: the tables are not of revision {SCHEMA}, which this version reads; "
                "`crs-cds upgrade` brings them up to date."
            )
        with Session(engine) as session:
            found.extend(calls_of_log(session, start, end, here.settings.zone))
        return ""

    in_log(work)
    if not found:
        raise BadInputError("--decisions: the log holds no call of this period.")
    return found
