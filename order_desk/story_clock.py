"""The clock of a story: the moments at which something is charted, and the patient's record as of any of them.

A moment is (day of the course, clock) in the story's own time. When the record is written, that moment becomes now.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from example_patients.stories.chart import Resource, entries
from example_patients.stories.stories import PREFIX, Scene, Story, record

Moment = tuple[int, str]
CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
FIRST_DAY = 1  # day 0 keeps its clock wherever the moment lies, so the story is played from the day after
_DAY_0 = datetime(2026, 3, 2, tzinfo=UTC)


def desk_patient(story: Story) -> str:
    """The id of the desk's own patient of a story. The patients seeded for other clients stay as they are."""
    return f"{PREFIX}-desk-{story.id}"


def last_day(story: Story) -> int:
    """The day after the last scene: nothing new is charted then, and values grow old."""
    return story.scenes[-1].call[0] + 1


def is_in(story: Story, moment: Moment) -> bool:
    day, clock = moment
    return FIRST_DAY <= day <= last_day(story) and CLOCK.fullmatch(clock) is not None


def moments(story: Story) -> list[Moment]:
    """The moments after day 0 at which something is charted, and those of the scenes, in their order."""

    def at(day: int, clock: str) -> datetime:
        hours, minutes = clock.split(":")
        return _DAY_0 + timedelta(days=day, hours=int(hours), minutes=int(minutes))

    charted = {entry.at for entry in entries(story.chart, at) if isinstance(entry.at, datetime)}
    found = {((moment - _DAY_0).days, f"{moment:%H:%M}") for moment in charted}
    return sorted({*(m for m in found if m[0] >= FIRST_DAY), *(scene.call for scene in story.scenes)})


def record_at(story: Story, moment: Moment, now: datetime, zone: tzinfo) -> list[Resource]:
    """The record of the desk's patient, moved so that the moment is now."""
    died = any(scene.deceased and scene.call <= moment for scene in story.scenes)
    scene = Scene(desk_patient(story).removeprefix(f"{PREFIX}-"), moment, (), deceased=died)
    patient, *rest = record(story, scene, now, zone)
    return [{**patient, "name": [{"family": "Example", "given": [f"Story {story.id}"]}]}, *rest]
