"""`crs-cds seed`: example patients on a FHIR server.

Bad input, or a server that gives no answer, ends with exit code 2 and a sentence that names the step.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from example_patients import seeding
from example_patients.talk import NoAnswerError, session_with


class Refused(click.ClickException):
    """A sentence on standard error, exit code 2."""

    exit_code = 2


def _base(name: str, text: str) -> str:
    """A base URL without the slash at its end."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        good = False
    if not good or "?" in text or "#" in text or not text.isprintable() or " " in text:
        raise Refused(f"{name} must be an address such as https://fhir.example.org/r4, without user, query and spaces.")
    return text.rstrip("/")


def _token(variable: str | None) -> str | None:
    """The bearer token in an environment variable. Neither is shown: the name may be a token typed by mistake."""
    if variable is None:
        return None
    token = os.environ.get(variable, "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Refused("--token-env must name an environment variable that holds a token, without spaces in it.")
    return token


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused("--timezone (or CRS_CDS_TIMEZONE) must be an IANA name such as Europe/Berlin.") from error


FHIR_TOKEN = click.option(
    "--token-env", metavar="NAME", help="The environment variable that holds the bearer token for the FHIR server."
)


@click.command()
@click.argument("fhir_base")
@click.option("--remove", "removing", is_flag=True, help="Take the examples away again.")
@click.option(
    "--timezone", default="UTC", envvar="CRS_CDS_TIMEZONE", show_envvar=True, show_default=True,
    help="The service's CRS_CDS_TIMEZONE: infusion and baseline lie on one date there.",
)  # fmt: skip
@FHIR_TOKEN
def seed(fhir_base: str, timezone: str, token_env: str | None, *, removing: bool) -> None:
    """Load the example patients, moved to now, into the FHIR server at FHIR_BASE: never one with real patients."""
    base, zone, token = _base("FHIR_BASE", fhir_base), _zone(timezone), _token(token_env)
    try:
        with session_with(lambda _: token) as session:
            if removing:
                number = seeding.remove(base, session)
                click.echo(f"{number} resources removed." if number else "Nothing to remove.")
                return
            done = seeding.seed(base, session, datetime.now(UTC), zone)
    except NoAnswerError as error:
        raise Refused(str(error)) from error
    what = f"{done.written} of {done.total} resources written" if done.written else "Unchanged"
    click.echo(f"{what}: {seeding.PATIENTS} patients whose calls are at {done.moved_to:%Y-%m-%d %H:%M} UTC.")
