"""`crs-cds cohort`: write a constructed cohort of known truth as an export, to see what an evaluation makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from example_patients.cohorts.broken import broken_cohort
from example_patients.cohorts.export import Cohort, write_cohort
from example_patients.cohorts.known import known_cohort
from example_patients.cohorts.no_effect import no_effect_cohort
from example_patients.cohorts.paper import paper_cohort
from example_patients.programs.commands import Refused

COHORTS: Mapping[str, Callable[[], Cohort]] = {
    "paper": paper_cohort,
    "no-effect": no_effect_cohort,
    "known": known_cohort,
    "broken": broken_cohort,
}


@click.command()
@click.argument("name", type=click.Choice(list(COHORTS)))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def cohort(name: str, out: Path) -> None:
    """Write a cohort of patients who do not exist into the new folder OUT, as NDJSON with outcomes and a protocol."""
    if out.exists() and any(out.iterdir()):
        raise Refused(f"OUT: {out} is not empty. Name a new folder, so that nothing of another export is mixed in.")
    try:
        patients = write_cohort(COHORTS[name](), out)
    except OSError as error:
        raise Refused(f"OUT: {out} cannot be written ({error.strerror}).") from error
    click.echo(f"{patients} constructed patients in {out}: evaluate them with --protocol {out / 'protocol.toml'}.")
