"""A PostgreSQL of the tests' own, on loopback and in a folder that goes with them, where its programs are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
INITDB = next((str(f / "initdb") for f in FOLDERS if (f / "initdb").exists()), shutil.which("initdb"))
BACKENDS = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=pytest.mark.skipif(INITDB is None, reason="PostgreSQL is not installed: `make test` does where it may"),
    ),
]


def _run(command: list[str]) -> None:
    """As someone without rights: PostgreSQL refuses to run as root."""
    as_someone = ["runuser", "-u", "nobody", "--", *command] if os.getuid() == 0 else command
    subprocess.run(as_someone, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database. Its folder is one that someone without rights may enter."""
    assert INITDB is not None
    programs = Path(INITDB).parent
    folder = Path(tempfile.mkdtemp(prefix="crs-cds-pg-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    if os.getuid() == 0:
        shutil.chown(data, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _run([INITDB, "-D", str(data), "-U", "crs", "--auth=trust", "--no-sync", "-E", "UTF8"])
    options = f"-h 127.0.0.1 -p {port} -k {data} -F"
    _run([str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(data / "log"), "-w", "start"])
    try:
        yield f"postgresql://crs@127.0.0.1:{port}/postgres"
    finally:
        _run([str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)
