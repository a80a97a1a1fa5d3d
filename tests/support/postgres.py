"""A PostgreSQL of the tests' own, on loopback and in a folder that goes with them, where its programs are installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass
class Cluster:
    """A PostgreSQL that can be stopped as by a crash, and started again with what it had committed."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://crs@127.0.0.1:{self.port}/postgres"

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def make(self) -> None:
        assert INITDB is not None
        (self.folder / "data").mkdir()
        if os.getuid() == 0:
            shutil.chown(self._data, "nobody")
        _run([INITDB, "-D", self._data, "-U", "crs", "--auth=trust", "--no-sync", "-E", "UTF8"])

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self._data} -F"
        self._control("-o", options, "-l", f"{self._data}/log", "-w", "start")

    def stop(self) -> None:
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        assert INITDB is not None
        _run([str(Path(INITDB).parent / "pg_ctl"), "-D", self._data, *arguments])


@contextmanager
def cluster() -> Iterator[Cluster]:
    """An empty PostgreSQL that runs. Its folder is one that someone without rights may enter."""
    folder = Path(tempfile.mkdtemp(prefix="crs-cds-pg-"))
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Cluster(folder, port)
    made.make()
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database."""
    with cluster() as made:
        yield made.url
