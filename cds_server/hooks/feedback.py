"""The body of feedback on cards, as marshmallow reads it. Each entry stands alone: a malformed one refuses itself.

Epic sends `overrideReasons`, with or without a reason; the protocol defines `overrideReason` with a reason, a comment
or both. Accepted suggestions as plain ids, a reason that stands without its `reason` around it, and a time that cannot
be read are taken too: what a user decided counts, not the form in which a client writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from cds_server.hooks.json_body import LenientSchema, depth_of, flat_messages, values_of
from cds_server.limits import Limits
from cds_server.problems import Problem, ProblemId

MAX_ENTRIES = 200
MAX_PARTS = 50  # suggestions or reasons of one entry
_AT_MOST_PARTS = {"maxItems": MAX_PARTS}  # for the API description


def _storable(text: str) -> None:
    if "\x00" in text:
        raise ValidationError("must not hold a NUL character")


_LISTS = ("acceptedSuggestions", "overrideReasons")
_TEXT = validate.And(validate.Length(max=4000), _storable)
_anything = msgspec.json.Decoder()


class _Coding(LenientSchema):
    code = fields.String(load_default=None, allow_none=True, validate=_TEXT)
    system = fields.String(load_default=None, allow_none=True, validate=_TEXT)


class _Reason(LenientSchema):
    reason = fields.Nested(_Coding, load_default=None, allow_none=True)
    user_comment = fields.String(data_key="userComment", load_default=None, allow_none=True, validate=_TEXT)

    @pre_load
    def reason_around(self, data: Any, **_: object) -> Any:
        """A coding, or a text, in place of the reason that holds it."""
        if isinstance(data, str):
            return {"userComment": data}
        if isinstance(data, Mapping) and "reason" not in data and "code" in data:
            return {**data, "reason": {name: data.get(name) for name in ("code", "system")}}
        if isinstance(data, Mapping) and isinstance(data.get("reason"), str):
            return {**data, "reason": {"code": data["reason"]}}
        return data


class _Accepted(LenientSchema):
    id = fields.String(required=True, validate=[validate.Length(min=1, max=200), _storable])

    @pre_load
    def id_alone(self, data: Any, **_: object) -> Any:
        return {"id": data} if isinstance(data, str) else data


_AT = fields.AwareDateTime(default_timezone=UTC)


def _is_a_moment(value: Any) -> bool:
    """Tell whether a time can be read, and shown in any zone: one near the ends of the calendar cannot."""
    try:
        found = _AT.deserialize(value)
    except (ValidationError, OverflowError):
        return False
    return isinstance(found, datetime) and 1900 < found.year < 2200


class _FeedbackEntry(LenientSchema):
    card = fields.String(required=True, validate=[validate.Length(min=1, max=64), _storable])
    outcome = fields.String(required=True, validate=validate.OneOf(["accepted", "overridden"]))
    accepted_suggestions = fields.List(
        fields.Nested(_Accepted),
        data_key="acceptedSuggestions",
        load_default=list,
        allow_none=True,
        metadata=_AT_MOST_PARTS,
    )
    override_reason = fields.Nested(_Reason, data_key="overrideReason", load_default=None, allow_none=True)
    override_reasons = fields.List(
        fields.Nested(_Reason),
        data_key="overrideReasons",
        load_default=list,
        allow_none=True,
        metadata=_AT_MOST_PARTS,
    )
    outcome_timestamp = fields.AwareDateTime(
        data_key="outcomeTimestamp", load_default=None, allow_none=True, default_timezone=UTC
    )

    @pre_load
    def a_time_that_can_be_read(self, data: Any, **_: object) -> Any:
        if isinstance(data, Mapping) and not _is_a_moment(data.get("outcomeTimestamp")):
            return {**data, "outcomeTimestamp": None}
        return data

    @validates_schema
    def accepted_names_suggestions(self, data: Mapping[str, Any], **_: object) -> None:
        if data.get("outcome") == "accepted" and not data.get("accepted_suggestions"):
            raise ValidationError("is required where outcome is accepted", "acceptedSuggestions")


FEEDBACK_ENTRY = _FeedbackEntry()


@dataclass(frozen=True)
class SentFeedback:
    """The entries of a body: each good one with its index in the body, and the indexes of those that are malformed."""

    good: Mapping[int, Mapping[str, Any]]
    malformed: tuple[int, ...]


def read_feedback(body: bytes, limits: Limits) -> SentFeedback:
    """The entries of a body. Raises Problem `not-json`, or `invalid-feedback` if no entry is good, with every broken
    field."""
    if values_of(body) > limits.values:
        raise Problem(ProblemId.INVALID_FEEDBACK, [("feedback", f"must hold at most {limits.values} values")])
    if depth_of(body) > limits.depth:
        raise Problem(ProblemId.INVALID_FEEDBACK, [("feedback", f"must not nest deeper than {limits.depth}")])
    try:
        plain = _anything.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(ProblemId.NOT_JSON, [("", "the body must be one JSON object")]) from error
    entries = plain.get("feedback") if isinstance(plain, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_ENTRIES:
        raise Problem(ProblemId.INVALID_FEEDBACK, [("feedback", f"must be a list of 1 to {MAX_ENTRIES} entries")])
    good: dict[int, Mapping[str, Any]] = {}
    wrong: dict[int, Any] = {}
    for index, entry in enumerate(entries):
        too_long = _lists_too_long(entry)
        try:
            if too_long:
                raise ValidationError(too_long)
            good[index] = FEEDBACK_ENTRY.load(entry)
        except ValidationError as error:
            wrong[index] = error.messages
    if not good:
        raise Problem(ProblemId.INVALID_FEEDBACK, sorted(flat_messages(wrong, "feedback").items()))
    return SentFeedback(good, tuple(wrong))


def _lists_too_long(entry: Any) -> dict[str, list[str]]:
    """The lists of an entry that are too long to be looked at."""
    return {
        name: [f"must hold at most {MAX_PARTS}"]
        for name in _LISTS
        if isinstance(entry, dict) and isinstance(entry.get(name), list) and len(entry[name]) > MAX_PARTS
    }
