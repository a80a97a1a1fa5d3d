"""The folder of a recording: a file for each patient who was read to the end, a manifest that says from where, and the
names of the files that are missing.

A file appears under its name only when it is whole, so that a recording that was stopped goes on with the patients
whose files are not there. The name of a file is a digest, because an id is patient data.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cds_server.recording.whole_record import TYPES, WholeRecord

MANIFEST = "manifest.json"
MISSING = ".missing"  # an evaluation passes over names that begin with a dot
_REQUEST = "crs-cds record from "
_PART = ".part"
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class FolderError(ValueError):
    """A folder that a recording cannot go into."""


class _AskedFor(msgspec.Struct, frozen=True):
    """The types that were asked for: of those that no file holds, the evaluation knows that there are none. And the
    number of listed patients who are not in the folder: a cohort that lacks some must not look whole."""

    asked: tuple[str, ...] = msgspec.field(default=TYPES, name="org.crs-cds.asked")
    missing: int = msgspec.field(default=0, name="org.crs-cds.missing")


class _Manifest(msgspec.Struct, rename="camel"):
    transaction_time: str
    request: str
    extension: _AskedFor = _AskedFor()


class RecordedFolder:
    """The folder OUT of a recording from one FHIR server. Raises FolderError if it holds anything else."""

    def __init__(self, folder: Path, base: str, now: datetime) -> None:
        self._folder, self._base = folder, base
        # beside the folder, and not in it, where an evaluation would read a patient in part
        self._part = folder.with_name(folder.name + _PART)
        folder.mkdir(parents=True, exist_ok=True)
        begun = _manifest_in(folder / MANIFEST)
        if begun is None and any(folder.iterdir()):
            raise FolderError(f"{folder} is not empty: name a new folder, or one that record has begun.")
        if begun is not None and begun.request != f"{_REQUEST}{base}":
            raise FolderError(f"{folder} was recorded from another server: name a new folder.")
        self._manifest = begun or _Manifest(now.astimezone(UTC).isoformat(timespec="seconds"), f"{_REQUEST}{base}")

    def note_missing(self, patients: Iterable[str]) -> int:
        """Write down who of these patients, and of those of earlier lists, is not in the folder, and return how many of
        them there are: a shorter list does not make the cohort whole. Raises OSError."""
        listed = {self._file(patient).name for patient in patients} | _missing_in(self._folder / MISSING)
        missing = sorted(name for name in listed if not (self._folder / name).exists())
        self._write(self._folder / MISSING, (name.encode() for name in missing))
        content = msgspec.structs.replace(self._manifest, extension=_AskedFor(missing=len(missing)))
        self._write(self._folder / MANIFEST, (msgspec.json.encode(content),))
        return len(missing)

    def has(self, patient: str) -> bool:
        return self._file(patient).exists()

    def add(self, patient: str, record: WholeRecord) -> None:
        """Write what was read of a patient, a resource a line. A type that was not read whole is said by an
        OperationOutcome, as an export says it. Raises OSError."""
        self._write(self._file(patient), _lines(record))

    def _file(self, patient: str) -> Path:
        return self._folder / f"{hashlib.sha256(f'{self._base} {patient}'.encode()).hexdigest()[:24]}.ndjson"

    def _write(self, file: Path, lines: Iterable[bytes]) -> None:
        try:
            with self._part.open("wb") as part:
                part.writelines(line + b"\n" for line in lines)
                part.flush()
                os.fsync(part.fileno())
            self._part.replace(file)
        finally:
            self._part.unlink(missing_ok=True)


def _lines(record: WholeRecord) -> Iterator[bytes]:
    for raw in record.resources:
        try:
            yield msgspec.json.format(raw, indent=-1)  # a server may answer over many lines
        except _BAD:
            yield b" ".join(raw.splitlines())  # it is set aside by whoever reads it, with its reason
    for resource_type, error in record.gaps:
        issue = {"severity": "error", "code": "incomplete", "diagnostics": f"{resource_type}: {error.why}"}
        yield msgspec.json.encode({"resourceType": "OperationOutcome", "issue": [issue]})


def _missing_in(file: Path) -> set[str]:
    return set(file.read_text(encoding="utf-8").split()) if file.exists() else set()


def _manifest_in(file: Path) -> _Manifest | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Manifest)
    except (*_BAD, OSError):
        return None
