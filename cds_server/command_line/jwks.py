"""The command `crs-cds jwks`: the public half of a key of ours, to register at an authorization server."""

from __future__ import annotations

import json
from typing import IO

import click

from cds_server.command_line.site import BadInputError, file_name
from cds_server.limits import UnusableError
from cds_server.trust.own_keys import own_key, public_key_set

MOST_BYTES = 100_000


@click.command()
@click.argument("key", type=click.File("rb"))
@click.option("--kid", required=True, help="The `kid` of this key in the clients file or in the file of CRS_CDS_SMART.")
def jwks(key: IO[bytes], kid: str) -> None:
    """Print the public key set (JWKS) of the private KEY, a PEM file; "-" reads standard input."""
    if not kid.isprintable() or not kid.strip():
        raise BadInputError("--kid must be printable and not empty.")
    try:
        found = public_key_set(own_key(key.read(MOST_BYTES), kid))
    except UnusableError as error:
        raise BadInputError(f"{file_name(key)}: {error}.") from error
    click.echo(json.dumps(found, indent=2))
