"""One step of a launch or of a session, bounded in time and in how many there are at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from flask import Response

from cds_server.operations.call_time import CallTime
from cds_server.problems import Problem, ProblemId
from cds_server.running import Running, Smart, running
from cds_server.smart_app.browser import known_browser
from cds_server.smart_app.places import Places, place
from cds_server.storage.smart_sessions import T
from cds_server.storage.store import StoreUnavailableError
from cds_server.trust.smart_registration import SmartServer

SHOWS_AS = "crs-patient-view"  # the page says what this service says of an opened chart
EHR_PART = 0.8  # of the time of a call is for the EHR, the rest for the database


@dataclass(frozen=True)
class Step:
    """The context of one step: the app, the browser that asks, and the time that the EHR and the database may take."""

    here: Running
    app: Smart
    browser: str | None
    call_time: CallTime

    @property
    def ehr_ends(self) -> float:
        """The moment by which the EHR must have answered: what it says must still be stored, for it says it once."""
        return self.call_time.started + EHR_PART * self.here.settings.budget_seconds

    @property
    def redirect_uri(self) -> str:
        return f"{self.here.settings.public_url}/smart/callback"

    def keep(self, handle: str, content: T, seconds: float, most: int | None = None) -> bool:
        """Keep a launch or a session for this browser; False where there are `most` already."""
        with self.call_time.waiting_for_the_log() as wait:
            return self.app.sessions.keep(handle, self.browser or "", content, seconds, wait, most)

    def find(self, kind: type[T], handle: str) -> T | None:
        with self.call_time.waiting_for_the_log() as wait:
            return self.app.sessions.find(kind, handle, self.browser or "", wait)

    def take(self, kind: type[T], handle: str) -> T | None:
        """Find and forget it: it counts once."""
        with self.call_time.waiting_for_the_log() as wait:
            return self.app.sessions.take(kind, handle, self.browser or "", wait)

    def with_server(self, found: T | None, otherwise: ProblemId) -> tuple[T, SmartServer]:
        """A launch or a session with our registration at its FHIR server. Raises Problem where either is gone."""
        server = self.app.servers.get(found.fhir_base) if found is not None else None
        if found is None or server is None:
            raise Problem(otherwise)
        return found, server


def bounded(step: Places) -> Callable[[Callable[[Step], Response]], Callable[[], Response]]:
    """A view that takes a place of its step. Raises Problem, in shadow too: there nothing is shown, be it asked for or
    not."""

    def bound(view: Callable[[Step], Response]) -> Callable[[], Response]:
        @wraps(view)
        def in_its_place() -> Response:
            here = running()
            if here.smart is None:
                raise Problem(ProblemId.NOT_FOUND)
            if here.settings.in_shadow(SHOWS_AS):
                raise Problem(ProblemId.IN_TRIAL)
            with place(here, here.smart, step):
                try:
                    call_time = here.call_time(log_seconds=here.settings.budget_seconds)
                    return view(Step(here, here.smart, known_browser(here.settings.public_url), call_time))
                except StoreUnavailableError as error:
                    raise Problem(ProblemId.SESSION_UNAVAILABLE) from error

        return in_its_place

    return bound
