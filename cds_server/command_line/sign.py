"""The command `crs-cds sign`: it writes the signature of the rules in force, or says what changed since one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import click

from cards.deciding.rules_version import CITED_RULES
from cds_server.command_line.site import BadInputError, Site, site
from cds_server.limits import SettingsError
from cds_server.sign_off.comparison import differences
from cds_server.sign_off.examples import ExampleCall, cards_on_examples
from cds_server.sign_off.sign_off import SETTING
from cds_server.sign_off.signature import MOST_CHARS, Signature, as_json, read_signature


def sign_command(examples: Callable[[tzinfo], Iterable[ExampleCall]]) -> click.Command:
    """The command, with the example patients in a zone: they live where the server may not look."""

    @click.command()
    @click.option("--name", help="The name of the person who signs.")
    @click.option("--role", help="The role of that person, such as head of the CAR-T programme.")
    @click.option("--hash", "read", metavar="HASH", help="The hash at the head of the page that this person read.")
    @click.option("--date", "day", metavar="DATE", help="The day of signing; by default today.")
    @click.option("--out", type=click.Path(path_type=Path), help="The file to write; it must not exist yet.")
    @click.option("--compare", "old", type=click.Path(path_type=Path), metavar="OLD",
                  help="Write nothing; print what changed since the signature in this file.")  # fmt: skip
    def sign(
        name: str | None, role: str | None, read: str | None, day: str | None, out: Path | None, old: Path | None
    ) -> None:
        """Sign the rules in force (`crs-cds decision-table` prints them), or print what changed since a signature."""
        here = site()
        if old is not None:
            _compare(here, old, examples)
            return
        if not name or not role or not read or out is None:
            raise BadInputError("--name, --role, --hash and --out are needed to sign; --compare OLD compares only.")
        if read != here.rules.hash:
            raise BadInputError(
                f"--hash: the rules in force are {here.rules.hash}; read that page (crs-cds decision-table) first."
            )
        signature = _signature(here, (_text("name", name), _text("role", role)), _day(day, here), examples)
        _write(out, as_json(signature))
        click.echo(f"{CITED_RULES} ({signature.hash}) signed by {name}, {role}. Set {SETTING}={out} and start anew.")

    return sign


def _compare(here: Site, old: Path, examples: Callable[[tzinfo], Iterable[ExampleCall]]) -> None:
    try:
        signed = read_signature("--compare", old)
    except SettingsError as error:
        raise BadInputError(str(error)) from error
    now = _signature(here, (signed.name, signed.role), signed.date, examples)
    click.echo(f"signed: {signed.rules} ({signed.hash}) by {signed.name}, {signed.role}, {signed.date.isoformat()}")
    click.echo(f"in force: {now.rules} ({now.hash})")
    found = False
    for line in differences(signed, now):
        found = True
        click.echo(line)
    if not found:
        click.echo("Nothing changed.")


def _signature(
    here: Site, who: tuple[str, str], day: date, examples: Callable[[tzinfo], Iterable[ExampleCall]]
) -> Signature:
    zone = here.settings.zone or UTC
    return Signature(
        *who, date=day, rules=CITED_RULES, hash=here.rules.hash, content=here.rules.content(),
        examples=cards_on_examples(here.rules, examples(zone), zone),
    )  # fmt: skip


def _text(option: str, text: str) -> str:
    if not text.isprintable() or not text.strip() or len(text) > MOST_CHARS:
        raise BadInputError(f"--{option} must be 1 to {MOST_CHARS} printable characters.")
    return text.strip()


def _day(text: str | None, here: Site) -> date:
    if text is None:
        return datetime.now(here.settings.zone or UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError("--date must be a date such as 2026-03-01.") from error


def _write(out: Path, text: str) -> None:
    """Write a new file. Raises BadInputError: an earlier signature is what the next one is compared with."""
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise BadInputError(f"--out: {out} is there already; keep it to compare with, and name a new file.") from error
    except OSError as error:
        raise BadInputError(f"--out: {out} cannot be written; name a file in a folder that is there.") from error
