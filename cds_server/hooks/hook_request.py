"""The body of a CDS Hooks call → HookRequest. Every broken field is named in one answer; prefetch stays bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from cards.deciding.when_to_show import Hook
from cds_server.limits import Limits, SettingsError
from cds_server.outgoing.base_url import normalised_base
from cds_server.problems import Problem, ProblemId
from cds_server.record.record_request import PATIENT_ID
from fhir_mappings.draft_orders import Draft

MOST_DRAFTS = 1000
_PATIENT_ID = validate.Regexp(PATIENT_ID, error="must match [A-Za-z0-9.-]{{1,64}}")
_HEADER_SAFE = validate.Regexp(r"[\x21-\x7e]{1,16384}\Z", error="must be printable ASCII without spaces")
_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw])
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_anything = msgspec.json.Decoder()


@dataclass(frozen=True)
class HookRequest:
    """A call as its client sent it. `prefetch` maps each supplied key to its JSON, a view of the body; `null` is a
    value there."""

    hook: Hook
    hook_instance: str
    patient_id: str
    user_id: str
    fhir_server: str | None
    access_token: str | None
    scope: str | None
    prefetch: Mapping[str, msgspec.Raw]
    drafts: tuple[Draft, ...] = ()
    selections: frozenset[str] = frozenset()


class _Lenient(Schema):
    class Meta:
        unknown = EXCLUDE


class _Authorization(_Lenient):
    access_token = fields.String(required=True, validate=_HEADER_SAFE)
    token_type = fields.String(required=True, validate=validate.Regexp(r"(?i)bearer\Z", error="must be Bearer"))
    scope = fields.String(allow_none=True)
    subject = fields.String(allow_none=True)
    patient = fields.String(allow_none=True)


class _PatientContext(_Lenient):
    patient_id = fields.String(required=True, data_key="patientId", validate=_PATIENT_ID)
    user_id = fields.String(required=True, data_key="userId", validate=validate.Length(min=1, max=1000))
    encounter_id = fields.String(allow_none=True, data_key="encounterId")


class _Entry(_Lenient):
    resource = fields.Dict(load_default=None, allow_none=True)
    full_url = fields.Raw(load_default=None, data_key="fullUrl")


class _DraftOrders(_Lenient):
    entry = fields.List(fields.Nested(_Entry), load_default=list)


class _SignContext(_PatientContext):
    # required by the protocol; the public Sandbox leaves both out when a tab is clicked again, and nothing that is
    # not there can be misread, so an absent field is an empty one
    draft_orders = fields.Nested(_DraftOrders, load_default=dict, data_key="draftOrders")


class _SelectContext(_SignContext):
    selections = fields.List(fields.String(), load_default=list)


class _Request(_Lenient):
    hook = fields.String(required=True)
    hook_instance = fields.UUID(required=True, data_key="hookInstance")
    fhir_server = fields.String(allow_none=True, data_key="fhirServer")
    fhir_authorization = fields.Nested(_Authorization, allow_none=True, data_key="fhirAuthorization")

    @validates_schema
    def server_of_token(self, data: Mapping[str, Any], **_: object) -> None:
        if data.get("fhir_authorization") and not data.get("fhir_server"):
            raise ValidationError("required beside fhirAuthorization", "fhirServer")


class _PatientView(_Request):
    context = fields.Nested(_PatientContext, required=True)


class _OrderSelect(_Request):
    context = fields.Nested(_SelectContext, required=True)


class _OrderSign(_Request):
    context = fields.Nested(_SignContext, required=True)


_SCHEMAS: Mapping[Hook, Schema] = {
    Hook.PATIENT_VIEW: _PatientView(),
    Hook.ORDER_SELECT: _OrderSelect(),
    Hook.ORDER_SIGN: _OrderSign(),
}


def read_hook_request(body: bytes, hook: Hook, limits: Limits) -> HookRequest:
    """Raises Problem `not-json`, or `invalid-request` with every broken field."""
    try:
        envelope = _envelope.decode(body)
        prefetch_raw = envelope.pop("prefetch", msgspec.Raw(b"null"))
        for name, raw in envelope.items():
            if depth_of(bytes(raw)) > limits.depth:
                known = name if name in _FIELDS else "a field"
                raise Problem(ProblemId.INVALID_REQUEST, [(known, f"must not nest deeper than {limits.depth}")])
        plain = {name: _anything.decode(raw) for name, raw in envelope.items()}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(ProblemId.NOT_JSON, [("", "the body must be one JSON object")]) from error
    broken = _too_long(plain.get("context"))
    if broken:
        raise Problem(ProblemId.INVALID_REQUEST, sorted(broken.items()))
    prefetch = _prefetch(prefetch_raw, broken)
    try:
        data = _SCHEMAS[hook].load(plain)
    except ValidationError as error:
        broken.update(flat_messages(error.messages))
        data = None
    if plain.get("hook") != hook.value and "hook" not in broken:
        broken["hook"] = f"this service answers {hook.value}"
    if broken or data is None:
        raise Problem(ProblemId.INVALID_REQUEST, sorted(broken.items()))
    return _request(hook, data, prefetch)


def _too_long(context: Any) -> dict[str, str]:
    """Before the schema looks at each entry: what is too long is refused for its length alone."""
    context = context if isinstance(context, dict) else {}
    drafts = context.get("draftOrders")
    lists = {
        "context.selections": context.get("selections"),
        "context.draftOrders.entry": drafts.get("entry") if isinstance(drafts, dict) else None,
    }
    return {
        name: f"must hold at most {MOST_DRAFTS}"
        for name, found in lists.items()
        if isinstance(found, list) and len(found) > MOST_DRAFTS
    }


_BRACKETS = b"[]{}"
_OTHERS = bytes(c for c in range(256) if c not in _BRACKETS)
_FIELDS = frozenset({"hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension"})


def depth_of(raw: bytes) -> int:
    """How deep JSON nests: its brackets, without those in strings, counted at the speed of bytes."""
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(plain.split(b'"')[::2]).translate(None, _OTHERS)
    return max(accumulate(1 if bracket in b"[{" else -1 for bracket in brackets), default=0)


def _prefetch(raw: msgspec.Raw, broken: dict[str, str]) -> Mapping[str, msgspec.Raw]:
    try:
        return _keys.decode(raw) or {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        broken["prefetch"] = "must be an object"
        return {}


def flat_messages(messages: Any, path: str = "") -> dict[str, str]:
    """What marshmallow found, as path → what is wrong."""
    if isinstance(messages, dict):
        found: dict[str, str] = {}
        for key, value in messages.items():
            step = f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
            found.update(flat_messages(value, f"{path}{step}"))
        return found
    return {path.removesuffix("._schema"): " ".join(str(m) for m in messages)}


def _request(hook: Hook, data: Any, prefetch: Mapping[str, msgspec.Raw]) -> HookRequest:
    context, authorization = data["context"], data.get("fhir_authorization") or {}
    granted = authorization.get("patient")
    if granted and granted.removeprefix("Patient/") != context["patient_id"]:
        wrong = "is not the patient of fhirAuthorization.patient"
        raise Problem(ProblemId.INVALID_REQUEST, [("context.patientId", wrong)])
    server = data.get("fhir_server")
    if server:
        try:
            server = normalised_base(server, "fhirServer")
        except SettingsError as error:
            wrong = str(error).removeprefix("fhirServer: ")
            raise Problem(ProblemId.INVALID_REQUEST, [("fhirServer", wrong)]) from error
    entries = context.get("draft_orders", {}).get("entry", [])
    return HookRequest(
        hook=hook,
        hook_instance=str(data["hook_instance"]),
        patient_id=context["patient_id"],
        user_id=context["user_id"],
        fhir_server=server or None,
        access_token=authorization.get("access_token"),
        scope=authorization.get("scope"),
        prefetch=prefetch,
        drafts=tuple(
            Draft(index, entry["full_url"], entry["resource"])
            for index, entry in enumerate(entries)
            if entry["resource"]
        ),
        selections=frozenset(context.get("selections", ())),
    )
