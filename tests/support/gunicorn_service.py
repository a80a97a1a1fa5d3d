"""Real processes of the service under gunicorn, on loopback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from example_patients.programs.demo import HOST, free_port, server
from tests.support.desk import EXAMPLE_VALUE_SETS


@dataclass
class Service:
    url: str
    log: Path


@contextmanager
def gunicorn(folder: Path, workers: int = 1, **environ: str) -> Iterator[Service]:
    """crs-cds under gunicorn with the settings of the project, on loopback."""
    port = free_port(0)
    url, log = f"http://{HOST}:{port}", folder / f"gunicorn-{port}.log"
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("CRS_CDS_", "PROMETHEUS_"))}
    settings |= {
        "CRS_CDS_ENV": "development", "CRS_CDS_PUBLIC_URL": url, "CRS_CDS_TIMEZONE": "Asia/Shanghai",
        "CRS_CDS_VALUE_SETS": str(EXAMPLE_VALUE_SETS), "WEB_CONCURRENCY": str(workers),
        "CRS_CDS_DATABASE_URL": f"sqlite:///{folder / 'log.sqlite'}", "CRS_CDS_BUDGET_SECONDS": "20",
        "CRS_CDS_LOG_MILLISECONDS": "5000", "TMPDIR": str(folder),
    } | environ  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "wsgi:app"]
    with server(command, f"{url}/health/live", settings, log):
        yield Service(url, log)
