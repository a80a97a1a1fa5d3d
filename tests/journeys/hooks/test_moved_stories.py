"""The stories moved to now: each keeps its cards and its day, whatever the hour and the zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from example_patients.programs.seed import HOLD
from example_patients.stories.stories import hook_body, record
from tests.support.desk import SCENES, Desk, assessment, card_ids, scene_of, whole_prefetch
from tests.support.tables import name_of, rows

MOMENTS = rows("""
    | zone               | now              | because                                         |
    | ------------------ | ---------------- | ----------------------------------------------- |
    | Asia/Shanghai      | 2026-11-22 00:05 | just after midnight                             |
    | Asia/Shanghai      | 2026-11-22 01:30 | two hours earlier it was yesterday              |
    | Asia/Shanghai      | 2026-11-22 05:00 | before the clock of the infusion                |
    | Asia/Shanghai      | 2026-11-22 09:00 | between the clocks of baseline and infusion     |
    | Asia/Shanghai      | 2026-11-22 17:00 | in the afternoon                                |
    | Asia/Shanghai      | 2026-11-22 23:55 | just before midnight                            |
    | UTC                | 2026-01-03 00:30 | the course began last year                      |
    | America/New_York   | 2026-03-10 00:30 | the clock was set forward in the course         |
    | Europe/Berlin      | 2026-10-27 23:30 | the clock was set back in the course            |
    | Asia/Kathmandu     | 2026-11-22 00:10 | a zone of quarter hours                         |
    | Pacific/Kiritimati | 2026-11-22 01:00 | 14 hours before UTC                             |
    | Pacific/Pago_Pago  | 2026-11-22 01:00 | 11 hours after UTC                              |
    """)


@pytest.mark.parametrize("row", MOMENTS, ids=name_of)
def test_a_story_keeps_its_cards_and_its_day(row: dict[str, str]) -> None:
    zone = ZoneInfo(row["zone"])
    now = datetime.fromisoformat(row["now"]).replace(tzinfo=zone)
    desk = Desk(now=now.astimezone(UTC), environ={"CRS_CDS_TIMEZONE": row["zone"]})
    for story, scene in SCENES:
        chart = record(story, scene, desk.now, zone)
        answer = desk.post(hook_body(scene, desk.now, prefetch=whole_prefetch(chart)))
        assert card_ids(answer) == scene.wanted, scene.id
        if "day" in assessment(answer):
            assert assessment(answer)["day"] == scene.call[0], scene.id


def test_the_cards_stay_the_same_for_as_long_as_examples_hold() -> None:
    now = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    desk = Desk(now=now + HOLD, environ={"CRS_CDS_TIMEZONE": "UTC"})
    for story, scene in SCENES:
        chart = whole_prefetch(record(story, scene, now, UTC))
        assert card_ids(desk.post(hook_body(scene, desk.now, prefetch=chart))) == scene.wanted, scene.id


def test_a_chart_has_as_many_entries_whatever_happens_to_the_clock() -> None:
    story, scene = scene_of("2")
    year = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(365)]
    assert len({len(record(story, scene, now, ZoneInfo("Europe/Berlin"))) for now in year}) == 1
