"""The errors that OAuth and OpenID Connect name, each with our words: all that is shown of what an EHR says.

The name is shown because a person looks it up at the EHR; a name that is in no standard could be any text, and is not.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

# RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6
OAUTH_ERRORS: Mapping[str, str] = {
    "access_denied": "the user or the EHR refused it",
    "account_selection_required": "the EHR wants an account to be chosen first",
    "consent_required": "the EHR wants the user's consent first",
    "interaction_required": "the EHR wants to ask the user something first",
    "invalid_client": "the EHR does not know this app, or not its key: client id, key and kid must be registered there",
    "invalid_grant": "the code was used before, is too old, or belongs to another redirect address",
    "invalid_request": "the EHR did not understand the request",
    "invalid_scope": "the EHR does not give this app what it asks for",
    "login_required": "the user must log in at the EHR first",
    "server_error": "the EHR failed",
    "temporarily_unavailable": "the EHR is busy",
    "unauthorized_client": "the EHR does not know this app, or not this way of asking",
    "unsupported_grant_type": "the EHR gives no token for a code",
    "unsupported_response_type": "the EHR gives no code",
}


class _Said(msgspec.Struct):
    error: str


_said = msgspec.json.Decoder(_Said)


def error_words(name: str) -> str | None:
    """The name with its meaning; None if no standard has it."""
    return f"{name}: {OAUTH_ERRORS[name]}" if name in OAUTH_ERRORS else None


def error_in(body: bytes) -> str | None:
    """The error that the JSON of a token answer names, in words; None if it names none that a standard has."""
    try:
        return error_words(_said.decode(body).error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
