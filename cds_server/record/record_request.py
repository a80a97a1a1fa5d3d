"""The request for a patient's record: whose it is, where it may be read, and what came along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cds_server.operations.large_calls import HeldBytes
from cds_server.operations.spans import Span
from fhir_mappings.medications.draft_fields import Draft


@dataclass(frozen=True)
class RecordRequest:
    """One record to be read. `prefetch` maps each key that was supplied to its JSON; `null` is a value there.

    The server at `fhir_base` is asked only if `may_call` is true. It is asked with `token`, or, if there is none and
    `may_use_our_token` is true, with a token of our own. `scope` is what the token was granted. Medications that
    `drafts` refer to are read too, and a draft of another patient refuses the whole request. The server receives
    `ids`, the headers by which its log can be joined to ours. What it answers counts among the bytes that the
    call has `held`. Each search and read is a child of `span`.
    """

    patient_id: str
    fhir_base: str | None
    token: str | None = None
    scope: str | None = None
    may_call: bool = True
    may_use_our_token: bool = False
    drafts: tuple[Draft, ...] = ()
    prefetch: Mapping[str, msgspec.Raw] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    held: HeldBytes | None = None
    span: Span | None = None
