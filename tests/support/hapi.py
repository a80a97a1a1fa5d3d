"""What a real HAPI JPA server answered, recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HAPI = Path(__file__).parents[1] / "bundles" / "hapi"


def recorded(name: str) -> Any:
    return json.loads((HAPI / f"{name}.json").read_text())
