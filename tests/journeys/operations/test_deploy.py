"""The compose file: valid by its specification, with settings that exist, and a proxy that does what it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cds_server.settings.table import known_names
from tests.support.tables import rows

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_the_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout


def test_each_setting_in_the_compose_file_exists() -> None:
    named = {name for name in COMPOSE["services"]["service"]["environment"] if name.startswith("CRS_CDS_")}
    assert named
    assert named <= known_names()


def test_no_secret_is_typed_into_the_compose_file() -> None:
    secrets = {
        name: value
        for service in COMPOSE["services"].values()
        for name, value in service.get("environment", {}).items()
        if "KEY" in name or "PASSWORD" in name
    }
    assert secrets
    assert [name for name, value in secrets.items() if not value.startswith("${") or ":?" not in value] == []


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]
    assert COMPOSE["services"]["database"]["networks"] == ["database"]


PROXY = rows("""
| because                                                | says                                            |
| it ends TLS                                            | listen 8443 ssl;                                |
| it takes in whole headers before it opens a connection | client_header_timeout 10s;                      |
| it closes idle connections before the service does     | keepalive_timeout 60s;                          |
| it gives each call an id                               | proxy_set_header X-Request-Id $request_id;      |
| it adds the address of the caller                      | X-Forwarded-For $proxy_add_x_forwarded_for;     |
| it lets long codes of EHRs through                     | large_client_header_buffers 8 16k;              |
""")


@pytest.mark.parametrize("row", PROXY, ids=lambda row: row["because"])
def test_the_proxy_does_what_the_operations_page_asks(row: dict[str, str]) -> None:
    assert row["says"] in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
