"""The table of every setting of the service: field, environment variable, default, and how its text is read.

`docs/operations.md` says what each means; `reading` checks those that depend on each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cds_server.limits import CourseLookup, Limits, PatientSearch
from cds_server.outgoing.base_url import normalised_base
from cds_server.settings.database_address import database_url, sqlite_file
from cds_server.settings.values import (
    bases,
    certificates,
    folder,
    listed,
    names,
    number,
    one_of,
    optional,
    origins,
    origins_or_all,
    own_certificate,
    path,
    path_or_off,
    proxy,
    token,
    whole,
    yes_or_no,
    zone,
)

T = TypeVar("T")
DEFAULT_DATABASE = "sqlite:///crs-cds.sqlite"
DEVELOPMENT_KEY = "for-development-only-known-to-everyone"
MAX_CALLS = 32


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Mode(StrEnum):
    """The mode of a service. In `shadow` everything is worked out and logged, and nothing is shown."""

    ACTIVE = "active"
    SHADOW = "shadow"


@dataclass(frozen=True)
class Setting:
    """One environment variable. An empty one counts as absent, and `default` is read in its place."""

    name: str
    default: str
    read: Callable[[str], object]


def setting(name: str, default: str, read: Callable[[str], T], *, secret: bool = False) -> T:
    """A field of the table: what `read` makes of the variable. A secret one is left out where settings are shown."""
    found: Any = field(metadata={"setting": Setting(name, default, read)}, repr=not secret)
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class SiteSettings:
    """The settings that name the site's rules: enough to explain a recorded patient without a server."""

    public_url: str = setting("CRS_CDS_PUBLIC_URL", "http://127.0.0.1:8000", normalised_base)
    zone: ZoneInfo | None = setting("CRS_CDS_TIMEZONE", "", optional(zone))
    thresholds_file: Path | None = setting("CRS_CDS_THRESHOLDS", "", optional(path))
    protocol_file: Path | None = setting("CRS_CDS_PROTOCOL", "", optional(path))
    value_sets_folder: Path | None = setting("CRS_CDS_VALUE_SETS", "", optional(path))


@dataclass(frozen=True)
class LogSettings(SiteSettings):
    """The settings of the decision log and of its spool."""

    database_url: str = setting("CRS_CDS_DATABASE_URL", DEFAULT_DATABASE, database_url, secret=True)
    session_keys: tuple[str, ...] = setting("CRS_CDS_SESSION_KEY", "", listed, secret=True)
    spool_folder: Path | None = setting("CRS_CDS_SPOOL_DIR", "", optional(folder))
    own_spool_keys: tuple[str, ...] = setting("CRS_CDS_SPOOL_KEY", "", listed, secret=True)
    spool_mib: float = setting("CRS_CDS_SPOOL_MIB", "64", number("0.1", "10240"))

    @property
    def spool_keys(self) -> tuple[str, ...]:
        """The keys that open the spool, the one that encrypts first. Without one there is no spool."""
        return (*self.own_spool_keys, *self.session_keys)

    @property
    def spool_path(self) -> Path | None:
        """The folder of the spool: the one that is named, or that of the file of SQLite; None if there is neither."""
        beside = sqlite_file(self.database_url)
        return self.spool_folder or (beside.parent if beside is not None else None)


@dataclass(frozen=True)
class Settings(LogSettings):
    environment: Environment = setting("CRS_CDS_ENV", "production", one_of(Environment))
    clients_file: Path | None = setting("CRS_CDS_CLIENTS", "off", path_or_off)
    fhir_servers: tuple[str, ...] = setting("CRS_CDS_FHIR_SERVERS", "", bases)
    orders_file: Path | None = setting("CRS_CDS_ORDERS", "", optional(path))
    course_lookup: CourseLookup = setting("CRS_CDS_COURSE_LOOKUP", "history", one_of(CourseLookup))
    patient_search: PatientSearch = setting("CRS_CDS_PATIENT_SEARCH", "auto", one_of(PatientSearch))
    mode: Mode = setting("CRS_CDS_MODE", "active", one_of(Mode))
    shadow_services: frozenset[str] = setting("CRS_CDS_SHADOW_SERVICES", "", names)
    override_hours: float = setting("CRS_CDS_OVERRIDE_HOURS", "8", number("0", "72"))
    signed_file: Path | None = setting("CRS_CDS_SIGNED", "", optional(path))
    pseudonym_key: str = setting("CRS_CDS_PSEUDONYM_KEY", DEVELOPMENT_KEY, str, secret=True)
    budget_seconds: float = setting("CRS_CDS_BUDGET_SECONDS", "5", number("0.1", "120"))
    log_milliseconds: float = setting("CRS_CDS_LOG_MILLISECONDS", "250", number("10", "5000"))
    max_calls: int = setting("CRS_CDS_MAX_CALLS", str(MAX_CALLS), whole(1, 1000))
    max_body_mib: float = setting("CRS_CDS_MAX_BODY_MIB", "20", number("0.001", "1024"))
    max_depth: int = setting("CRS_CDS_MAX_DEPTH", str(Limits.depth), whole(16, 500))
    max_entries: int = setting("CRS_CDS_MAX_ENTRIES", str(Limits.entries), whole(100, 10_000_000))
    max_record_mib: float = setting("CRS_CDS_MAX_RECORD_MIB", "128", number("1", "4096"))
    max_pages: int = setting("CRS_CDS_MAX_PAGES", str(Limits.pages), whole(16, 10_000))
    medication_seconds: float = setting("CRS_CDS_MEDICATION_SECONDS", "300", number("0", "3600"))
    metrics_token: str | None = setting("CRS_CDS_METRICS_TOKEN", "", optional(token), secret=True)
    http_is_allowed: bool = setting("CRS_CDS_ALLOW_HTTP", "0", yes_or_no)
    ca_bundle: Path | None = setting("CRS_CDS_CA_BUNDLE", "", optional(certificates))
    https_proxy: str | None = setting("CRS_CDS_HTTPS_PROXY", "", optional(proxy), secret=True)
    client_cert: Path | None = setting("CRS_CDS_CLIENT_CERT", "", optional(own_certificate))
    demo_fhir: str | None = setting("CRS_CDS_DEMO_FHIR", "", optional(normalised_base))
    smart_file: Path | None = setting("CRS_CDS_SMART", "", optional(path))
    proxies: int = setting("CRS_CDS_PROXIES", "0", whole(0, 9))
    audit_fhir: str | None = setting("CRS_CDS_AUDIT_FHIR", "", optional(normalised_base))
    audit_file: Path | None = setting("CRS_CDS_AUDIT_FILE", "", optional(path))
    otlp: str | None = setting("CRS_CDS_OTLP", "", optional(normalised_base))
    frame_ancestors: tuple[str, ...] = setting("CRS_CDS_FRAME_ANCESTORS", "", origins)
    cors_origins: tuple[str, ...] = setting("CRS_CDS_CORS_ORIGINS", "*", origins_or_all)

    @property
    def in_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def allow_http(self) -> bool:
        """Tell whether plain http addresses may be named."""
        return self.http_is_allowed or not self.in_production

    @property
    def log_seconds(self) -> float:
        return self.log_milliseconds / 1000

    @property
    def max_body_bytes(self) -> int:
        return int(self.max_body_mib * 1024 * 1024)

    @property
    def limits(self) -> Limits:
        return Limits(self.max_depth, self.max_entries, self.max_pages, int(self.max_record_mib * 1024 * 1024))

    def in_shadow(self, service: str) -> bool:
        return self.mode is Mode.SHADOW or service in self.shadow_services


OF_THE_TESTS = "CRS_CDS_NO_SKIP"  # set for the test suite, whose environment the services in it inherit


def known_names() -> frozenset[str]:
    """The environment variables that may be set; any other with the same prefix is a mistake."""
    return frozenset({OF_THE_TESTS, *(field.metadata["setting"].name for field in fields(Settings))})
