"""The body of a call as marshmallow reads it, one schema for each source of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from cds_server.hooks.json_body import LenientSchema
from cds_server.hooks.services import DraftsFrom
from fhir_mappings.reading.references import is_addressable

MOST_DRAFTS = 1000  # and selections; a longer list is refused before the schema looks at each entry
_ADDRESSABLE = {"pattern": "^[A-Za-z0-9._~-]{1,255}$"}  # for the API description
_AT_MOST_DRAFTS = {"maxItems": MOST_DRAFTS}


def _patient_id(value: str) -> None:
    if not is_addressable(value):
        raise ValidationError("must be 1 to 255 of the characters A-Z a-z 0-9 . _ ~ - and not dots alone")


_HEADER_SAFE = validate.Regexp(r"[\x21-\x7e]{1,16384}\Z", error="must be printable ASCII without spaces")


class _Authorization(LenientSchema):
    access_token = fields.String(required=True, validate=_HEADER_SAFE)
    token_type = fields.String(required=True, validate=validate.Regexp(r"(?i)bearer\Z", error="must be Bearer"))
    scope = fields.String(allow_none=True)
    subject = fields.String(allow_none=True)
    patient = fields.String(allow_none=True)


class _Context(LenientSchema):
    patient_id = fields.String(required=True, data_key="patientId", validate=_patient_id, metadata=_ADDRESSABLE)
    user_id = fields.String(required=True, data_key="userId", validate=validate.Length(min=1, max=1000))
    encounter_id = fields.String(allow_none=True, data_key="encounterId")


class _DraftEntry(LenientSchema):
    resource = fields.Dict(load_default=None, allow_none=True)
    full_url = fields.Raw(load_default=None, data_key="fullUrl")


class _DraftOrders(LenientSchema):
    entry = fields.List(fields.Nested(_DraftEntry), load_default=list, metadata=_AT_MOST_DRAFTS)


class _DraftsContext(_Context):
    # The protocol requires both, but the public Sandbox leaves them out when a tab is clicked again. An absent field
    # counts as empty, because what is not there cannot be misread.
    draft_orders = fields.Nested(_DraftOrders, load_default=dict, data_key="draftOrders")


class _SelectionsContext(_DraftsContext):
    selections = fields.List(fields.String(), load_default=list, metadata=_AT_MOST_DRAFTS)


class _Call(LenientSchema):
    hook = fields.String(required=True)
    hook_instance = fields.UUID(required=True, data_key="hookInstance")
    fhir_server = fields.String(allow_none=True, data_key="fhirServer")
    fhir_authorization = fields.Nested(_Authorization, allow_none=True, data_key="fhirAuthorization")

    @validates_schema
    def server_of_token(self, data: Mapping[str, Any], **_: object) -> None:
        if data.get("fhir_authorization") and not data.get("fhir_server"):
            raise ValidationError("is required beside fhirAuthorization", "fhirServer")


class _PlainCall(_Call):
    context = fields.Nested(_Context, required=True)


class _DraftsCall(_Call):
    context = fields.Nested(_DraftsContext, required=True)


class _SelectionsCall(_Call):
    context = fields.Nested(_SelectionsContext, required=True)


_PLAIN_CALL, _DRAFTS_CALL, _SELECTIONS_CALL = _PlainCall(), _DraftsCall(), _SelectionsCall()


def call_schema(drafts: DraftsFrom) -> Schema:
    """The schema of a call whose drafts come from this part of the context."""
    match drafts:
        case DraftsFrom.NOWHERE:
            return _PLAIN_CALL
        case DraftsFrom.DRAFT_ORDERS:
            return _DRAFTS_CALL
        case DraftsFrom.SELECTED:
            return _SELECTIONS_CALL
        case _:
            assert_never(drafts)
