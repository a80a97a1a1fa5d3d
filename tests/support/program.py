"""The program crs-cds, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cds_server.command_line.program import commands
from tests.support.desk import EXAMPLE_VALUE_SETS

SITE = {"CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS)}


def crs_cds(*arguments: str, given: bytes = b"", **environ: str) -> Result:
    return CliRunner().invoke(commands, list(arguments), input=given, env=SITE | environ)


def written(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)
