"""The command `crs-cds record`: the records of a list of patients, read by our own searches, for `crs-cds evaluate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from cds_server.app import trusted_clients
from cds_server.command_line.site import BadInputError, site
from cds_server.evaluation.courses import Look
from cds_server.evaluation.protocol import Protocol
from cds_server.limits import SettingsError, UnusableError
from cds_server.outgoing.backend_tokens import BackendTokens, OwnToken
from cds_server.outgoing.base_url import LOOPBACK, normalised_base
from cds_server.outgoing.bounded_http import Network, pooled_session
from cds_server.outgoing.fhir_errors import FhirError
from cds_server.recording.patient_list import PatientListError, listed_patients
from cds_server.recording.recorded_folder import FolderError, RecordedFolder
from cds_server.recording.recording import Recorded, Source, record_patients
from cds_server.settings.reading import outgoing_settings_from

MOST_NAMED = 10
KEPT = "What was recorded is kept; run the same command again."


@click.command("record")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.option("--patients", required=True, type=click.Path(path_type=Path, dir_okay=False), help="One FHIR id a line.")
@click.option("--fhir", required=True, metavar="BASE", help="The FHIR server, such as https://fhir.example.org/r4.")
@click.option(
    "--token-env", metavar="NAME",
    help="The environment variable that holds the bearer token; without it our own, where CRS_CDS_CLIENTS has one.",
)  # fmt: skip
def record(out: Path, patients: Path, fhir: str, token_env: str | None) -> None:
    """Read the patients of a list from a FHIR server into OUT, for `crs-cds evaluate OUT`.

    For a site whose export lacks what the rules need, such as medication administrations. OUT is patient data. A run
    that is stopped goes on where it was when the same command is run again.
    """
    here, progress = site(), _Progress()
    now = datetime.now(UTC)
    look = Look(Protocol(), here.rules, here.settings.zone, now)
    try:
        in_file = listed_patients(patients)
        listed = in_file.patients
        with _source(fhir, token_env) as source:
            folder = RecordedFolder(out, source.base, now)
            found = record_patients(source, listed, look, folder, lambda done: progress.say(done, len(listed)))
    except (PatientListError, FolderError, SettingsError) as error:
        raise BadInputError(str(error)) from error
    except FhirError as error:
        raise BadInputError(f"{fhir}: {error.why}. {KEPT}") from error
    except OSError as error:
        raise BadInputError(f"{out}: {error.strerror}. {KEPT}") from error
    finally:
        progress.clear()
    for line in _said(found, in_file.again):
        click.echo(line)
    if not found.is_whole:
        raise SystemExit(2)


@contextmanager
def _source(fhir: str, token_env: str | None) -> Iterator[Source]:
    """The FHIR server, by the network settings of the service. Raises BadInputError and SettingsError."""
    try:
        base = normalised_base(fhir)
    except UnusableError as error:
        raise BadInputError(f"--fhir {error}.") from error
    settings = outgoing_settings_from(os.environ)
    with pooled_session(4, Network(settings.ca_bundle, settings.https_proxy, settings.client_cert)) as session:
        token: str | OwnToken | None = _token(token_env)
        trusted = trusted_clients(settings)
        if token is None and trusted is not None and base in trusted.backends:
            token = OwnToken(BackendTokens(trusted.backends, session), base)
        if token is not None and urlsplit(base).scheme == "http" and urlsplit(base).hostname not in LOOPBACK:
            raise BadInputError("--fhir is plain http, by which no token is sent; use https.")
        yield Source(session, base, token, settings.patient_search)


def _token(variable: str | None) -> str | None:
    """The bearer token in an environment variable. No message shows its name, which may be a token by mistake."""
    if variable is None:
        return None
    token = os.environ.get(variable, "").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise BadInputError("--token-env must name an environment variable that holds a token, without spaces in it.")
    return token


def _said(found: Recorded, doubled: int) -> Iterator[str]:
    """The outcome in sentences. Patients are named by the line that lists them; `doubled` lines name one once more."""
    before = f", {found.before} before" if found.before else ""
    none = f"; of {found.without_course} of these no CAR-T infusion is on record" if found.without_course else ""
    yield f"{found.now} patients recorded now{before}{none}."
    if doubled:
        yield f"Lines that name a patient again: {doubled}. Each patient counts once."
    if found.of_earlier_lists:
        yield f"Patients of earlier lists who are not in the folder: {found.of_earlier_lists}."
    if found.unknown:
        yield f"Not known to the FHIR server: {_lines([one.line for one in found.unknown])}."
    for one, whole in found.in_part[:MOST_NAMED]:
        gaps = "; ".join(f"{resource_type} ({error.why})" for resource_type, error in whole.gaps)
        again = "left out, the same command reads it again" if whole.may_be_whole_later else "kept, and marked in part"
        yield f"Line {one.line} was not read whole: {gaps}. It is {again}."
    if len(found.in_part) > MOST_NAMED:
        yield f"{len(found.in_part) - MOST_NAMED} more were not read whole."


def _lines(numbers: list[int]) -> str:
    more = f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else ""
    return f"line {', '.join(map(str, numbers[:MOST_NAMED]))}{more}"


class _Progress:
    """A line on standard error that says how many patients are done, where a person looks on."""

    def __init__(self) -> None:
        self._looks = sys.stderr.isatty()

    def say(self, done: int, of: int) -> None:
        if self._looks:
            click.echo(f"\r{done:,} of {of:,} patients", nl=False, err=True)

    def clear(self) -> None:
        if self._looks:
            click.echo("\r\033[K", nl=False, err=True)
