"""A site in production: one trusted client, and rules that a person signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cds_server.site_rules import site_rules
from crs_cds import sign
from tests.support.desk import BASE, EXAMPLE_VALUE_SETS
from tests.support.tokens import ISSUER, KEYS, PUBLIC

ZONE = "Asia/Shanghai"
SITE = {"CRS_CDS_TIMEZONE": ZONE, "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS)}
IN_FORCE = site_rules(None, EXAMPLE_VALUE_SETS)


def in_production(folder: Path, **environ: str) -> dict[str, str]:
    """The settings of a site in production whose client is that of the tests."""
    (folder / "keys.json").write_text(json.dumps(KEYS), encoding="utf-8")
    (folder / "clients.toml").write_text(
        f'[[client]]\nissuer = "{ISSUER}"\njwks = "keys.json"\nfhir_servers = ["{BASE}"]\n', encoding="utf-8"
    )
    return SITE | {
        "CRS_CDS_ENV": "production", "CRS_CDS_CLIENTS": str(folder / "clients.toml"), "CRS_CDS_PUBLIC_URL": PUBLIC,
        "CRS_CDS_ALLOW_HTTP": "1", "CRS_CDS_FHIR_SERVERS": BASE, "CRS_CDS_PSEUDONYM_KEY": "k" * 40,
        "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'log.sqlite'}",
    } | environ  # fmt: skip


def signing(*options: str, **environ: str) -> Result:
    """`crs-cds sign` with options."""
    return CliRunner().invoke(sign, list(options), env=SITE | environ)


def signed(file: Path, **more: Any) -> Path:
    """A signature of the packaged rules with the example hospital's codes; `more` goes into the file as it stands."""
    who = ("--name", "Dr. Wei Lin", "--role", "head of the CAR-T programme", "--date", "2026-11-27")
    said = signing(*who, "--hash", IN_FORCE.hash, "--out", str(file))
    assert said.exit_code == 0, said.output
    if more:
        found = json.loads(file.read_text(encoding="utf-8")) | more
        file.write_text(json.dumps(found), encoding="utf-8")
    return file
