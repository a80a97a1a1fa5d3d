"""A secret of a setting stands in no message, no line of check-config and no traceback, however wrongly it is typed."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_server.app import create_app
from cds_server.command_line.program import commands
from cds_server.limits import SettingsError
from cds_server.settings.reading import settings_from
from cds_server.settings.table import known_names
from tests.support.tables import rows

ROOT = Path(__file__).parents[2]
SECRET = "S3CR3T"
DEVELOPMENT = {"CRS_CDS_ENV": "development", "CRS_CDS_DATABASE_URL": "sqlite://"}
LONG = "x" * 5000

ADDRESSES = rows("""
| address                                      | taken | because                                            |
| postgresql://u:S3CR3T@127.0.0.1:1/db         | yes   | an ordinary password                               |
| postgresql://u:S3CR3T%40x@127.0.0.1:1/db     | yes   | an @ that is written out                           |
| postgresql://127.0.0.1:1/db?password=S3CR3T  | yes   | a password as parameter                            |
| postgresql://u@corp:S3CR3T@127.0.0.1:1/db    | yes   | an @ in the user name                              |
| postgresql://127.0.0.1:1/db?sslpassword=S3CR3T&sslmode=require | yes | the password of a key            |
| postgresql://u:p@S3CR3T@127.0.0.1/db         | no    | a part of the password would be the host           |
| postgresql://u:p@S3CR3T:x@127.0.0.1:5432/db  | no    | a part of the password would be the port           |
| postgresql://u:p@h/S3CR3T@127.0.0.1/db       | no    | a part of the password would be the database       |
| postgresql://u:p@h?S3CR3T@127.0.0.1/db       | no    | a part of the password would be a parameter        |
| postgresql://u:p@h?host=S3CR3T@127.0.0.1/db  | no    | a part of the password would be a parameter's value |
| postgresql://u:p@127.0.0.1:S3CR3T/db         | no    | a port that is no number                           |
| postgresql+S3CR3T://127.0.0.1/db             | no    | no driver that is there                            |
| sqlite+S3CR3T:///x                           | no    | no driver that is there                            |
| sqlite+aiosqlite:///S3CR3T                   | no    | a driver that is not installed                     |
| sqlite:///x?timeout=S3CR3T                   | no    | a value that is no number                          |
| mysql://u:S3CR3T@h/db                        | no    | another kind of database                           |
| S3CR3T                                       | no    | no address                                         |
| postgresql://[S3CR3T/db                      | no    | no host                                            |
""")


@pytest.mark.parametrize("row", ADDRESSES, ids=lambda row: row["because"])
def test_no_part_of_a_database_s_password_is_told(row: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    environ = {**DEVELOPMENT, "CRS_CDS_DATABASE_URL": row["address"]}
    told = [_all_told(environ)]
    if row["taken"] == "yes":
        told.append(repr(settings_from(environ)))
    else:
        with pytest.raises(SettingsError, match=r"^CRS_CDS_DATABASE_URL ") as refused:
            settings_from(environ)
        told.append(str(refused.value))
    assert SECRET not in "\n".join([*told, caplog.text])


SETTINGS = rows("""
| setting               | value                                | because                                |
| CRS_CDS_HTTPS_PROXY   | http://u:S3CR3T@proxy.example:3128   | the password of a proxy                |
| CRS_CDS_HTTPS_PROXY   | http://u:S3CR3T@[proxy               | the same, mistyped                     |
| CRS_CDS_HTTPS_PROXY   | u:S3CR3T@proxy.example:port          | the same, mistyped otherwise           |
| CRS_CDS_PUBLIC_URL    | https://u:S3CR3T@cds.example         | a password in an address               |
| CRS_CDS_FHIR_SERVERS  | https://u:S3CR3T@fhir.example/r4     | a password in an address               |
| CRS_CDS_FHIR_SERVERS  | https://fhir.example/r4?key=S3CR3T   | a key in an address                    |
| CRS_CDS_FHIR_SERVERS  | https://u:S3CR3T@[fhir.example/r4    | the same, mistyped                     |
| CRS_CDS_CORS_ORIGINS  | https://u:S3CR3T@[ehr.example        | the same, mistyped                     |
| CRS_CDS_FRAME_ANCESTORS | https://u:S3CR3T@[ehr.example      | the same, mistyped                     |
| CRS_CDS_DEMO_FHIR     | http://u:S3CR3T@127.0.0.1:1/fhir     | a password in an address               |
| CRS_CDS_METRICS_TOKEN | S3CR3T                               | a token that is too short              |
| CRS_CDS_METRICS_TOKEN | S3CR3T-S3CR3T-S3CR3T-é               | a token with a sign that is none       |
| CRS_CDS_METRICS_TOKEN | S3CR3T-S3CR3T-S3CR3T                 | a good one                             |
| CRS_CDS_SESSION_KEY   | S3CR3T                               | a key that nobody needs                |
| CRS_CDS_PSEUDONYM_KEY | S3CR3T                               | a short one, in development            |
""")


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: f"{row['setting']}: {row['because']}")
def test_no_secret_of_another_setting_is_told(row: dict[str, str]) -> None:
    environ = {**DEVELOPMENT, row["setting"]: row["value"]}
    try:
        said = repr(settings_from(environ))
    except SettingsError as error:
        said = str(error)
    assert SECRET not in said
    assert SECRET not in _all_told(environ)


@pytest.mark.parametrize("table", ["client", "fhir_server", "server"])
@pytest.mark.parametrize("field", ["jwks_url", "token_url", "key", "base", "fhir_base", "issuer"])
def test_no_secret_of_a_file_is_told(table: str, field: str, tmp_path: Path) -> None:
    """An address with a key in it, whose server does not answer, in each field that may hold one."""
    address = f"https://u:{SECRET}@127.0.0.1:1/x?key={SECRET}"
    for value in (address, address.replace("u:S3CR3T@", ""), f"[{SECRET}"):
        fields = {
            "client": {"issuer": "https://e.example", "jwks_url": "https://127.0.0.1:1/j", "fhir_servers": ["https://f.example"]},
            "fhir_server": {"base": "https://f.example", "token_url": "https://127.0.0.1:1/t", "client_id": "c", "key": "k", "scope": "s"},
            "server": {"fhir_base": "https://f.example", "client_id": "c", "authentication": "public"},
        }  # fmt: skip
        fields[table][field] = value
        wanted = ("client", "fhir_server") if table != "server" else ("server",)
        text = "\n".join(
            f"[[{name}]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in fields[name].items()) for name in wanted
        )
        (tmp_path / "file.toml").write_text(text)
        name = "CRS_CDS_SMART" if table == "server" else "CRS_CDS_CLIENTS"
        environ = DEVELOPMENT | {name: str(tmp_path / "file.toml"), "CRS_CDS_SESSION_KEY": "k" * 32}
        assert SECRET not in _all_told(environ | {"CRS_CDS_FHIR_SERVERS": "https://f.example"})


HOSTILE = [
    "\n",
    "[",
    "%",
    "\udcff",
    LONG,
    "http://[",
    "//",
    "a\nb",
    "-1",
    "1e400",
    "NaN",
    "'",
    '"',
    "..",
    "é" * 300,
    ":",
    "@",
]


@pytest.mark.parametrize("name", sorted(known_names()))
def test_no_value_ends_the_start_with_anything_but_a_sentence(name: str, tmp_path: Path) -> None:
    odd = [*HOSTILE, str(tmp_path), str(tmp_path / LONG), "/dev/null", "Europe", "/proc/self/mem"]
    for value in odd:
        said = "CRS_CDS_"
        try:
            create_app({**DEVELOPMENT, name: value})
        except SettingsError as error:
            said = str(error)
        assert "CRS_CDS_" in said
        assert len(said) < 1000


def test_a_fault_of_our_own_at_the_start_is_told_without_its_message(tmp_path: Path) -> None:
    """The settings are read from an environment that raises, which no setting can: the place is told, nothing else."""
    script = (
        "import os, runpy\n"
        "class Raising(dict):\n"
        f"    def __iter__(self): raise RuntimeError('{SECRET}')\n"
        "import cds_server.app as app\n"
        "app.os = type('os', (), {'environ': Raising()})\n"
        f"runpy.run_path('{ROOT / 'wsgi.py'}')\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 3
    assert "RuntimeError at" in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def _all_told(environ: dict[str, str]) -> str:
    """Everything that check-config and the start write."""
    checked = CliRunner().invoke(commands, ["check-config"], env=environ)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.getLogger().addHandler(handler)
    try:
        with redirect_stderr(written):
            create_app(environ)
    except SettingsError as error:
        written.write(str(error))
    finally:
        logging.getLogger().removeHandler(handler)
    failed = "" if checked.exception is None or isinstance(checked.exception, SystemExit) else repr(checked.exception)
    return checked.output + failed + written.getvalue()
