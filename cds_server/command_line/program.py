"""The commands of the server together, as one program."""

from __future__ import annotations

import os

import click
from flask.cli import AppGroup, ScriptInfo

from cds_server.app import create_app
from cds_server.command_line.check_config import check_config
from cds_server.command_line.coverage import coverage
from cds_server.command_line.evaluate import evaluate_command
from cds_server.command_line.explain import decision_table, explain
from cds_server.command_line.jwks import jwks
from cds_server.command_line.log_reports import alerts, downgrade, feedback, purge, upgrade
from cds_server.command_line.record import record
from cds_server.command_line.verify_log import verify_log
from cds_server.operations.log_lines import where_it_failed

OWN_FAULT = 70  # sysexits: an error inside the program
commands = AppGroup("crs-cds", help="CRS after CAR-T cells: decision support by CDS Hooks.")
SITE = (explain, coverage, evaluate_command, record, decision_table, check_config, jwks)
LOG = (feedback, alerts, purge, upgrade, downgrade, verify_log)
for command in (*SITE, *LOG):
    commands.add_command(command)


def main() -> None:
    """Run a command."""
    os.umask(0o077)  # nobody else may read a decision log in SQLite
    try:
        commands(obj=ScriptInfo(create_app=create_app), prog_name="crs-cds")
    except Exception as error:  # a traceback would quote the settings, secrets among them
        click.echo(f"crs-cds failed by a fault of its own: {where_it_failed(error)}", err=True)
        raise SystemExit(OWN_FAULT) from None
