"""The common ground of the commands: the site's rules, moments and days as the user types them, the exit on bad
input."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import IO

import click

from cds_server.limits import SettingsError
from cds_server.settings.reading import site_settings_from
from cds_server.settings.table import SiteSettings
from cds_server.site_rules import SiteRules, site_rules

FIRST_YEAR, LAST_YEAR = 1901, 2199


class BadInputError(click.ClickException):
    """Bad input, which ends the command with a sentence on standard error and exit code 2."""

    exit_code = 2


@dataclass(frozen=True)
class Site:
    """The settings of a site that need no server, and its rules."""

    settings: SiteSettings
    rules: SiteRules


def site() -> Site:
    """The site's rules from the environment, as the server reads them. Raises BadInputError."""
    try:
        settings = site_settings_from(os.environ)
        return Site(settings, site_rules(settings.thresholds_file, settings.value_sets_folder, settings.protocol_file))
    except SettingsError as error:
        raise BadInputError(str(error)) from error


def moment_of(text: str | None, here: Site) -> datetime:
    """The moment that `--at` names, by default now. Raises BadInputError."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError("--at must be a time such as 2026-03-09T09:45:00+08:00.") from error
    if at.tzinfo is None and here.settings.zone is None:
        raise BadInputError("--at needs an offset, such as 2026-03-09T09:45:00+08:00, or CRS_CDS_TIMEZONE must be set.")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BadInputError(f"--at must lie between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return at if at.tzinfo is not None else at.replace(tzinfo=here.settings.zone)


def day_of(name: str, text: str | None, default: datetime, here: Site) -> datetime:
    """The beginning of the day that an option names, in the site's zone. Raises BadInputError."""
    if text is None:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"--{name} must be a date such as 2026-03-01.") from error
    return datetime(day.year, day.month, day.day, tzinfo=here.settings.zone or UTC)


def file_name(file: IO[bytes]) -> str:
    """The name of a file as the user knows it."""
    name = getattr(file, "name", "-")
    return "standard input" if name in ("-", "<stdin>") else str(name)
