"""The AuditEvent of a call: whoever asks has the record of a patient read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cds_server.audit.audit_event import RecordRead
from cds_server.hooks.hook_request import HookRequest
from cds_server.operations.log_lines import request_id
from cds_server.running import Running
from cds_server.trust.client_trust import Caller

NOT_CHECKED = "not checked"  # in development a client may call without a token


@contextmanager
def audited(here: Running, sent: HookRequest, caller: Caller) -> Iterator[None]:
    """Hand the AuditEvent of a call to the trail when it ends, however it ends."""
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        here.audit.add(
            RecordRead(
                at=here.clock(), patient_id=sent.patient_id, fhir_base=sent.fhir_server, user=sent.user_id,
                client=caller.issuer or NOT_CHECKED, server=here.settings.public_url, request_id=request_id(),
                succeeded=succeeded,
            )
        )  # fmt: skip
