"""The places of an export that could not be read. They are named by file and line or entry, never by content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

MIB = 1024 * 1024
MOST_LINE, MOST_DOCUMENT = 32 * MIB, 256 * MIB
MOST_TIMES_UNPACKED = 300  # real exports unpack to 10 to 50 times their size, zeros to 1,000 times
NAMED_OF_A_FILE = 5


class Why(Enum):
    """The reason why a place could not be read; its value in words."""

    MISSING = "there is no such file"
    NOT_A_FILE = "is neither a file nor a folder"
    REFUSED = "cannot be opened"
    PACKED = "is packed in another way than .gz; unpack it first"
    NOT_JSON = "is not JSON"
    NOT_UTF_8 = "is not UTF-8"
    NOT_FHIR = "is no FHIR resource"
    CUT_OFF = "is cut off: its packed data end too early"
    DAMAGED = "is damaged: its packed data cannot be unpacked"
    UNPACKS_TO_TOO_MUCH = f"unpacks to more than {MOST_TIMES_UNPACKED} times its size"
    LONG_LINE = f"is a line of more than {MOST_LINE // MIB} MiB"
    LARGE_DOCUMENT = f"is one JSON text of more than {MOST_DOCUMENT // MIB} MiB; write it as NDJSON"


class UnreadError(Exception):
    """The end of a file that cannot be read further."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass
class UnreadPart:
    """The places of one file that could not be read for one reason: their number, and the first of them by name."""

    count: int
    places: list[str]


class Unread:
    """Everything that could not be read, by file and reason; `deleted` are the resources that the export takes back."""

    def __init__(self) -> None:
        self.deleted: set[str] = set()
        self._parts: dict[tuple[str, Why], UnreadPart] = {}

    def add(self, file: str, why: Why, place: str = "") -> None:
        part = self._parts.setdefault((file, why), UnreadPart(0, []))
        part.count += 1
        if place and len(part.places) < NAMED_OF_A_FILE:
            part.places.append(place)

    def __iter__(self) -> Iterator[tuple[str, Why, UnreadPart]]:
        return ((file, why, part) for (file, why), part in self._parts.items())

    def __len__(self) -> int:
        return sum(part.count for part in self._parts.values())
