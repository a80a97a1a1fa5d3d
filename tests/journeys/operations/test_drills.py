"""What the runbook says to do by hand is done here: restore, downgrade and upgrade, and the rotation of each key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.drill import DRILLS, Drill, carried_out
from tests.support.postgres import BACKENDS


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.__name__)
def test_a_drill_goes_as_the_runbook_says(drill: Callable[[Drill], None], backend: str) -> None:
    assert carried_out(drill, backend)
