"""The file that names the patients to record: one id a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
MOST_BYTES = 64 * 1024 * 1024


class PatientListError(ValueError):
    """A file that names no patients as it should. The sentence names lines, never what stands in them."""


@dataclass(frozen=True)
class Listed:
    """One patient of the list: the id, and the line that names it first."""

    id: str
    line: int


@dataclass(frozen=True)
class PatientList:
    """The patients of a list, each once, and the number of lines that name one of them again."""

    patients: tuple[Listed, ...]
    again: int = 0


def listed_patients(file: Path) -> PatientList:
    """The patients of a file: FHIR ids, with or without `Patient/` before them. Empty lines, and those that
    begin with #, name none. Raises PatientListError."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise PatientListError(f"{file} is larger than a list of patients can be.")
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise PatientListError(f"{file} is no UTF-8 text.") from error
    except OSError as error:
        raise PatientListError(f"{file} cannot be read ({error.strerror}).") from error
    found: dict[str, Listed] = {}
    bad: list[int] = []
    again = 0
    for number, text in enumerate(lines, 1):
        one = text.strip().removeprefix("Patient/")
        if not one or one.startswith("#"):
            continue
        if _ID.fullmatch(one) is None or not one.strip("."):  # dots alone climb in an address
            bad.append(number)
        again += one in found
        found.setdefault(one, Listed(one, number))
    if bad:
        named = ", ".join(map(str, bad[:10])) + (f" and {len(bad) - 10} more" if len(bad) > 10 else "")
        raise PatientListError(f"{file}: no FHIR id in line {named}. Nothing was read.")
    if not found:
        raise PatientListError(f"{file} names no patient.")
    return PatientList(tuple(found.values()), again)
