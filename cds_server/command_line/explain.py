"""The commands `crs-cds explain` and `crs-cds decision-table`: the site's rules, on a recorded patient and as a
page."""

from __future__ import annotations

from typing import IO

import click
from flask.json import dumps

from cards.pages.decision_page import decision_page
from cards.pages.explanation import explanation
from cds_server.command_line.site import BadInputError, file_name, moment_of, site
from cds_server.hooks.answer import answer_json
from cds_server.hooks.services import SERVICE_OF_HOOK
from cds_server.patient_advice import Occasion, advice_on, facts_of, mapping_context
from cds_server.record.recorded_bundle import (
    BadBundleError,
    RecordedPatient,
    check_drafts,
    recorded_drafts,
    recorded_patient,
)
from fhir_mappings.medications.draft_fields import Draft


@click.command()
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
    *,
    as_json: bool,
) -> None:
    """Explain why the patient of a recorded BUNDLE gets which cards ("-" reads standard input)."""
    here = site()
    recorded, drafts = _recorded(bundle, draft, patient)
    service = SERVICE_OF_HOOK[hook or ("order-sign" if drafts else "patient-view")]
    owner, rules = recorded.owner, here.rules
    context = mapping_context(owner.patient_id, owner.fhir_base, rules, here.settings.zone, moment_of(at, here))
    facts = facts_of(recorded.record, context)
    found = advice_on(Occasion(service.showing, drafts), facts, recorded.record, context, rules)
    if as_json:
        click.echo(dumps(answer_json(found, facts, rules, here.settings.public_url), indent=2))
    else:
        click.echo(explanation(facts, found, rules.thresholds, rules.hash), nl=False)


def _recorded(
    bundle: IO[bytes], files: tuple[IO[bytes], ...], patient: str | None
) -> tuple[RecordedPatient, tuple[Draft, ...]]:
    """The patient of a Bundle, and the drafts in files, which must be of that patient. Raises BadInputError."""
    try:
        drafts = [(file_name(file), recorded_drafts(file_name(file), file.read())) for file in files]
        recorded = recorded_patient(file_name(bundle), bundle.read(), patient)
        for name, found in drafts:
            check_drafts(name, found, recorded)
    except BadBundleError as error:
        raise BadInputError(str(error)) from error
    return recorded, tuple(draft for _, found in drafts for draft in found)


@click.command("decision-table")
def decision_table() -> None:
    """Print the page to sign: rows, numbers, wording and codes in force at this site, as Markdown."""
    rules = site().rules
    click.echo(decision_page(rules.thresholds, rules.terms, rules.modes, rules.hash, rules.protocol), nl=False)
