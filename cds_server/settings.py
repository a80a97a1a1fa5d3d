"""Environment variables → frozen Settings, or a refusal that says how to fix it. See the table in the README."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cds_server.limits import CourseLookup, Limits, SettingsError, naming
from cds_server.outgoing.base_url import LOOPBACK, normalised_base


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


DEFAULT_DATABASE = "sqlite:///crs-cds.sqlite"


class Mode(StrEnum):
    """`shadow`: everything is worked out and logged, nothing is shown."""

    ACTIVE = "active"
    SHADOW = "shadow"


@dataclass(frozen=True)
class SiteSettings:
    """What names the site's rules: enough to explain a recorded patient without a server."""

    public_url: str
    zone: ZoneInfo | None
    thresholds_file: Path | None
    value_sets_folder: Path | None


@dataclass(frozen=True)
class Settings(SiteSettings):
    environment: Environment
    fhir_servers: tuple[str, ...]
    cors_origins: tuple[str, ...]
    budget_seconds: float
    max_body_bytes: int
    max_calls: int
    limits: Limits
    course_lookup: CourseLookup
    clients_file: Path | None
    orders_file: Path | None
    allow_http: bool
    database_url: str
    log_seconds: float
    pseudonym_key: str
    override_hours: float
    mode: Mode
    shadow_services: frozenset[str]
    metrics_token: str | None
    ca_bundle: Path | None
    https_proxy: str | None
    client_cert: Path | None
    demo_fhir: str | None
    smart_file: Path | None
    session_keys: tuple[str, ...]
    frame_ancestors: tuple[str, ...]

    def in_shadow(self, service: str) -> bool:
        return self.mode is Mode.SHADOW or service in self.shadow_services


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Read every `CRS_CDS_*` variable. Raises SettingsError naming the first one that cannot be used."""
    site = site_settings_from(environ)
    environment = _one_of(environ, "CRS_CDS_ENV", Environment, Environment.PRODUCTION)
    production = environment is Environment.PRODUCTION
    asked = environ.get("CRS_CDS_ALLOW_HTTP", "")
    if asked not in ("", "0", "1"):
        raise SettingsError("CRS_CDS_ALLOW_HTTP must be 1, 0 or empty.")
    allow_http = not production or asked == "1"
    if production:
        _check_production(environ, site, allow_http=allow_http)
    servers = tuple(_base(url, "CRS_CDS_FHIR_SERVERS") for url in _listed(environ, "CRS_CDS_FHIR_SERVERS"))
    plain = next((base for base in servers if base.startswith("http:")), None)
    if plain is not None and not allow_http:
        raise SettingsError(f"CRS_CDS_FHIR_SERVERS: {plain} is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1.")
    clients = environ.get("CRS_CDS_CLIENTS", "off")
    budget = float(_number(environ, "CRS_CDS_BUDGET_SECONDS", "5", low="0.1", high="120"))
    smart_file = _path(environ, "CRS_CDS_SMART")
    log_seconds = float(_number(environ, "CRS_CDS_LOG_MILLISECONDS", "250", low="10", high="5000")) / 1000
    if log_seconds > budget / 2:
        raise SettingsError("CRS_CDS_LOG_MILLISECONDS must be at most half of CRS_CDS_BUDGET_SECONDS.")
    return Settings(
        public_url=site.public_url,
        zone=site.zone,
        thresholds_file=site.thresholds_file,
        value_sets_folder=site.value_sets_folder,
        environment=environment,
        fhir_servers=servers,
        cors_origins=_origins(environ),
        budget_seconds=budget,
        max_body_bytes=int(_number(environ, "CRS_CDS_MAX_BODY_MIB", "20", low="0.001", high="1024") * 1024 * 1024),
        max_calls=_whole(environ, "CRS_CDS_MAX_CALLS", MAX_CALLS, low=1, high=1000),
        limits=Limits(
            depth=_whole(environ, "CRS_CDS_MAX_DEPTH", Limits.depth, low=16, high=500),
            entries=_whole(environ, "CRS_CDS_MAX_ENTRIES", Limits.entries, low=100, high=10_000_000),
            pages=_whole(environ, "CRS_CDS_MAX_PAGES", Limits.pages, low=16, high=10_000),
        ),
        course_lookup=_one_of(environ, "CRS_CDS_COURSE_LOOKUP", CourseLookup, CourseLookup.HISTORY),
        clients_file=None if clients == "off" else Path(clients),
        orders_file=_path(environ, "CRS_CDS_ORDERS"),
        allow_http=allow_http,
        database_url=environ.get("CRS_CDS_DATABASE_URL", DEFAULT_DATABASE),
        log_seconds=log_seconds,
        pseudonym_key=environ.get("CRS_CDS_PSEUDONYM_KEY", DEVELOPMENT_KEY),
        override_hours=float(_number(environ, "CRS_CDS_OVERRIDE_HOURS", "8", low="0", high="72")),
        mode=_one_of(environ, "CRS_CDS_MODE", Mode, Mode.ACTIVE),
        shadow_services=frozenset(_listed(environ, "CRS_CDS_SHADOW_SERVICES")),
        metrics_token=_metrics_token(environ),
        ca_bundle=_certificates(environ),
        https_proxy=_proxy(environ),
        client_cert=_own_certificate(environ),
        demo_fhir=_demo_fhir(environ, servers, production=production),
        smart_file=smart_file,
        session_keys=_session_keys(environ, site) if smart_file is not None else (),
        frame_ancestors=_frame_ancestors(environ, allow_http=allow_http),
    )


MAX_CALLS = 32
LEAST_TOKEN_CHARS = 16
DEVELOPMENT_KEY = "for development only, known to everyone"
LEAST_KEY_CHARS = 32


def _check_production(environ: Mapping[str, str], site: SiteSettings, *, allow_http: bool) -> None:
    """What a hospital's network needs, each refused with what to do."""
    if environ.get("CRS_CDS_CLIENTS", "off") == "off":
        raise SettingsError("CRS_CDS_CLIENTS must name the file of trusted clients; `off` is for development only.")
    if "CRS_CDS_PUBLIC_URL" not in environ:
        raise SettingsError("CRS_CDS_PUBLIC_URL must be the address that clients call: their tokens are for it.")
    if site.public_url.startswith("http:") and not allow_http:
        raise SettingsError("CRS_CDS_PUBLIC_URL is plain http; use https, or set CRS_CDS_ALLOW_HTTP=1 behind a proxy.")
    if site.zone is None:
        raise SettingsError("CRS_CDS_TIMEZONE must be the facility's zone, such as Europe/Berlin: day 0 is its date.")
    key = environ.get("CRS_CDS_PSEUDONYM_KEY", "").strip()
    if len(key) < LEAST_KEY_CHARS or key == DEVELOPMENT_KEY:
        raise SettingsError(f"CRS_CDS_PSEUDONYM_KEY must be a secret of at least {LEAST_KEY_CHARS} characters.")
    backend, _, path = environ.get("CRS_CDS_DATABASE_URL", DEFAULT_DATABASE).partition("://")
    if backend.startswith("sqlite") and (path.split("?")[0].strip("/") == "" or ":memory:" in path):
        raise SettingsError("CRS_CDS_DATABASE_URL must be a file or a server: in memory nothing is kept.")


def site_settings_from(environ: Mapping[str, str]) -> SiteSettings:
    """The part of the settings that the command line needs. Raises SettingsError."""
    unknown = sorted(k for k in environ if k.startswith("CRS_CDS_") and k not in KNOWN)
    if unknown:
        raise SettingsError(f"{unknown[0]} is no setting of this version; correct its name or remove it.")
    public_url = environ.get("CRS_CDS_PUBLIC_URL", "http://127.0.0.1:8000")
    return SiteSettings(
        public_url=_base(public_url, "CRS_CDS_PUBLIC_URL"),
        zone=_zone(environ.get("CRS_CDS_TIMEZONE")),
        thresholds_file=_path(environ, "CRS_CDS_THRESHOLDS"),
        value_sets_folder=_path(environ, "CRS_CDS_VALUE_SETS"),
    )


KNOWN = frozenset(
    {
        "CRS_CDS_ENV",
        "CRS_CDS_PUBLIC_URL",
        "CRS_CDS_FHIR_SERVERS",
        "CRS_CDS_TIMEZONE",
        "CRS_CDS_CORS_ORIGINS",
        "CRS_CDS_BUDGET_SECONDS",
        "CRS_CDS_MAX_BODY_MIB",
        "CRS_CDS_COURSE_LOOKUP",
        "CRS_CDS_THRESHOLDS",
        "CRS_CDS_CLIENTS",
        "CRS_CDS_ORDERS",
        "CRS_CDS_ALLOW_HTTP",
        "CRS_CDS_DATABASE_URL",
        "CRS_CDS_PSEUDONYM_KEY",
        "CRS_CDS_LOG_MILLISECONDS",
        "CRS_CDS_OVERRIDE_HOURS",
        "CRS_CDS_MODE",
        "CRS_CDS_CA_BUNDLE",
        "CRS_CDS_HTTPS_PROXY",
        "CRS_CDS_CLIENT_CERT",
        "CRS_CDS_MAX_CALLS",
        "CRS_CDS_MAX_DEPTH",
        "CRS_CDS_MAX_ENTRIES",
        "CRS_CDS_MAX_PAGES",
        "CRS_CDS_SHADOW_SERVICES",
        "CRS_CDS_METRICS_TOKEN",
        "CRS_CDS_VALUE_SETS",
        "CRS_CDS_DEMO_FHIR",
        "CRS_CDS_SMART",
        "CRS_CDS_SESSION_KEY",
        "CRS_CDS_FRAME_ANCESTORS",
        "CRS_CDS_NO_SKIP",  # read by the test suite only
    }
)


def _demo_fhir(environ: Mapping[str, str], servers: Sequence[str], *, production: bool) -> str | None:
    """The FHIR server that `make demo` started for itself: the only one that the order desk writes to."""
    name = "CRS_CDS_DEMO_FHIR"
    if not environ.get(name):
        return None
    if production:
        raise SettingsError(f"{name} is for `make demo`: its patients are written anew. Production has none.")
    base = _base(environ[name], name)
    if urlsplit(base).hostname not in LOOPBACK or base not in servers:
        raise SettingsError(f"{name} must be on this machine, and one of CRS_CDS_FHIR_SERVERS.")
    return base


def _base(url: str, name: str) -> str:
    with naming(name):
        return normalised_base(url)


def _certificates(environ: Mapping[str, str]) -> Path | None:
    file = _file(environ, "CRS_CDS_CA_BUNDLE")
    if file is not None:
        try:
            ssl.create_default_context(cafile=str(file))
        except (ssl.SSLError, OSError) as error:
            raise SettingsError("CRS_CDS_CA_BUNDLE must hold certificates as PEM.") from error
    return file


def _own_certificate(environ: Mapping[str, str]) -> Path | None:
    file = _file(environ, "CRS_CDS_CLIENT_CERT")
    if file is not None:
        try:
            ssl.create_default_context().load_cert_chain(file, password="")
        except (ssl.SSLError, OSError) as error:
            raise SettingsError("CRS_CDS_CLIENT_CERT must hold a certificate and its key as PEM.") from error
    return file


def _proxy(environ: Mapping[str, str]) -> str | None:
    url = environ.get("CRS_CDS_HTTPS_PROXY") or None
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or " " in url:
        raise SettingsError("CRS_CDS_HTTPS_PROXY must be the http or https URL of a proxy.")
    return url


def _origins(environ: Mapping[str, str]) -> tuple[str, ...]:
    found = _listed(environ, "CRS_CDS_CORS_ORIGINS") or ("*",)
    for origin in found:
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path or " " in origin):
            raise SettingsError("CRS_CDS_CORS_ORIGINS must be origins such as https://ehr.example.org, or *.")
    return found


_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?")


def _frame_ancestors(environ: Mapping[str, str], *, allow_http: bool) -> tuple[str, ...]:
    found = _listed(environ, "CRS_CDS_FRAME_ANCESTORS")
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            raise SettingsError("CRS_CDS_FRAME_ANCESTORS must be origins such as https://ehr.example.org.")
        if origin.startswith("http:") and not allow_http:
            raise SettingsError(f"CRS_CDS_FRAME_ANCESTORS: {origin} is plain http; use https.")
    return found


def _session_keys(environ: Mapping[str, str], site: SiteSettings) -> tuple[str, ...]:
    """The secrets of the SMART sessions, the present one first."""
    keys = _listed(environ, "CRS_CDS_SESSION_KEY")
    if not keys or any(len(key) < LEAST_KEY_CHARS for key in keys):
        needs = f"must be a secret of at least {LEAST_KEY_CHARS} characters where CRS_CDS_SMART is set"
        raise SettingsError(f"CRS_CDS_SESSION_KEY {needs}; a comma ends it and begins the one before it in use.")
    parts = urlsplit(site.public_url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError("CRS_CDS_SMART needs an https CRS_CDS_PUBLIC_URL: browsers keep its cookies for no other.")
    return keys


def _file(environ: Mapping[str, str], name: str) -> Path | None:
    path = _path(environ, name)
    if path is not None and not path.is_file():
        raise SettingsError(f"{name}: there is no such file.")
    return path


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    return Path(text) if text else None


def _listed(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environ.get(name, "").split(",") if part.strip())


E = TypeVar("E", bound=StrEnum)


def _one_of(environ: Mapping[str, str], name: str, choices: type[E], default: E) -> E:
    text = environ.get(name, default.value)
    try:
        return choices(text)
    except ValueError as error:
        allowed = " or ".join(c.value for c in choices)
        raise SettingsError(f"{name} must be {allowed}.") from error


def _number(environ: Mapping[str, str], name: str, default: str, *, low: str, high: str) -> Decimal:
    try:
        value = Decimal(environ.get(name, default))
    except InvalidOperation as error:
        raise SettingsError(f"{name} must be a number.") from error
    if not (value.is_finite() and Decimal(low) <= value <= Decimal(high)):
        raise SettingsError(f"{name} must lie between {low} and {high}.")
    return value


def _whole(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    value = _number(environ, name, str(default), low=str(low), high=str(high))
    if value != int(value):
        raise SettingsError(f"{name} must be a whole number.")
    return int(value)


def _metrics_token(environ: Mapping[str, str]) -> str | None:
    token = environ.get("CRS_CDS_METRICS_TOKEN") or None
    if token is not None and (len(token) < LEAST_TOKEN_CHARS or not token.isascii() or not token.isprintable()):
        raise SettingsError(f"CRS_CDS_METRICS_TOKEN must be at least {LEAST_TOKEN_CHARS} printable ASCII characters.")
    return token


def _zone(name: str | None) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError("CRS_CDS_TIMEZONE must be an IANA name such as Europe/Berlin.") from error
