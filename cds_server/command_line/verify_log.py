"""The command `crs-cds verify-log`: whether the decision log is as it was sealed."""

from __future__ import annotations

import click
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cds_server.command_line.log_reports import in_log
from cds_server.storage.chain.seals import head_of
from cds_server.storage.chain.verification import UnreadableAnchorError, Verified, verified
from cds_server.storage.spool import Spool

MOST_FAULTS = 100


@click.command("verify-log")
@click.option("--head", is_flag=True, help="Print the number and hash of the last seal only, to keep them elsewhere.")
@click.option("--expect", metavar="HASH", help="The hash of a seal that was kept elsewhere: it must be in the chain.")
def verify_log(*, head: bool, expect: str | None) -> None:
    """Say which rows of the decision log were changed, are missing or were added (exit code 1 if any)."""
    faults: list[str] = []

    def work(engine: Engine, _: Spool | None) -> str:
        with Session(engine) as session:
            if head:
                last = head_of(session)
                return f"{last.number} {last.hash}\n"
            try:
                found = verified(session, expect)
            except UnreadableAnchorError as error:
                faults.append(str(error))
                return f"{error}.\n"
        faults.extend(found.faults)
        return _report(found)

    in_log(work)
    if faults:
        raise SystemExit(1)


def _report(found: Verified) -> str:
    lines = list(found.faults[:MOST_FAULTS])
    if len(found.faults) > MOST_FAULTS:
        lines.append(f"and {len(found.faults) - MOST_FAULTS} more")
    lines += [
        f"purged up to seal {anchor.number}: {anchor.count} rows, {anchor.at:%Y-%m-%d %H:%M} UTC, by {anchor.by}"
        for anchor in found.anchors
    ]
    lines.append(f"{found.sealed} rows are sealed, {found.unsealed} decisions and entries of feedback not yet.")
    last = max(found.hashes, default=0)
    lines.append(f"last seal: {last} {found.hashes[last]}" if last else "There is no seal yet.")
    lines.append(f"{len(found.faults)} faults." if found.faults else "The log is as it was sealed.")
    return "\n".join(lines) + "\n"
