"""The body of feedback on cards, as marshmallow reads it. A malformed body is refused whole and nothing is stored.

Epic sends `overrideReasons`, with or without a reason; the protocol defines `overrideReason` with a reason, a comment
or both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from marshmallow import ValidationError, fields, validate, validates_schema

from cds_server.hooks.json_body import LenientSchema, depth_of, flat_messages
from cds_server.limits import Limits
from cds_server.problems import Problem, ProblemId

MAX_ENTRIES = 200
MAX_PARTS = 50  # suggestions or reasons of one entry


def _storable(text: str) -> None:
    if "\x00" in text:
        raise ValidationError("must not hold a NUL character")


def _of_our_time(at: datetime) -> None:
    """Refuse dates near the ends of the calendar: they cannot be converted to another zone."""
    if not 1900 < at.year < 2200:
        raise ValidationError("must lie between the years 1901 and 2199")


_TEXT = validate.And(validate.Length(max=4000), _storable)
_anything = msgspec.json.Decoder()


class _Coding(LenientSchema):
    code = fields.String(load_default=None, allow_none=True, validate=_TEXT)
    system = fields.String(load_default=None, allow_none=True, validate=_TEXT)


class _Reason(LenientSchema):
    reason = fields.Nested(_Coding, load_default=None, allow_none=True)
    user_comment = fields.String(data_key="userComment", load_default=None, allow_none=True, validate=_TEXT)


class _Accepted(LenientSchema):
    id = fields.String(required=True, validate=[validate.Length(min=1, max=200), _storable])


class _FeedbackEntry(LenientSchema):
    card = fields.String(required=True, validate=[validate.Length(min=1, max=64), _storable])
    outcome = fields.String(required=True, validate=validate.OneOf(["accepted", "overridden"]))
    accepted_suggestions = fields.List(
        fields.Nested(_Accepted), data_key="acceptedSuggestions", load_default=list, allow_none=True
    )
    override_reason = fields.Nested(_Reason, data_key="overrideReason", load_default=None, allow_none=True)
    override_reasons = fields.List(
        fields.Nested(_Reason), data_key="overrideReasons", load_default=list, allow_none=True
    )
    outcome_timestamp = fields.AwareDateTime(
        data_key="outcomeTimestamp", load_default=None, allow_none=True, default_timezone=UTC, validate=_of_our_time
    )

    @validates_schema
    def accepted_names_suggestions(self, data: Mapping[str, Any], **_: object) -> None:
        if data.get("outcome") == "accepted" and not data.get("accepted_suggestions"):
            raise ValidationError("is required where outcome is accepted", "acceptedSuggestions")


class _Feedback(LenientSchema):
    feedback = fields.List(
        fields.Nested(_FeedbackEntry), required=True, validate=validate.Length(min=1, max=MAX_ENTRIES)
    )


_SCHEMA = _Feedback()


def read_feedback(body: bytes, limits: Limits) -> Sequence[Mapping[str, Any]]:
    """The entries of a body. Raises Problem `not-json`, or `invalid-feedback` with every broken field."""
    if depth_of(body) > limits.depth:
        raise Problem(ProblemId.INVALID_FEEDBACK, [("feedback", f"must not nest deeper than {limits.depth}")])
    try:
        plain = _anything.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(ProblemId.NOT_JSON, [("", "the body must be one JSON object")]) from error
    _check_lengths(plain)
    try:
        entries: Sequence[Mapping[str, Any]] = _SCHEMA.load(plain)["feedback"]
    except ValidationError as error:
        raise Problem(ProblemId.INVALID_FEEDBACK, sorted(flat_messages(error.messages).items())) from error
    return entries


def _check_lengths(plain: Any) -> None:
    """Refuse lists that are too long before the schema looks at each entry. Raises Problem."""
    entries = plain.get("feedback") if isinstance(plain, dict) else None
    if isinstance(entries, list) and len(entries) > MAX_ENTRIES:
        raise Problem(ProblemId.INVALID_FEEDBACK, [("feedback", f"must hold at most {MAX_ENTRIES} entries")])
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        for name in ("acceptedSuggestions", "overrideReasons"):
            parts = entry.get(name) if isinstance(entry, dict) else None
            if isinstance(parts, list) and len(parts) > MAX_PARTS:
                raise Problem(
                    ProblemId.INVALID_FEEDBACK, [(f"feedback[{index}].{name}", f"must hold at most {MAX_PARTS}")]
                )
