"""The mapping from environment variables to frozen Settings, or a refusal that says how to fix it. docs/operations.md
lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cds_server.limits import SettingsError, UnusableError, naming
from cds_server.outgoing.base_url import LOOPBACK
from cds_server.settings.table import DEVELOPMENT_KEY, LogSettings, Settings, SiteSettings, known_names
from cds_server.settings.values import LEAST_KEY_CHARS

S = TypeVar("S", bound=SiteSettings)
_USE_HTTPS = "is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 where a proxy before the service ends TLS."


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Every setting. Raises SettingsError naming the first one that cannot be used."""
    settings = _read(Settings, environ)
    if settings.in_production:
        _check_production(settings, environ)
    _check_addresses(settings)
    _check_demo(settings)
    _check_smart_app(settings)
    _check_spool(settings)
    if settings.log_seconds > settings.budget_seconds / 2:
        raise SettingsError(
            "CRS_CDS_LOG_MILLISECONDS must be at most half of CRS_CDS_BUDGET_SECONDS, because reading needs time too."
        )
    return settings


def site_settings_from(environ: Mapping[str, str]) -> SiteSettings:
    """The part of the settings that the command line needs. Raises SettingsError."""
    return _read(SiteSettings, environ)


def outgoing_settings_from(environ: Mapping[str, str]) -> Settings:
    """The settings of a command that asks a FHIR server by hand: those of a service, none of which it needs. Raises
    SettingsError."""
    return _read(Settings, environ)


def log_settings_from(environ: Mapping[str, str]) -> LogSettings:
    """The part of the settings that the commands about the decision log need. Raises SettingsError."""
    settings = _read(LogSettings, environ)
    _check_spool(settings)
    return settings


def _read(kind: type[S], environ: Mapping[str, str]) -> S:
    unknown = min((name for name in environ if name.startswith("CRS_CDS_") and name not in known_names()), default=None)
    if unknown is not None:
        raise SettingsError(f"{unknown} is no setting of this version; correct its name or remove it.")
    values: dict[str, Any] = {}
    for field in fields(kind):
        setting = field.metadata["setting"]
        with naming(setting.name):
            values[field.name] = setting.read(_utf8(environ.get(setting.name) or setting.default))
    return kind(**values)


def _utf8(text: str) -> str:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):  # how Python holds other bytes
        raise UnusableError("must be UTF-8")
    return text


def _check_production(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise SettingsError for a setting that only development may leave out."""
    # development runs without clients; production must know its callers, its address, its zone and its pseudonym key
    if settings.clients_file is None:
        raise SettingsError("CRS_CDS_CLIENTS must name the file of trusted clients; `off` is for development only.")
    if not environ.get("CRS_CDS_PUBLIC_URL"):
        raise SettingsError("CRS_CDS_PUBLIC_URL must be the address that clients call; their tokens are issued for it.")
    if settings.zone is None:
        raise SettingsError(
            "CRS_CDS_TIMEZONE must be the zone of the facility, such as Europe/Berlin, because day 0 is a local date."
        )
    if len(settings.pseudonym_key.strip()) < LEAST_KEY_CHARS or settings.pseudonym_key.strip() == DEVELOPMENT_KEY:
        raise SettingsError(
            f"CRS_CDS_PSEUDONYM_KEY must be a secret of at least {LEAST_KEY_CHARS} characters. Choose it once and keep "
            "it: under another key the same patient has another pseudonym."
        )
    backend, _, rest = settings.database_url.partition("://")
    if backend.startswith("sqlite") and (rest.split("?")[0].strip("/") == "" or ":memory:" in rest):
        raise SettingsError(
            "CRS_CDS_DATABASE_URL must name a file or a server; a database in memory ends with the service."
        )


def _check_addresses(settings: Settings) -> None:
    """Raise SettingsError for an address on plain http that is not allowed."""
    if settings.allow_http:
        return
    if settings.public_url.startswith("http:"):
        raise SettingsError(f"CRS_CDS_PUBLIC_URL {_USE_HTTPS}")
    named = {
        "CRS_CDS_AUDIT_FHIR": filter(None, (settings.audit_fhir,)),
        "CRS_CDS_OTLP": filter(None, (settings.otlp,)),
        "CRS_CDS_FHIR_SERVERS": settings.fhir_servers,
        "CRS_CDS_FRAME_ANCESTORS": settings.frame_ancestors,
    }
    for name, addresses in named.items():
        plain = next((address for address in addresses if address.startswith("http:")), None)
        if plain is not None:
            raise SettingsError(f"{name}: {plain} {_USE_HTTPS}")


def _check_demo(settings: Settings) -> None:
    """Raise SettingsError if a demo's FHIR server may be any other server."""
    base = settings.demo_fhir
    if base is None:
        return
    if settings.in_production:
        raise SettingsError(
            "CRS_CDS_DEMO_FHIR must not be set in production; the order desk of `make demo` overwrites patients there."
        )
    # the desk writes to this server alone, so it must be one that make demo started on this machine
    if urlsplit(base).hostname not in LOOPBACK or base not in settings.fhir_servers:
        raise SettingsError(
            "CRS_CDS_DEMO_FHIR must be on this machine (localhost, 127.0.0.1 or ::1), and in CRS_CDS_FHIR_SERVERS."
        )


def _check_spool(settings: LogSettings) -> None:
    """Raise SettingsError if there are keys for a spool that could not be kept."""
    if any(len(key) < LEAST_KEY_CHARS for key in settings.own_spool_keys):
        raise SettingsError(
            f"CRS_CDS_SPOOL_KEY must hold keys of at least {LEAST_KEY_CHARS} characters, separated by commas. The "
            "first encrypts; the others only decrypt what waits already."
        )
    if settings.spool_keys and settings.spool_path is None and settings.database_url.startswith("postgresql"):
        raise SettingsError(
            "CRS_CDS_SPOOL_DIR must name the folder for decisions that PostgreSQL does not take for a while."
        )


def _check_smart_app(settings: Settings) -> None:
    """Raise SettingsError if the app is set up without what its sessions need."""
    if settings.smart_file is None:
        return
    if not settings.session_keys or any(len(key) < LEAST_KEY_CHARS for key in settings.session_keys):
        raise SettingsError(
            "CRS_CDS_SESSION_KEY must hold one or more keys separated by commas, each at least "
            f"{LEAST_KEY_CHARS} characters. The first encrypts new sessions; the others only decrypt old ones."
        )
    public = urlsplit(settings.public_url)
    if public.scheme == "http" and public.hostname not in LOOPBACK:
        raise SettingsError(
            "CRS_CDS_SMART needs a CRS_CDS_PUBLIC_URL with https, because browsers keep its cookies for no other."
        )
