"""The address of the database: checked before anything uses it, and shown without what is secret in it.

SQLAlchemy takes a password with an `@` in it apart at the wrong place, and puts what it could not read into its errors.
So an address that may have been taken apart wrongly is refused, and no message quotes one.
"""

from __future__ import annotations

from pathlib import Path
from string import ascii_letters, digits

from sqlalchemy.engine import URL, make_url

from cds_server.limits import UnusableError

_SQLITE, _POSTGRESQL = ("sqlite", "sqlite+pysqlite"), ("postgresql", "postgresql+psycopg")
_OF_SQLITE = frozenset({"uri", "mode", "cache", "timeout", "immutable", "nolock", "vfs"})
# of libpq, which psycopg hands on; the service sets `options`, `connect_timeout` and `tcp_user_timeout` itself
_OF_POSTGRESQL = frozenset(
    {
        "application_name", "channel_binding", "dbname", "gssencmode", "host", "hostaddr", "keepalives", "krbsrvname",
        "load_balance_hosts", "passfile", "password", "port", "require_auth", "service", "sslcert", "sslcrl", "sslkey",
        "ssl_min_protocol_version", "sslmode", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs", "user",
    }
)  # fmt: skip
_MAY_HOLD_AN_AT = frozenset({"password", "sslpassword", "user"})
_OF_A_HOST = frozenset(ascii_letters + digits + ".-_:%")
_NO_URL = "must be a database URL, such as sqlite:///crs-cds.sqlite or postgresql://user@host/name"
_SIGNS = "in its user name and password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and % as %25"


def database_url(text: str) -> str:
    """The address, if it can be used. Raises UnusableError, which quotes nothing of it."""
    url = _parsed(text)
    if url.drivername in _SQLITE:
        known = _OF_SQLITE
    elif url.drivername in _POSTGRESQL:
        known = _OF_POSTGRESQL
        _check_parts(url)
    else:
        raise UnusableError("must name a database of SQLite (sqlite:) or PostgreSQL (postgresql:)")
    query = text.partition("?")[2]
    if not set(url.query) <= known or not all(
        "=" in part for part in query.split("&") if query
    ):  # the name of an unknown one may be a part of a password
        raise UnusableError(
            f"has a parameter that is not taken; those that are: {', '.join(sorted(known))}. And {_SIGNS}"
        )
    try:
        url.get_dialect()().create_connect_args(url)
    except Exception as error:  # whatever it is, it may quote the address
        raise UnusableError("has a parameter whose value cannot be used; correct or remove it") from error
    return text


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except Exception as error:  # also a port that is no number
        raise UnusableError(f"{_NO_URL}; {_SIGNS}") from error


def _check_parts(url: URL) -> None:
    """Raise UnusableError if a sign that was not written out may have cut a password in two."""
    values = [v for name, value in url.query.items() if name not in _MAY_HOLD_AN_AT for v in _texts(value)]
    if "@" in "".join((url.database or "", *values)) or not set(url.host or "") <= _OF_A_HOST:
        raise UnusableError(f"has a host, database or parameter with a sign that cannot be there; {_SIGNS}")


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def sqlite_file(text: str) -> Path | None:
    """The file of a database of SQLite; None for another one, for one in memory, and for a `file:` address."""
    url = make_url(text)
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":memory:", "file:")):
        return None
    return Path(url.database)


def shown_database(text: str) -> str:
    """The address as it may be shown: without user, password and parameters."""
    url = make_url(text)
    host = url.host or ", ".join(_texts(url.query.get("host", "")))
    where = f"{host}:{url.port}" if url.port is not None else host
    return f"{url.get_backend_name()}://{where}/{url.database or ''}"
