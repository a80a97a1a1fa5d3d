"""The command `crs-cds coverage`: what the service reads in exported data, sets aside, and does not know."""

from __future__ import annotations

import sys
from datetime import UTC
from pathlib import Path

import click

from cds_server.command_line.site import BadInputError, moment_of, site
from cds_server.exports.export import Export
from cds_server.inventory.in_force import InForce
from cds_server.inventory.inventory import Inventory, inventory
from cds_server.inventory_report.as_json import as_json as in_json
from cds_server.inventory_report.report import report
from cds_server.inventory_report.shown import json_text, safe
from cds_server.inventory_report.table import table


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--at", metavar="TIME", help="The moment after which data lie ahead of the clock; by default now.")
@click.option("--share", is_flag=True, help="Leave out codes and texts of fewer than five patients, and file names.")
@click.option("--json", "as_json", is_flag=True, help="JSON with every row, instead of the tables.")
def coverage(files: tuple[Path, ...], at: str | None, *, share: bool, as_json: bool) -> None:
    """Say what is read in FILE..., what is set aside and why, and what looks like ours and is not known.

    FILE is a Bundle, a recorded call, NDJSON, any of them as .gz, or a folder of these. The output is patient data.
    """
    here = site()
    in_force = InForce(here.rules.terms, here.rules.thresholds, here.settings.zone or UTC, moment_of(at, here))
    progress = _Progress()
    found = inventory(Export(files), in_force, progress.say)
    progress.clear()
    if not found.types.total():
        raise BadInputError(_nothing(found, files, named=not share))
    shown = report(found, shared=share)
    if as_json:
        click.echo(json_text(in_json(shown), indent=2))
    else:
        for line in table(shown):
            click.echo(line)


def _nothing(found: Inventory, files: tuple[Path, ...], *, named: bool) -> str:
    """A sentence on what is wrong where no file holds a resource."""
    wrong = [f"{safe(file)}: {why.value}" for file, why, _ in found.unread] if named else []
    rest = "; ".join(wrong[:5]) or "no file with a FHIR resource"
    return f"nothing in {'it' if len(files) == 1 else 'them'} can be read: {rest}."


class _Progress:
    """A line on standard error that says how far the reading is, where a person looks on."""

    EVERY = 50_000

    def __init__(self) -> None:
        self._shown = -1
        self._looks = sys.stderr.isatty()

    def say(self, file: str, resources: int) -> None:
        if self._looks and resources // self.EVERY != self._shown:
            self._shown = resources // self.EVERY
            click.echo(f"\r\x1b[K{resources:,} resources, {safe(file)[-60:]}", err=True, nl=False)

    def clear(self) -> None:
        if self._looks:
            click.echo("\r\x1b[K", err=True, nl=False)
