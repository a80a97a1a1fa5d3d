"""The demo: a taken port is no error, and the stories stay on their own local days."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from example_patients.demo import HOST, free_port, midday_zone


def test_a_port_that_is_taken_is_no_error() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        assert free_port(wanted) not in (0, wanted)


@pytest.mark.parametrize("hour", range(24))
def test_the_demo_plays_at_midday(hour: int) -> None:
    now = datetime(2026, 11, 22, hour, 30, tzinfo=UTC)
    assert now.astimezone(ZoneInfo(midday_zone(now))).hour == 12
