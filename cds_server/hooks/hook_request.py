"""The mapping from the body of a CDS Hooks call to a HookRequest. One answer names every broken field; prefetch stays
bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from marshmallow import ValidationError

from cds_server.hooks.call_schema import MOST_DRAFTS, call_schema
from cds_server.hooks.json_body import depth_of, flat_messages, values_of
from cds_server.hooks.services import Service
from cds_server.limits import Limits, UnusableError
from cds_server.outgoing.base_url import normalised_base
from cds_server.problems import Problem, ProblemId
from fhir_mappings.medications.draft_fields import Draft

MOST_SCOPE = 16_384  # characters; each search asks what the scope covers
_BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NOT_SENT = msgspec.Raw()
_anything = msgspec.json.Decoder()


class _Fields(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of a body that are read, as they came. The rest is passed over and never built."""

    hook: msgspec.Raw = _NOT_SENT
    hook_instance: msgspec.Raw = _NOT_SENT
    fhir_server: msgspec.Raw = _NOT_SENT
    fhir_authorization: msgspec.Raw = _NOT_SENT
    context: msgspec.Raw = _NOT_SENT


class _WithPrefetch(_Fields, frozen=True, rename="camel"):
    prefetch: dict[str, msgspec.Raw] | None = None


_fields = msgspec.json.Decoder(_Fields)
_with_prefetch = msgspec.json.Decoder(_WithPrefetch)
_NAMES = {field.name: field.encode_name for field in msgspec.structs.fields(_Fields)}


@dataclass(frozen=True)
class HookRequest:
    """A call as its client sent it. `prefetch` maps each supplied key to its JSON, a view of the body; `null` is a
    value there. `encounter_id` is for the log alone: nothing that is read or shown depends on it."""

    hook_instance: str
    patient_id: str
    user_id: str
    encounter_id: str | None
    fhir_server: str | None
    access_token: str | None
    scope: str | None
    prefetch: Mapping[str, msgspec.Raw]
    drafts: tuple[Draft, ...] = ()
    selections: frozenset[str] = frozenset()


def read_hook_request(body: bytes, service: Service, limits: Limits) -> HookRequest:
    """The request in a body. Raises Problem `not-json`, or `invalid-request` with every broken field."""
    plain, supplied = _parts(body, limits)
    broken = _too_long(plain.get("context"))
    if broken:  # before the schema looks at each entry: refused for its length alone
        raise Problem(ProblemId.INVALID_REQUEST, sorted(broken.items()))
    if supplied is None:
        broken["prefetch"] = "must be an object"
    try:
        call = call_schema(service.drafts).load(plain)
    except ValidationError as error:
        broken.update(flat_messages(error.messages))
    for field, wrong in _not_of_the_hook(plain, service).items():
        broken.setdefault(field, wrong)
    if broken:
        raise Problem(ProblemId.INVALID_REQUEST, sorted(broken.items()))
    return _hook_request(call, supplied or {})


def _parts(body: bytes, limits: Limits) -> tuple[dict[str, Any], Mapping[str, msgspec.Raw] | None]:
    """The fields that are read, and prefetch by key; None for a prefetch that is no object. Raises Problem."""
    try:
        fields, prefetch = _scanned(body)
        read = {named: bytes(raw) for name, named in _NAMES.items() if (raw := getattr(fields, name)) != _NOT_SENT}
        # prefetch is left out: types that pass over what they do not know scan it, the validator refuses a resource
        # that nests too deep, and counting the brackets in all of it would cost more than reading it
        for named, raw in read.items():
            if values_of(raw) > limits.values:
                raise Problem(ProblemId.INVALID_REQUEST, [(named, f"must hold at most {limits.values} values")])
            if depth_of(raw) > limits.depth:
                raise Problem(ProblemId.INVALID_REQUEST, [(named, f"must not nest deeper than {limits.depth}")])
        return {named: _anything.decode(raw) for named, raw in read.items()}, prefetch
    except _BAD_JSON as error:
        raise Problem(ProblemId.NOT_JSON, [("", "the body must be one JSON object")]) from error


def _scanned(body: bytes) -> tuple[_Fields, Mapping[str, msgspec.Raw] | None]:
    """The fields and prefetch, in one pass over a body that may be long."""
    try:
        found = _with_prefetch.decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _fields.decode(body), None
    return found, found.prefetch or {}


def _too_long(context: Any) -> dict[str, str]:
    """The lists of the context that hold more than the service accepts, with what is wrong."""
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


def _not_of_the_hook(plain: Mapping[str, Any], service: Service) -> dict[str, str]:
    """The fields because of which a call is not one of the service's hook, with what is wrong."""
    hook = {} if plain.get("hook") == service.hook else {"hook": f"must be {service.hook}, the hook of this service"}
    context = plain.get("context")
    missing = [name for name in service.requires if isinstance(context, dict) and not context.get(name)]
    return {**hook, **{f"context.{name}": f"is missing, and {service.hook} requires it" for name in missing}}


def _hook_request(call: Any, prefetch: Mapping[str, msgspec.Raw]) -> HookRequest:
    """The request that a schema read. Raises Problem if its parts do not belong together."""
    context, authorization = call["context"], call.get("fhir_authorization") or {}
    granted = authorization.get("patient")
    if granted and granted.removeprefix("Patient/") != context["patient_id"]:
        wrong = "must be the patient of fhirAuthorization.patient"
        raise Problem(ProblemId.INVALID_REQUEST, [("context.patientId", wrong)])
    scope = authorization.get("scope")
    if scope and len(scope) > MOST_SCOPE:
        wrong = f"must hold at most {MOST_SCOPE} characters"
        raise Problem(ProblemId.INVALID_REQUEST, [("fhirAuthorization.scope", wrong)])
    return HookRequest(
        hook_instance=str(call["hook_instance"]),
        patient_id=context["patient_id"],
        user_id=context["user_id"],
        encounter_id=context.get("encounter_id") or None,
        fhir_server=_base(call.get("fhir_server")),
        access_token=authorization.get("access_token"),
        scope=scope,
        prefetch=prefetch,
        drafts=_drafts(context),
        selections=frozenset(context.get("selections", ())),
    )


def _base(server: str | None) -> str | None:
    """The base of a FHIR server, so that the same one is always the same text. Raises Problem."""
    if not server:
        return None
    try:
        return normalised_base(server)
    except UnusableError as error:
        raise Problem(ProblemId.INVALID_REQUEST, [("fhirServer", str(error))]) from error


def _drafts(context: Mapping[str, Any]) -> tuple[Draft, ...]:
    entries = enumerate(context.get("draft_orders", {}).get("entry", []))
    return tuple(Draft(index, entry["full_url"], entry["resource"]) for index, entry in entries if entry["resource"])
