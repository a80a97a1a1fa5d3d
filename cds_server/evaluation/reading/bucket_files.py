"""The files that the resources of an export are sorted into: all of one patient stand in one of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from fhir_mappings.reading.resources import Json

_HEAD = Struct(">HHI")
_BUFFER = 256 * 1024
_LONGEST = 0xFFFF


class Sorted(NamedTuple):
    """A resource with the patient that it is of and the place that it stands at."""

    patient: str
    place: str
    raw: bytes


def bucket_of(patient: str, buckets: int) -> int:
    """The number of the file that holds a patient; the same on every machine."""
    return zlib.crc32(patient.encode()) % buckets


def bucket_path(folder: Path, number: int | str) -> Path:
    return folder / f"bucket-{number}"


class BucketWriter:
    """Appends resources to buckets, a few hundred KiB at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[int | str, bytearray] = {}

    def add(self, bucket: int | str, patient: str, place: str, raw: Json) -> None:
        waiting = self._waiting.setdefault(bucket, bytearray())
        who, where, what = patient.encode()[:_LONGEST], place.encode()[:_LONGEST], memoryview(raw)
        waiting += _HEAD.pack(len(who), len(where), what.nbytes)
        waiting += who
        waiting += where
        waiting += what
        if len(waiting) >= _BUFFER:
            self._write(bucket)

    def close(self) -> None:
        for bucket in self._waiting:
            self._write(bucket)

    def _write(self, bucket: int | str) -> None:
        with bucket_path(self._folder, bucket).open("ab") as file:
            file.write(self._waiting[bucket])
        self._waiting[bucket] = bytearray()


def resources_in(folder: Path, bucket: int | str) -> Iterator[Sorted]:
    """The resources of a bucket, in the order in which they were read. A bucket that nothing went into is empty."""
    path = bucket_path(folder, bucket)
    if not path.exists():
        return
    with path.open("rb", buffering=1024 * 1024) as file:
        while head := file.read(_HEAD.size):
            who, where, what = _HEAD.unpack(head)
            patient, place, raw = file.read(who).decode(), file.read(where).decode(), file.read(what)
            yield Sorted(patient, place, raw)
