"""The TOML files that settings name, read in one way."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from cds_server.limits import SettingsError

MOST_CHARS = 200  # of what the reader of TOML says, which may quote the file


def toml_table(setting: str, file: Path) -> dict[str, Any]:
    """The content of a file, its decimal numbers as Decimal. Raises SettingsError, which names the setting."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{setting}: the file is not TOML: {printable(str(error))}.") from error
    except (OSError, ValueError, ArithmeticError, RecursionError) as error:
        raise SettingsError(f"{setting} must name a file that can be read, as UTF-8.") from error


def printable(text: str) -> str:
    """The beginning of a text that may quote a file, without what steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)[:MOST_CHARS]
