"""One checkout's answers to given calls: `python answers.py CHECKOUT CALLS ANSWERS`. See `same_answers`.

It runs the code of any checkout since the first, whatever the rooms are called there: so it imports nothing but the
application, and stands alone.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

RULES = re.compile(r'"thresholds":\s*"[0-9a-f]{16}"')
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def comparable(text: str) -> str:
    """The text with each uuid replaced by its number, in the order in which they appear, and without the hash of the
    rules: it changes with a code or number that no answer shows."""
    numbers: dict[str, str] = {}
    plain = RULES.sub('"thresholds":"-"', text)
    return UUID.sub(lambda m: numbers.setdefault(m.group(), f"uuid-{len(numbers) + 1}"), plain)


def main(checkout: str, calls: str, answers: str) -> None:
    """Write a line for each call: its name, and status and body of the answer."""
    sys.path.insert(0, checkout)
    from cds_server.app import create_app  # noqa: PLC0415

    now = datetime.now().astimezone()
    settings = {
        "CRS_CDS_ENV": "development", "CRS_CDS_TIMEZONE": "Asia/Shanghai", "CRS_CDS_DATABASE_URL": "sqlite://",
        "CRS_CDS_VALUE_SETS": str(Path(checkout) / "example_patients" / "value_sets"),
        "CRS_CDS_BUDGET_SECONDS": "60", "CRS_CDS_LOG_MILLISECONDS": "5000",
    }  # fmt: skip
    client: Any = create_app(settings, clock=lambda: now).test_client()
    with Path(calls).open(encoding="utf-8") as given, Path(answers).open("w", encoding="utf-8") as out:
        for line in given:
            call = json.loads(line)
            now = datetime.fromisoformat(call["now"])
            answer = client.post(call["address"], data=call["body"].encode(), content_type="application/json")
            body = comparable(answer.get_data(as_text=True))
            out.write(json.dumps([call["name"], answer.status_code, body], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
