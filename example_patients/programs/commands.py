"""`crs-cds seed` and `crs-cds selftest`: put the example patients on a FHIR server, and test an installation with them.

Bad input, or a server that gives no answer, ends with exit code 2 and a sentence that names the step.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from example_patients.client.ehr import Ehr
from example_patients.client.http_calls import NoAnswerError, session_with
from example_patients.client.token import signer_from
from example_patients.programs import seed as seeding
from example_patients.programs.selftest import Selftest, SelftestRow, as_data, table

DISCOVERY = "/cds-services"


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
    """The bearer token in an environment variable. No message shows them: the name may be a token typed by mistake."""
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


def _signed(key: Path | None, issuer: str | None, kid: str | None, aud: str | None) -> Callable[[str], str | None]:
    """The token of the client for an address: a fresh JWT for each call, or none."""
    if key is None and not (issuer or kid or aud):
        return lambda _: None
    if key is None or not issuer:
        raise Refused("--key and --issuer go together, and --kid and --aud with them.")
    try:
        return signer_from(key.read_bytes(), issuer, kid, aud).token
    except (OSError, ValueError) as error:
        why = "cannot be read" if isinstance(error, OSError) else error
        raise Refused(f"--key {key}: {why}.") from error


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
@click.option(
    "--batch", type=click.IntRange(min=1), metavar="N",
    help="Resources of a transaction; by default all, or fewer where the server refuses.",
)  # fmt: skip
@FHIR_TOKEN
def seed(fhir_base: str, timezone: str, batch: int | None, token_env: str | None, *, removing: bool) -> None:
    """Load the example patients, moved to now, into the FHIR server at FHIR_BASE: never one with real patients."""
    base, zone, token = _base("FHIR_BASE", fhir_base), _zone(timezone), _token(token_env)
    try:
        with session_with(lambda _: token) as session:
            if removing:
                number = seeding.remove(base, session, batch)
                click.echo(f"{number} resources removed." if number else "Nothing to remove.")
                return
            done = seeding.seed(base, session, datetime.now(UTC), zone, batch)
    except NoAnswerError as error:
        raise Refused(str(error)) from error
    what = f"{done.written} of {done.total} resources written" if done.written else "Unchanged"
    click.echo(f"{what}: {seeding.PATIENTS} patients whose calls are at {done.moved_to:%Y-%m-%d %H:%M} UTC.")


@click.command()
@click.argument("service_url")
@click.option("--fhir", required=True, metavar="FHIR_BASE", help="The FHIR server, by the address that crs-cds calls.")
@FHIR_TOKEN
@click.option("--key", type=click.Path(path_type=Path), help="The client's private key (PEM or JWK), to sign JWTs.")
@click.option("--issuer", metavar="ISS", help="The client's `iss`.")
@click.option("--kid", help="The id of the key; by default that of the JWK.")
@click.option("--aud", metavar="URL", help="The audience; by default the address that is called.")
@click.option("--quick", is_flag=True, help="One story for each card, on one hook.")
@click.option("--json", "as_json", is_flag=True, help="The same as data.")
def selftest(service_url: str, fhir: str, token_env: str | None, *, quick: bool, as_json: bool, **signing: Any) -> None:
    """Ask the service at SERVICE_URL about the seeded patients as an EHR does (exit code 1 where a card differs)."""
    service, base = _base("SERVICE_URL", service_url).removesuffix(DISCOVERY), _base("--fhir", fhir)
    token, sign = _token(token_env), _signed(**signing)
    rows: list[SelftestRow] = []
    try:
        with session_with(sign) as to_service, session_with(lambda _: token) as to_fhir:
            # a new user for each run: a card that was overridden stays away from its user and would be missing in the
            # next run
            user = f"Practitioner/selftest-{uuid.uuid4()}"
            run = Selftest(Ehr(service, base, to_service, to_fhir, token, user), datetime.now(UTC), quick=quick)
            for row in run.rows():
                rows.append(row)
                if sys.stderr.isatty():
                    click.echo(f"\r{len(rows)} asked", nl=False, err=True)
    except NoAnswerError as error:
        raise Refused(str(error)) from error
    right, remarks = sum(row.ok for row in rows), list(run.remarks())
    if as_json:
        told = {"ok": right == len(rows), "service": service, "fhirServer": base, "rows": list(map(as_data, rows))}
        click.echo(json.dumps(told | {"remarks": remarks}, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join((*table(rows), "", f"{right} of {len(rows)} as wanted.", *remarks)))
    if right < len(rows):
        raise SystemExit(1)
