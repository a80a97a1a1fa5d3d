"""The program crs-cds: the server's commands joined with those that need the example patients, which live where the
server may not look.

Entry points would hide the list of commands in installed metadata, and a group that loads modules by name would be an
import that the test of the structure cannot see.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from cds_server.command_line import program
from cds_server.command_line.sign import sign_command
from cds_server.hooks.services import SERVICE_OF_HOOK
from cds_server.sign_off.examples import ExampleCall
from example_patients.programs.cohort import cohort
from example_patients.programs.commands import seed, selftest
from example_patients.stories.stories import SCENES, hook_body, record, told_at


def example_calls(zone: tzinfo) -> Iterator[ExampleCall]:
    """Each scene of the example patients on its own hook."""
    for story, scene in SCENES:
        at = told_at(scene, zone)
        drafts = hook_body(scene, at)["context"].get("draftOrders", {"entry": ()})["entry"]
        yield ExampleCall(
            name=f"{scene.id} {scene.hook}",
            showing=SERVICE_OF_HOOK[scene.hook].showing,
            chart=tuple(record(story, scene, at, zone)),
            drafts=tuple(entry["resource"] for entry in drafts),
            at=at,
        )


sign = sign_command(example_calls)


def main() -> None:
    for command in (seed, selftest, sign, cohort):
        program.commands.add_command(command)
    program.main()


if __name__ == "__main__":
    main()
