"""gunicorn's settings: threads for calls that wait on FHIR servers, and a folder where the workers count together.

gunicorn reads this file by itself where it is started beside it. `WEB_CONCURRENCY` is the number of workers,
`--bind` the address.
"""

import os
from typing import Any

from cds_server.operations.count_folder import leave_count_folder, take_count_folder
from cds_server.settings.table import MAX_CALLS

SPARE_THREADS = 16  # for the steps of SMART launches, and so that health, metrics and a 503 are still answered

bind = "127.0.0.1:8000"
worker_class = "gthread"
try:  # for calls, and for as many whose token is being checked
    threads = 2 * int(os.environ.get("CRS_CDS_MAX_CALLS", MAX_CALLS)) + SPARE_THREADS
except ValueError:  # the service says so when it starts
    threads = 2 * MAX_CALLS + SPARE_THREADS
keepalive = 75  # EHRs keep their connections; a proxy before us must close them first
timeout = 60
graceful_timeout = 30
limit_request_line = 8190  # so may the code that an EHR sends back in an address
limit_request_field_size = 16384  # a token may be that long
accesslog = None  # the service writes a line of its own for each call, without addresses
control_socket_disable = True
os.umask(0o077)  # a decision log in SQLite is for no one else to read

# gunicorn would believe what a header says of the scheme and of SCRIPT_NAME, if a proxy on loopback let it through
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

take_count_folder()  # prometheus_client looks for it when it is imported, which must come later


def child_exit(_server: Any, worker: Any) -> None:
    """The gauges of a worker that ended count no more."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    leave_count_folder()
