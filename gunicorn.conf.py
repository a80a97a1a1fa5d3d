"""gunicorn's settings: threads for calls that wait on FHIR servers, and a folder where the workers count together.

gunicorn reads this file by itself where it is started beside it. `WEB_CONCURRENCY` is the number of workers,
`--bind` the address.
"""

import os
import shutil
import tempfile
from typing import Any

from cds_server.settings.table import MAX_CALLS

OURS = "crs-cds-counts-"
SPARE_THREADS = 8  # so that health, metrics and the 503 of a full worker are still answered

bind = "127.0.0.1:8000"
worker_class = "gthread"
try:
    threads = int(os.environ.get("CRS_CDS_MAX_CALLS", MAX_CALLS)) + SPARE_THREADS
except ValueError:  # the service says so when it starts
    threads = MAX_CALLS + SPARE_THREADS
keepalive = 75  # EHRs keep their connections; a proxy before us must close them first
timeout = 60
graceful_timeout = 30
limit_request_line = 8190  # so may the code that an EHR sends back in an address
limit_request_field_size = 16384  # a token may be that long
accesslog = None  # the service writes a line of its own for each call, without addresses
control_socket_disable = True
os.umask(0o077)  # a decision log in SQLite is for no one else to read

# prometheus_client looks for it when it is imported, which must come later
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=OURS)


def child_exit(_server: Any, worker: Any) -> None:
    """The gauges of a worker that ended count no more."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    folder = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    if OURS in folder:
        shutil.rmtree(folder, ignore_errors=True)
