"""The work on the log that no call asks for: a thread that each worker starts once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from cds_server.operations.log_lines import where_it_failed
from cds_server.storage.chain.seals import seal_log
from cds_server.storage.decision_log import DecisionLog
from cds_server.storage.store import Store, StoreUnavailableError

log = logging.getLogger("cds_server")
TICK_SECONDS = 1.0
SEAL_SECONDS = 60.0


def start_keeper(decisions: DecisionLog, store: Store) -> None:
    """Bring in what waits in the spool, every second, and seal the log, every minute, as long as the process lives."""
    threading.Thread(target=_keep, args=(decisions, store), name="log-keeper", daemon=True).start()


def _keep(decisions: DecisionLog, store: Store) -> None:
    sealed = time.monotonic()
    while True:
        time.sleep(TICK_SECONDS)
        _attempt(decisions.bring_in)
        if time.monotonic() - sealed >= SEAL_SECONDS:
            sealed = time.monotonic()
            _attempt(lambda: seal_log(store, datetime.now(UTC)))


def _attempt(work: Callable[[], None]) -> None:
    try:
        work()
    except StoreUnavailableError:  # the next time it is tried again
        return
    except Exception as error:
        log.error("the log could not be kept", extra={"failed": where_it_failed(error)})
