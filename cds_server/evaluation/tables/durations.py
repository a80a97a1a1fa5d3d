"""`durations.csv`: the days from onset to end of CRS, with tocilizumab and without."""

from __future__ import annotations

from cds_server.evaluation.rows.cohort import Evaluation
from cds_server.evaluation.statistics.numbers import mann_whitney, quantile
from cds_server.evaluation.statistics.survival import kaplan_meier, median_time
from cds_server.evaluation.tables.outcomes import days_between, first_courses
from cds_server.evaluation.tables.table import Table, defined, numbers


def durations(evaluation: Evaluation) -> Table:
    """Days from onset to end, of first courses with CRS: those that ended, and Kaplan and Meier's median of all."""
    courses = [c for c in first_courses(evaluation.courses) if c.onset is not None and c.tocilizumab is not None]
    groups = {"with tocilizumab": True, "without": False}
    ended = {
        given: [
            float(c.duration_days)
            for c in courses
            if c.tocilizumab is given and c.duration_days is not None and not c.end_is_censored
        ]
        for given in groups.values()
    }
    test = mann_whitney(ended[True], ended[False])
    name = "Mann-Whitney, exact" if test.exact else "Mann-Whitney, asymptotic"
    asked = "duration:crs" in evaluation.protocol.comparisons.listed
    rows = []
    for label, given in groups.items():
        of_group = [c for c in courses if c.tocilizumab is given]
        times = [days_between(c.onset, c.crs_end or c.followed_until) for c in of_group if c.onset is not None]
        censored = [c.end_is_censored or c.crs_end is None for c in of_group]
        values = ended[given]
        curve = kaplan_meier(times, [not c for c in censored])
        quartiles = (defined(quantile(values, q)) for q in (0.5, 0.25, 0.75))
        rows.append((label, len(of_group), sum(censored), *quartiles, *numbers(median_time(curve)),
                     name if given and asked else None, defined(test.p) if given and asked else None))  # fmt: skip
    columns = ("group", "courses", "not_ended", "median_days", "median_days_low", "median_days_high",
               "kaplan_meier_median", "kaplan_meier_median_low", "kaplan_meier_median_high", "test", "p")  # fmt: skip
    return Table("durations", columns, tuple(rows), ("courses", "not_ended"))
