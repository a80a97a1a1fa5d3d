"""An export: NDJSON, Bundles, recorded calls, packed or not, mixed. What stands in a file counts, never its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cds_server.exports.chunks import CHUNK, chunks_of, lines_of, whole, with_head
from cds_server.exports.documents import Deleted, Placed, is_json, resources_of
from cds_server.exports.files import ExportFile, export_files
from cds_server.exports.unread import MIB, MOST_DOCUMENT, Unread, UnreadError, Why

MOST_TOGETHER, MOST_BYTES_TOGETHER = 4000, 8 * MIB
_LINES = (".ndjson", ".jsonl")


@dataclass(frozen=True)
class Portion:
    """Resources of one file that are read together. Those of a document share ids with nothing else: `beside` is
    everything in it."""

    file: str
    placed: tuple[Placed, ...]
    beside: tuple[Placed, ...] = ()


class Export:
    """The files that a user names. They can be read as often as needed, a portion at a time."""

    def __init__(self, named: Iterable[Path]) -> None:
        unread = Unread()
        self.files = tuple(export_files(named, unread))
        self._missing = unread

    def portions(self, unread: Unread) -> Iterator[Portion]:
        """All resources. The places that cannot be read go to `unread`."""
        for name, why, _ in self._missing:
            unread.add(name, why)
        for file in self.files:
            yield from _portions_of(file, unread)


def _portions_of(file: ExportFile, unread: Unread) -> Iterator[Portion]:
    try:
        chunks = with_head(chunks_of(file.path))
        first = next(chunks, b"")
        if _is_of_lines(first, file.path):
            yield from _of_lines(file.name, chain((first,), chunks), unread)
        elif first.lstrip()[:1] in (b"{", b"["):
            yield from _of_document(file, whole(chain((first,), chunks), MOST_DOCUMENT).strip(), unread)
        elif first.strip():
            unread.add(file.name, Why.NOT_JSON)
    except UnreadError as error:
        unread.add(file.name, error.why)


def _is_of_lines(first: bytes, path: Path) -> bool:
    """Tell whether a file holds one JSON text a line. In one text over several lines the first line is no whole text,
    and the next does not begin an object. Where a line is longer than what was looked at, its name tells."""
    line, end, others = first.lstrip().partition(b"\n")
    if not end:
        return len(first) >= CHUNK and (_is_named_so(path) or not line)
    if line.strip() == b"[":
        return False
    return others.lstrip(b"\r\n").startswith(b'{"') or is_json(line) or (b'\n{"' in others and line[:1] not in b"[{")


def _is_named_so(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(_LINES)


def _of_document(file: ExportFile, text: bytes, unread: Unread) -> Iterator[Portion]:
    """One JSON text; or lines after all, of which the first is bad or longer than what was looked at."""
    if (b'\n{"' in text or _is_named_so(file.path)) and not is_json(text):
        yield from _of_lines(file.name, (text,), unread)
    else:
        yield from _cut(file.name, tuple(_resources(text, file.name, "", unread)))


def _cut(file: str, found: tuple[Placed, ...]) -> Iterator[Portion]:
    for start in range(0, len(found), MOST_TOGETHER):
        yield Portion(file, found[start : start + MOST_TOGETHER], found)


def _of_lines(file: str, chunks: Iterable[bytes], unread: Unread) -> Iterator[Portion]:
    waiting: list[Placed] = []
    size = 0
    try:
        for text, found in _lines_read(file, chunks, unread):
            if len(found) != 1 or found[0].raw is not text:  # a Bundle in a line
                yield from _cut(file, found)
                continue
            waiting += found
            size += len(text)
            if len(waiting) >= MOST_TOGETHER or size >= MOST_BYTES_TOGETHER:
                yield Portion(file, tuple(waiting))
                waiting, size = [], 0
    except UnreadError as error:  # what stands before the place counts
        unread.add(file, error.why)
    if waiting:
        yield Portion(file, tuple(waiting))


def _lines_read(file: str, chunks: Iterable[bytes], unread: Unread) -> Iterator[tuple[bytes, tuple[Placed, ...]]]:
    """Each line that is not empty, with its resources."""
    for number, line in lines_of(chunks):
        if line is None:
            unread.add(file, Why.LONG_LINE, f"line {number}")
        elif text := line.strip():
            yield text, tuple(_resources(text, file, f"line {number}", unread))


def _resources(text: bytes, file: str, place: str, unread: Unread) -> Iterator[Placed]:
    for found in resources_of(text, place):
        if isinstance(found, Placed):
            yield found
        elif isinstance(found, Deleted):
            unread.deleted.add(found.reference)
        else:
            where, why = found
            unread.add(file, why, where)
