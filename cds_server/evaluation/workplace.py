"""The folder beside a report in which a run keeps what it has done, so that it goes on where it was stopped."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from cds_server.evaluation.reading.grouping import Grouped

SALT_BYTES = 32
_KNOWN = "run.json"


class _Known(msgspec.Struct):
    """The run that a workplace belongs to, and its first pass once that is done."""

    fingerprint: str
    grouped: Grouped | None = None


class Workplace:
    """`buckets` and `results` of one run. The salt of the names outlives it: the next run gives the same names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.buckets, self.results = folder / "buckets", folder / "results"
        self.charting = folder / "charting.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.salt = self._salt()

    def _salt(self) -> bytes:
        """The salt of the names. It appears under its name only when it is whole: half of one hides no id."""
        file = self.folder / "salt"
        if not file.exists():
            part = self.folder / "salt.part"
            part.write_bytes(secrets.token_bytes(SALT_BYTES))
            part.chmod(0o600)
            part.rename(file)
        return file.read_bytes()

    def begin(self, fingerprint: str) -> Grouped | None:
        """The first pass of a run that was stopped; None for another run, of which nothing is kept."""
        known = self._known()
        if known is not None and known.fingerprint == fingerprint and known.grouped is not None:
            for part in self.results.glob("*.part"):
                shutil.rmtree(part, ignore_errors=True)
            return known.grouped
        self.clear()
        for one in (self.buckets, self.results):
            one.mkdir(parents=True)
        return None

    def keep(self, fingerprint: str, grouped: Grouped) -> None:
        """Note that the first pass is done."""
        part = self.folder / f"{_KNOWN}.part"
        part.write_bytes(msgspec.json.encode(_Known(fingerprint, grouped)))
        part.rename(self.folder / _KNOWN)

    def done(self) -> set[int]:
        """The buckets whose rows are written."""
        return {int(one.name) for one in self.results.iterdir() if one.name.isdecimal()}

    def clear(self) -> None:
        """Delete everything but the salt."""
        for file in (self.folder / _KNOWN, self.charting):
            file.unlink(missing_ok=True)
        for one in (self.buckets, self.results):
            shutil.rmtree(one, ignore_errors=True)

    def _known(self) -> _Known | None:
        try:
            return msgspec.json.decode((self.folder / _KNOWN).read_bytes(), type=_Known)
        except (OSError, msgspec.MsgspecError):
            return None


def fingerprint(files: Iterable[Path], *stated: object) -> str:
    """A digest of everything that decides the rows: the files by name, size and time, and what is stated beside."""
    found = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr((found, stated)).encode()).hexdigest()
