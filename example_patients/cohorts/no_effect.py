"""A cohort in which tocilizumab does nothing: severe CRS and resolution come at rates that it does not change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from example_patients.cohorts.course_chart import (
    CRP_BASELINE,
    HOURS,
    IL6_BASELINE,
    LAST_VISIT,
    PRODUCT,
    Level,
    Person,
    resources_of,
    signs,
)
from example_patients.cohorts.export import Cohort

PATIENTS, SEED = 120, 1
SEVERE, RESOLVED, DRUG = 0.10, 0.20, 0.12  # a day, while in CRS and not severe
LONGEST = 20.0  # days of CRS
SEVERE_HOURS = 16
FIRST = date(2020, 1, 6)
PROTOCOL = """\
title = "No effect (a constructed cohort)"
note = "Constructed data: no patient of this cohort exists, and tocilizumab changes nothing in it."
constructed = true
"""


def no_effect_cohort(patients: int = PATIENTS, seed: int = SEED) -> Cohort:
    """Patients who all have CRS. Who gets tocilizumab, and when, is drawn without a look at what follows."""
    draw = Random(seed)  # noqa: S311 - a cohort that is the same each time
    made = []
    for number in range(patients):
        day0 = FIRST + timedelta(days=4 * number)
        person = Person(f"n{number:03}", draw.choice(["male", "female"]), draw.randint(18, 75), day0)
        made += resources_of(person, list(_lines(draw)))
    return Cohort(tuple(made), PROTOCOL)


def _lines(draw: Random) -> Iterator[str]:
    onset = 24 * draw.randint(1, 8) + HOURS[0]
    severe, resolved, drug = (24 * draw.expovariate(rate) for rate in (SEVERE, RESOLVED, DRUG))
    ends = min(severe, resolved, 24 * LONGEST)
    over = ends + SEVERE_HOURS + 24 if severe == ends else ends
    levels = [Level(onset, 1), Level(round(onset + over), 0)]
    if severe == ends:
        levels[1:1] = [Level(round(onset + severe), 3), Level(round(onset + severe) + SEVERE_HOURS, 1)]
    rise = round(draw.lognormvariate(2, 1), 1)
    yield f"D0 08:00  il6 {IL6_BASELINE} | crp {CRP_BASELINE} | weight 70"
    yield f"D0 10:00  car-t {PRODUCT}"
    yield from signs(tuple(levels), round(onset + over) // 24 + 3)
    yield f"D{onset // 24} 07:00  il6 {round(IL6_BASELINE * rise, 1)} | crp {round(CRP_BASELINE * rise / 2, 1)}"
    if drug < ends:
        given = round(onset + drug) + 1
        yield f"D{given // 24} {given % 24:02}:00  toci 560"
    yield f"D{LAST_VISIT + 10} 10:00  weight 68"
