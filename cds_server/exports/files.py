"""The files of an export: those that are named, and those in the folders that are named, each once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cds_server.exports.unread import Unread, Why

# outcomes and a protocol may lie beside the data of an evaluation; nobody exports FHIR in them
BESIDE = (".csv", ".toml")


@dataclass(frozen=True)
class ExportFile:
    """One file, and the name by which the user knows it."""

    path: Path
    name: str


def _is_passed_over(path: Path) -> bool:
    return path.name.startswith(".") or path.suffix in BESIDE


def export_files(named: Iterable[Path], unread: Unread) -> Iterator[ExportFile]:
    """The files in the order of their names. Links are followed; no file and no folder is read twice.

    In a folder, names that begin with a dot are passed over, and so are tables and settings beside the data (BESIDE).
    """
    seen: set[tuple[int, int]] = set()
    waiting = [Path(path) for path in reversed([*named])]
    while waiting:
        path = waiting.pop()
        name = os.fsencode(path).decode("utf-8", "replace")
        try:
            found = path.stat()
            if (found.st_dev, found.st_ino) in seen:
                continue
            seen.add((found.st_dev, found.st_ino))
            if stat.S_ISDIR(found.st_mode):
                inside = sorted(path.iterdir(), key=lambda one: one.name, reverse=True)
                waiting += [one for one in inside if not _is_passed_over(one)]
            elif stat.S_ISREG(found.st_mode):
                yield ExportFile(path, name)
            else:
                unread.add(name, Why.NOT_A_FILE)
        except FileNotFoundError:
            unread.add(name, Why.MISSING)
        except (OSError, ValueError):  # no permission; a link to itself; a name with a null byte
            unread.add(name, Why.REFUSED)
