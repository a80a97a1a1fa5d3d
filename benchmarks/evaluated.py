"""`crs-cds evaluate`: milliseconds a moment, seconds and memory of a run, in processes and on a cluster.

`python -m benchmarks.evaluated write FOLDER PATIENTS` writes a cohort of dense charts, and `run FOLDER WORKERS`, or
`run FOLDER tcp://…`, prints what one evaluation of it cost, as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from cds_server.evaluation.bucket_task import RulesFrom
from cds_server.evaluation.engine import cluster, processes, summaries
from cds_server.evaluation.evaluate import Progress, Wanted, evaluate
from cds_server.evaluation.protocol import Protocol
from cds_server.evaluation.workplace import Workplace
from cds_server.site_rules import site_rules
from example_patients.cohorts.course_chart import PRODUCT, Person, resources_of
from example_patients.cohorts.export import ndjson

DAYS, OBSERVATIONS = 13, 3_000
COURSES = 12  # distinct ones; each patient has one of them under another id
FIRST = date(2025, 1, 6)
LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
FOREIGN = tuple((f"LAB{number}", f"Local laboratory test number {number}", "mmol/L") for number in range(60))


def course(number: int) -> list[dict[str, object]]:
    """The resources of one course: vital signs every hour, IL-6 and CRP every 8 h, and twice as much of no interest."""
    draw = Random(number)  # noqa: S311 - the same courses each time
    person = Person(f"course{number}", draw.choice(["male", "female"]), draw.randint(18, 75), FIRST)
    made = resources_of(person, list(_lines(draw)))
    ours = sum(resource["resourceType"] == "Observation" for resource in made)
    return [*made, *_foreign(person, OBSERVATIONS - ours)]


def _lines(draw: Random) -> Iterator[str]:
    onset, lasts = draw.randint(20, 120), draw.randint(48, 120)
    treated = draw.random() < 0.5
    yield "D0 08:00  il6 10 | crp 20 | weight 70"
    yield f"D0 10:00  car-t {PRODUCT}"
    for hour in range(11, 24 * DAYS):
        ill = onset <= hour < onset + lasts
        worst = ill and onset + 24 <= hour < onset + 40
        when = f"D{hour // 24} {hour % 24:02}:{draw.randint(0, 59):02}"
        yield f"{when}  SBP {draw.randint(98, 130)} | SpO2 {draw.randint(93, 99)}"
        if hour % 4 == 0:
            device = "device NC | flow 2" if worst else "device RA"
            yield f"{when}  T {draw.uniform(38.2, 39.6) if ill else draw.uniform(36.4, 37.4):.1f} | {device}"
        if hour % 8 == 6:
            rise = 1 + 6 * ill * draw.random()
            yield f"{when}  il6 {10 * rise:.1f} | crp {20 * rise:.1f}"
        if treated and hour == onset + 30:
            yield f"{when}  toci 560"


def _foreign(person: Person, number: int) -> Iterator[dict[str, object]]:
    opens = datetime.combine(person.day0, datetime.min.time(), UTC)
    for index in range(number):
        code, display, unit = FOREIGN[index % len(FOREIGN)]
        yield {
            "resourceType": "Observation", "id": f"{person.id}-lab-{index}", "status": "final",
            "meta": {"lastUpdated": "2025-02-01T08:00:00Z"},
            "category": [{"coding": [{"code": "laboratory", "display": "Laboratory"}], "text": "Laboratory"}],
            "code": {"coding": [{"system": LOCAL, "code": code, "display": display}], "text": display},
            "subject": {"reference": f"Patient/{person.id}"},
            "effectiveDateTime": (opens + timedelta(minutes=9 * index)).isoformat(),
            "valueQuantity": {"value": 4.1, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        }  # fmt: skip


def write(folder: Path, patients: int) -> None:
    """Write a cohort of so many patients."""
    folder.mkdir(parents=True, exist_ok=True)
    courses = [ndjson(course(number)) for number in range(COURSES)]
    with (folder / "all.ndjson").open("w", encoding="utf-8") as file:
        for patient in range(patients):
            which = patient % COURSES
            file.write(courses[which].replace(f"course{which}", f"patient{patient:05}"))


@dataclass(frozen=True)
class Cost:
    """The cost of a run: wall seconds, those of it that grouped the export, and what its tasks say of themselves.

    `cpu` are the seconds of all its processes, which other work on the machine hardly changes; on a cluster they are
    those of this process only.
    """

    patients: int
    moments: int
    observations: int
    seconds: float
    grouping: float
    cpu: float
    worked: float
    mebibytes: float
    megabytes: float

    @property
    def milliseconds(self) -> float:
        """CPU for each moment, all in."""
        return 1000 * self.cpu / self.moments


def _cpu() -> float:
    """The CPU seconds of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(folder: Path, where: str) -> Cost:
    """Evaluate a cohort with so many processes, or on the cluster at an address."""
    rules = site_rules(None, None)
    wanted = Wanted(
        (folder,), Protocol(), (rules,), (RulesFrom(None, None),), UTC, "UTC", "0",
        workers=int(where) if where.isdecimal() else 2,
    )  # fmt: skip
    grouped_at = list[float]()

    def begun(_: int, __: int, last: object) -> None:
        grouped_at.extend([time.perf_counter()] if last is None else [])

    with TemporaryDirectory() as scratch:
        work = Workplace(Path(scratch) / "work")
        started, before = time.perf_counter(), _cpu()
        opened = processes(int(where)) if where.isdecimal() else cluster(where)
        found = evaluate(wanted, work, opened, Progress(lambda _: None, begun))
        seconds = time.perf_counter() - started
        done = summaries(work.results)
    return Cost(
        patients=found.run.patients,
        moments=sum(one.moments for one in done),
        observations=sum(row.resources for row in found.inventory if row.type == "Observation"),
        seconds=round(seconds, 1),
        grouping=round(grouped_at[0] - started, 1),
        cpu=round(_cpu() - before, 1),
        worked=round(sum(one.seconds for one in done), 1),
        mebibytes=max(one.mebibytes for one in done),
        megabytes=round(sum(file.stat().st_size for file in folder.iterdir()) / 1e6, 1),
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", folder, patients]:
            write(Path(folder), int(patients))
        case ["run", folder, where]:
            found = run(Path(folder), where)
            print(json.dumps(asdict(found) | {"milliseconds": round(found.milliseconds, 2)}))
