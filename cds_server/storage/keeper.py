"""The work on the log that no call asks for: a thread that each worker starts once."""

from __future__ import annotations

import logging
import threading
import time

from cds_server.operations.log_lines import where_it_failed
from cds_server.storage.decision_log import DecisionLog

log = logging.getLogger("cds_server")
TICK_SECONDS = 1.0


def start_keeper(decisions: DecisionLog) -> None:
    """Bring in what waits in the spool, every second, as long as the process lives."""
    threading.Thread(target=_keep, args=(decisions,), name="log-keeper", daemon=True).start()


def _keep(decisions: DecisionLog) -> None:
    while True:
        try:
            decisions.bring_in()
        except Exception as error:  # the next second it is tried again
            log.error("the spool could not be emptied", extra={"failed": where_it_failed(error)})
        time.sleep(TICK_SECONDS)
