"""What the routes need of the process: settings, sources, trust, the log, and the clock that says what "now" is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from flask import current_app

from cds_server.client_trust import ClientTrust
from cds_server.decision_log import DecisionLog, Pseudonyms
from cds_server.patient_record import Sources
from cds_server.settings import Settings

EXTENSION_KEY = "crs-cds"


@dataclass(frozen=True)
class Running:
    """`trust` is None where clients are off, which only development allows. `slots` are the calls at once."""

    settings: Settings
    sources: Sources
    clock: Callable[[], datetime]
    trust: ClientTrust | None
    log: DecisionLog
    pseudonyms: Pseudonyms
    slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(32))


def running() -> Running:
    found = current_app.extensions[EXTENSION_KEY]
    if not isinstance(found, Running):
        raise TypeError("the app was not made by create_app")
    return found
