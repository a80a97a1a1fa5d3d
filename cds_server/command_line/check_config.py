"""The command `crs-cds check-config`: it prints what is in force, and whether each named server can be reached and
answers."""

from __future__ import annotations

import os

import click

from cds_server.app import check_services
from cds_server.command_line.connection_checks import checks
from cds_server.command_line.in_force import in_force
from cds_server.command_line.site import BadInputError, site
from cds_server.data_keys import prefetch_templates
from cds_server.hooks.client_profile import order_codings
from cds_server.limits import SettingsError, UnusableError
from cds_server.prefetch_parts import split_templates
from cds_server.settings.reading import settings_from
from cds_server.settings.table import Mode
from cds_server.sign_off.sign_off import SETTING, sign_off
from cds_server.site_rules import site_rules


@click.command("check-config")
@click.option("--prefetch", is_flag=True, help="Print the prefetch templates instead, to type in at the client.")
@click.option(
    "--max-length", type=click.IntRange(1), metavar="N",
    help="With --prefetch: split templates whose percent-encoded form is longer into several keys.",
)  # fmt: skip
@click.option("--patient", metavar="ID", help="A patient who has data: in which form does each FHIR server match them?")
def check_config(patient: str | None, max_length: int | None, *, prefetch: bool) -> None:
    """Print what is in force, and try each server that is named (exit code 1 if one cannot be used)."""
    if prefetch:
        for key, template in _templates(max_length).items():
            click.echo(f"{key}\n    {template}")
        return
    if max_length is not None:
        raise BadInputError("--max-length goes with --prefetch.")
    try:
        failed = _failed_checks(patient)
    except SettingsError as error:
        raise BadInputError(str(error)) from error
    if failed:
        raise SystemExit(1)


def _templates(longest: int | None) -> dict[str, str]:
    terms = site().rules.terms
    try:
        return prefetch_templates(terms) if longest is None else split_templates(terms, longest)
    except UnusableError as error:
        raise BadInputError(f"--max-length {error}.") from error


def _failed_checks(patient: str | None) -> int:
    """Print what is in force and every check; return how many failed. Raises SettingsError."""
    settings = settings_from(os.environ)
    check_services(settings)
    rules = site_rules(settings.thresholds_file, settings.value_sets_folder, settings.protocol_file)
    order_codings(settings.orders_file, rules.terms)
    signed = sign_off(settings.signed_file, rules, in_production=settings.in_production)
    for line in in_force(settings, rules, signed):
        click.echo(line)
    failed = 0
    if signed.shadow_only and settings.mode is not Mode.SHADOW:  # in shadow nobody waits for the cards
        failed += 1
        click.echo(f"FAILED {SETTING}: in production no card is shown until a person signs the rules (crs-cds sign)")
    for check in checks(settings, patient):
        failed += check.wrong is not None
        click.echo(f"{'FAILED' if check.wrong else 'ok':<7}{check.what}: {check.wrong or check.found}")
    return failed
