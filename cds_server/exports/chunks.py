"""The content of a file in chunks, unpacked where it is gzip, with a bound on what it unpacks to."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from cds_server.exports.unread import MIB, MOST_LINE, MOST_TIMES_UNPACKED, UnreadError, Why

CHUNK = MIB
BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_PACKED = (b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")  # zip, bzip2, xz, zstd, 7z
_OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff")
_UNDOUBTED = 8 * MIB  # unpacked, whatever the size of the file
_TAR_AT, _TAR = 257, b"ustar"


def chunks_of(path: Path) -> Iterator[bytes]:
    """The content of a file, without a byte order mark. Raises UnreadError, if need be after what could be read."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            yield from _checked(_unpacked(file) if packed else iter(lambda: file.read(CHUNK), b""))
    except zlib.error as error:
        raise UnreadError(Why.DAMAGED) from error
    except OSError as error:
        raise UnreadError(Why.REFUSED) from error


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """The unpacked content of all members of a gzip file, as far as it goes. Raises UnreadError at a file that is cut
    off, and where more comes out than any real file of its size would hold."""
    member, size, packed, begun = _member(), 0, 0, False
    while read := file.read(CHUNK // 16):
        packed += len(read)
        while read := read if begun else read.lstrip(b"\0"):  # zeros may stand after a member
            chunk = member.decompress(read, CHUNK)
            size += len(chunk)
            if size > _UNDOUBTED and size > MOST_TIMES_UNPACKED * packed:
                raise UnreadError(Why.UNPACKS_TO_TOO_MUCH)
            if chunk:
                yield chunk
            begun = not member.eof
            read = member.unconsumed_tail if begun else member.unused_data
            member = member if begun else _member()
    if begun:
        raise UnreadError(Why.CUT_OFF)


def _member() -> zlib._Decompress:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def with_head(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks, of which the first is as long as any. Raises UnreadError where they do, after what they gave."""
    head = bytearray()
    remaining = iter(chunks)
    try:
        while len(head) < CHUNK:
            head += next(remaining)
    except StopIteration:
        pass
    except UnreadError:
        if head:
            yield bytes(head)
        raise
    yield bytes(head)
    yield from remaining


def _checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    remaining = iter(chunks)
    first = next(remaining, b"")
    if first.startswith(_PACKED) or first[_TAR_AT:].startswith(_TAR):
        raise UnreadError(Why.PACKED)
    if first.startswith(_OTHER_UNICODE):
        raise UnreadError(Why.NOT_UTF_8)
    yield from chain((first.removeprefix(BOM),), remaining)


def lines_of(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number, from 1 on; None for one that is longer than any resource."""
    number, begun, length = 0, list[bytes](), 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        length += len(first)
        begun = [*begun, first] if length <= MOST_LINE else []
        for other in others:
            number += 1
            yield number, b"".join(begun) if length <= MOST_LINE else None
            begun, length = [other], len(other)
    if length:
        yield number + 1, b"".join(begun) if length <= MOST_LINE else None


def whole(chunks: Iterable[bytes], most: int) -> bytes:
    """All chunks together. Raises UnreadError for more than `most` bytes."""
    found = bytearray()
    for chunk in chunks:
        if len(found) + len(chunk) > most:
            raise UnreadError(Why.LARGE_DOCUMENT)
        found += chunk
    return bytes(found)
