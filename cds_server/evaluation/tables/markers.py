"""`markers.csv`: the power of the rise of IL-6 and of CRP to tell courses with an event from those without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_server.evaluation.protocol import Statistics
from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.rows.courses import CourseRow, Known, MarkerRow
from cds_server.evaluation.statistics.discrimination import OwnCut, Sample, at_cut, auc, own_cut
from cds_server.evaluation.statistics.estimates import NotFitted
from cds_server.evaluation.statistics.numbers import quantile
from cds_server.evaluation.tables.outcomes import first_courses, key
from cds_server.evaluation.tables.table import Cell, Table, defined, numbers

COLUMNS = (
    "marker", "measure", "endpoint", "n", "events", "auc", "auc_low", "auc_high", "study_cut", "study_sensitivity",
    "study_specificity", "own_cut", "own_cut_low", "own_cut_high", "j_apparent", "j_corrected", "window", "unknown",
    "study_sensitivity_low", "study_sensitivity_high", "study_specificity_low", "study_specificity_high", "note",
)  # fmt: skip
# the study's cuts with the rule's own sign: True for above, False for at or above
STUDY = {"il6": (4.0, False), "crp": (1.83, True)}
UNEVEN = "uneven windows"
DISPLAYED = ("il10", "ferritin")  # a peak, and no cut


@dataclass(frozen=True)
class Endpoint:
    """The courses to be told apart: the event, the window of the samples, and whether courses without CRS count."""

    name: str
    window: str
    with_crs_only: bool
    note: str = ""

    def outcome(self, course: CourseRow) -> Known:
        return course.severe if self.name == "severe" else course.crs


ENDPOINTS = (
    Endpoint("crs", "crs", with_crs_only=False),
    Endpoint("severe", "severe", with_crs_only=True),
    Endpoint("crs", "study", with_crs_only=False, note=UNEVEN),
    Endpoint("severe", "study", with_crs_only=True, note=UNEVEN),
)


def value_of(low: Decimal | None, high: Decimal | None) -> float | None:
    """The number of an interval: a censored value stands at its limit, and an interval with two limits is unknown."""
    if low is not None and low == high:
        return float(low)
    if high is None:
        return None if low is None else float(low)
    return float(high) if not low else None


def markers(evaluation: Evaluation) -> Table:
    """Fold and peak of each marker against each endpoint, on first courses."""
    by_place = {(row.patient, row.course, row.marker, row.window): row for row in evaluation.markers}
    courses = first_courses(evaluation.courses)
    rows = []
    for marker in STUDY:
        for endpoint in ENDPOINTS:
            of_endpoint = {key(c): c for c in courses if not endpoint.with_crs_only or c.crs is Known.YES}
            found = {
                where: row
                for where in of_endpoint
                if (row := by_place.get((*where, marker, endpoint.window))) is not None
            }
            for measure in ("fold", "peak"):
                pairs = [
                    (_measured(found.get(where), measure), endpoint.outcome(course))
                    for where, course in of_endpoint.items()
                ]
                rows.append(_row(marker, measure, endpoint, pairs, evaluation.protocol.statistics))
    return Table("markers", COLUMNS, tuple(rows), ("n", "events", "unknown"))


def _measured(row: MarkerRow | None, measure: str) -> float | None:
    if row is None:
        return None
    return value_of(row.fold_low, row.fold_high) if measure == "fold" else value_of(row.peak_low, row.peak_high)


def _row(
    marker: str, measure: str, endpoint: Endpoint, pairs: list[tuple[float | None, Known]], asked: Statistics
) -> tuple[Cell, ...]:
    known = [(v, k is Known.YES) for v, k in pairs if v is not None and k is not Known.UNKNOWN]
    cut, strict = STUDY[marker]
    sample = Sample.of([v for v, _ in known], [event for _, event in known], strict=strict)
    few = sample.too_few(asked.least_events)
    study = at_cut(sample, cut) if measure == "fold" else None  # not chosen in these patients: few events are enough
    sensitivity, *of_sensitivity = numbers(study.sensitivity if study else None)
    specificity, *of_specificity = numbers(study.specificity if study else None)
    return (
        marker, measure, endpoint.name, len(known), sum(event for _, event in known),
        *numbers(None if few else auc(sample)), cut if study else None, sensitivity, specificity,
        *_own(own_cut(sample, asked.seed, asked.bootstrap, asked.least_events)),
        endpoint.window, len(pairs) - len(known), *of_sensitivity, *of_specificity,
        "; ".join(filter(None, (endpoint.note, str(few) if few else ""))),
    )  # fmt: skip


def _own(found: OwnCut | NotFitted) -> tuple[Cell, ...]:
    if isinstance(found, NotFitted):
        return (None,) * 5
    return (*numbers(found.cut), found.j_apparent, defined(found.j_corrected))


def displayed_peaks(evaluation: Evaluation) -> dict[tuple[str, int, str], float | None]:
    """The peak of each marker that is measured for display only, by course."""
    return {
        (row.patient, row.course, row.marker): value_of(row.peak_low, row.peak_high)
        for row in evaluation.markers
        if row.window == "study" and row.marker in DISPLAYED
    }


def displayed(evaluation: Evaluation) -> Table:
    """The peaks of what is measured for display only, of first courses by severe CRS: their distribution, and no cut.

    A marker that nobody measured has no row; of one that somebody did, the courses without a peak are counted.
    """
    severe = {key(course): course.severe for course in first_courses(evaluation.courses)}
    found: dict[tuple[str, str], dict[Known, list[float]]] = {}
    for row in evaluation.markers:
        peak = value_of(row.peak_low, row.peak_high)
        if row.window == "study" and row.marker not in STUDY and peak is not None and key(row) in severe:
            groups = found.setdefault((row.marker, row.unit), {})
            groups.setdefault(severe[key(row)], []).append(peak)
    rows = tuple(
        (*which, group.value, *_distribution(groups.get(group, []), sum(one is group for one in severe.values())))
        for which, groups in sorted(found.items())
        for group in Known
        if group in severe.values()
    )
    columns = ("marker", "unit", "severe_crs", "courses", "not_known", "lowest", "peak", "peak_low", "peak_high",
               "highest")  # fmt: skip
    return Table("displayed_markers", columns, rows, ("courses", "not_known"))


def _distribution(peaks: list[float], courses: int) -> Iterator[Cell]:
    yield len(peaks)
    yield courses - len(peaks)
    quartiles = [defined(quantile(peaks, q)) for q in (0.5, 0.25, 0.75)] if peaks else [None] * 3
    yield from (min(peaks, default=None), *quartiles, max(peaks, default=None))
