"""The settings in force, line by line, without the secrets among them."""

from __future__ import annotations

from collections.abc import Iterator

from cards.deciding.card_modes import CardMode
from cds_server.hooks.services import SERVICES
from cds_server.settings.table import Settings
from cds_server.sign_off.sign_off import SignOff
from cds_server.site_rules import SiteRules


def in_force(settings: Settings, rules: SiteRules, signed: SignOff) -> Iterator[str]:
    """The rules, the bounds of a call, and the systems that the service talks to."""
    yield f"environment: {settings.environment.value}"
    yield f"address that clients call: {settings.public_url}"
    yield from _rules(settings, rules, signed)
    yield from _bounds(settings)
    yield from _others(settings)
    yield f"metrics: {'with their token' if settings.metrics_token else 'without a token, so not in production'}"


def _rules(settings: Settings, rules: SiteRules, signed: SignOff) -> Iterator[str]:
    yield signed.words(rules)
    yield f"zone: {settings.zone or 'that of the infusion'}"
    own = "the package's own"
    named = [str(source) for source in (settings.thresholds_file, settings.value_sets_folder) if source is not None]
    yield f"numbers, codes and card modes: {', '.join(named) or own}"
    other = [f"{card.value} {mode.value}" for card, mode in rules.modes.modes.items() if mode is not CardMode.ACTIVE]
    yield f"cards that are not active: {', '.join(other) or 'none'}"
    shadow = [service for service in SERVICES if signed.shadow_only or settings.in_shadow(service)]
    yield f"services in shadow: {', '.join(shadow) or 'none'}"


def _bounds(settings: Settings) -> Iterator[str]:
    yield f"time for a call: {settings.budget_seconds:g} s, of it for the log {settings.log_seconds * 1000:g} ms"
    limits = settings.limits
    yield (
        f"limits: {settings.max_body_bytes / 1024 / 1024:g} MiB, depth {limits.depth}, {limits.entries} resources, "
        f"{limits.pages} pages, {settings.max_calls} calls at once in a worker"
    )
    yield f"a course is looked for by: {settings.course_lookup.value}"
    yield f"a card that a user overrode stays away for: {settings.override_hours:g} h"


def _others(settings: Settings) -> Iterator[str]:
    yield f"clients: {settings.clients_file or 'off'}; order codes: {settings.orders_file or 'none of the site'}"
    yield f"SMART app: {settings.smart_file or 'none'}; in frames of: {', '.join(settings.frame_ancestors) or 'none'}"
    yield _spool(settings)
    yield f"AuditEvents: {settings.audit_fhir or settings.audit_file or 'none'}"
    yield f"browser clients from: {', '.join(settings.cors_origins)}"
    trusted = settings.ca_bundle or "the public certificates"
    proxy = "a proxy" if settings.https_proxy else "no proxy"
    yield f"network: {trusted}, {proxy}, our certificate {settings.client_cert or 'none'}, " + (
        "plain http may be named" if settings.allow_http else "https only"
    )


def _spool(settings: Settings) -> str:
    if not settings.spool_keys or settings.spool_path is None:
        return "spool: none without CRS_CDS_SPOOL_KEY, so decisions that the database does not take are lost"
    return f"spool: in {settings.spool_path}, {settings.spool_mib:g} MiB for each worker"
