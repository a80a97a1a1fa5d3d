"""The sign-off: whether the rules in force are those that a named person signed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cards.deciding.rules_version import CITED_RULES
from cds_server.sign_off.signature import Signature, read_signature
from cds_server.site_rules import SiteRules

SETTING = "CRS_CDS_SIGNED"


class SignOffState(StrEnum):
    NOT_ASKED = "not-asked"  # in development, without a signature
    SIGNED = "signed"
    NOBODY = "nobody-signed"
    OTHER_RULES = "other-rules-signed"


@dataclass(frozen=True)
class SignOff:
    """The state of the sign-off, and the signature if one is named. In production, rules that are not signed are
    worked out and logged, and nothing of them is shown (`shadow_only`)."""

    state: SignOffState
    shadow_only: bool
    signature: Signature | None = None

    @property
    def signed(self) -> bool:
        return self.state is SignOffState.SIGNED

    def words(self, rules: SiteRules) -> str:
        """One line for a person who runs the service."""
        in_force, signature = f"{CITED_RULES} ({rules.hash})", self.signature
        shadow = "; no card is shown until a person signs them" if self.shadow_only else ""
        if signature is None:
            return f"{in_force}: nobody signed these rules{shadow}"
        signed = f"{signature.name}, {signature.role}, {signature.date.isoformat()}"
        if self.signed:
            return f"{in_force}: signed by {signed}"
        return f"{in_force}: not signed; {signed}, signed {signature.rules} ({signature.hash}){shadow}"


def sign_off(file: Path | None, rules: SiteRules, *, in_production: bool) -> SignOff:
    """The sign-off of the rules in force. Raises SettingsError if the file is not a signature."""
    if file is None:
        state = SignOffState.NOBODY if in_production else SignOffState.NOT_ASKED
        return SignOff(state, in_production)
    signature = read_signature(SETTING, file)
    if signature.hash == rules.hash:
        return SignOff(SignOffState.SIGNED, False, signature)
    return SignOff(SignOffState.OTHER_RULES, in_production, signature)
