"""The differences between the rules that were signed and those in force, row by row and card by card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_server.sign_off.signature import Signature


def differences(old: Signature, new: Signature) -> Iterator[str]:
    """A line for each row that was added, removed or changed, under its section; none if nothing changed."""
    names = [*old.content, *(name for name in new.content if name not in old.content)]
    sections = {name: (old.content.get(name, {}), new.content.get(name, {})) for name in names}
    sections["cards of the example patients"] = (old.examples, new.examples)
    for name, (before, after) in sections.items():
        if lines := list(_changes(before, after)):
            yield f"{name}: {len(lines)} changed"
            for row in lines:
                yield from row


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[list[str]]:
    for row in (*before, *(row for row in after if row not in before)):
        old, new = before.get(row), after.get(row)
        if old != new:
            yield _change(row, old, new)


def _change(row: str, old: str | None, new: str | None) -> list[str]:
    """One row: on one line if it is short, else the lines of it that went and came."""
    if old is None or new is None:
        sign, text = ("+", new) if old is None else ("-", old)
        return [
            f"  {sign} {row}: {line}" if n == 0 else f"      {line}" for n, line in enumerate(str(text).split("\n"))
        ]
    gone = [line for line in old.split("\n") if line not in new.split("\n")]
    come = [line for line in new.split("\n") if line not in old.split("\n")]
    if "\n" not in old and "\n" not in new:
        return [f"  {row}: {old} → {new}"]
    moved = [] if gone or come else ["      the same lines in another order"]
    return [f"  {row}", *(f"    - {line}" for line in gone), *(f"    + {line}" for line in come), *moved]
