"""One call under way: what was sent, who sent it, and by when it must be answered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from cds_server.hooks.hook_request import HookRequest
from cds_server.hooks.services import Service
from cds_server.operations.call_time import CallTime
from cds_server.running import Running
from cds_server.storage.pseudonyms import People
from cds_server.trust.client_trust import Caller


@dataclass(frozen=True)
class HookCall:
    """A call under way. `as_of` is the moment that the answer is about; the log and the course page know the call by
    `decision_id`; `encounter` is a keyed pseudonym, if the client named one."""

    here: Running
    service: Service
    sent: HookRequest
    caller: Caller
    time: CallTime
    as_of: datetime
    people: People
    encounter: str | None
    decision_id: str

    @property
    def shadow(self) -> bool:
        """Tell whether everything is worked out and logged, and nothing is shown."""
        return self.here.in_shadow(self.service.id)


def begun_call(here: Running, service: Service, sent: HookRequest, caller: Caller, call_time: CallTime) -> HookCall:
    """The call, as of now."""

    def pseudonym(kind: str, id_: str) -> str:
        return here.pseudonyms.of(kind, caller.issuer, caller.tenant, sent.fhir_server, id_)

    return HookCall(
        here,
        service,
        sent,
        caller,
        call_time,
        as_of=here.clock(),
        people=People(pseudonym("patient", sent.patient_id), pseudonym("user", sent.user_id)),
        encounter=pseudonym("encounter", sent.encounter_id) if sent.encounter_id is not None else None,
        decision_id=str(uuid.uuid4()),
    )
