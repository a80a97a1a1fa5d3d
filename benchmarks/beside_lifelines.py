"""The models of time beside lifelines: `.venv-bench/bin/python -m benchmarks.beside_lifelines`, after `make bench`.

lifelines lives in the environment of the benchmarks alone. Exit code 1 if a figure differs by more than TOLERANCE.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import log

from lifelines import AalenJohansenFitter, CoxTimeVaryingFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from pandas import DataFrame

from cds_server.evaluation.statistics.estimates import NotFitted
from cds_server.evaluation.statistics.hazards import by_time, hazard_ratios
from cds_server.evaluation.statistics.no_effect import cohort
from cds_server.evaluation.statistics.survival import cumulative_incidence, kaplan_meier, logrank_p

PATIENTS, SEEDS, AT = 300, (1, 2, 3), 5.0  # AT: days after onset
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Pair:
    """One figure as we work it out, and as lifelines does."""

    name: str
    ours: float
    theirs: float

    @property
    def agrees(self) -> bool:
        return abs(self.ours - self.theirs) <= TOLERANCE


def pairs(seed: int) -> Iterator[Pair]:
    """Every figure of one simulated cohort, both ways."""
    patients = cohort(PATIENTS, seed)
    times, severe = [p.end for p in patients], [p.event for p in patients]
    causes = [1 if event else 2 for event in severe]
    curve = KaplanMeierFitter().fit(times, severe)
    yield Pair("Kaplan-Meier", kaplan_meier(times, severe).at(AT, before=1.0), float(curve.predict(AT)))
    incidence = AalenJohansenFitter(calculate_variance=False).fit(times, causes, event_of_interest=1)
    theirs = float(incidence.cumulative_density_.loc[:AT].iloc[-1, 0])
    yield Pair("Aalen-Johansen", cumulative_incidence(times, causes, 1).at(AT, before=0.0), theirs)
    groups = [[p for p in patients if (p.drug is not None) is given] for given in (True, False)]
    first, second = (([p.end for p in group], [p.event for p in group]) for group in groups)
    theirs = float(logrank_test(first[0], second[0], first[1], second[1]).p_value)
    yield Pair("log-rank p", logrank_p(first, second), theirs)
    yield from _cox(seed)


def _cox(seed: int) -> Iterator[Pair]:
    spells = [(n, spell) for n, patient in enumerate(cohort(PATIENTS, seed)) for spell in by_time(patient)]
    rows = [(n, s.start, s.stop, int(s.event), s.covariates[0]) for n, s in spells]
    frame = DataFrame(rows, columns=["id", "start", "stop", "event", "drug"])
    theirs = CoxTimeVaryingFitter().fit(frame, id_col="id", event_col="event", start_col="start", stop_col="stop")
    ours = hazard_ratios([spell for _, spell in spells])
    if isinstance(ours, NotFitted):
        raise TypeError(str(ours))
    yield Pair("Cox, log hazard ratio", log(ours[0].value), float(theirs.params_["drug"]))
    error = log(ours[0].high / ours[0].low) / (2 * 1.959964)
    yield Pair("Cox, standard error", error, float(theirs.standard_errors_["drug"]))


def main() -> None:
    found = [(seed, pair) for seed in SEEDS for pair in pairs(seed)]
    for seed, pair in found:
        sign = "=" if pair.agrees else "differs"
        print(f"{seed}  {pair.name:24} {pair.ours:.6f}  {pair.theirs:.6f}  {sign}")
    sys.exit(0 if all(pair.agrees for _, pair in found) else 1)


if __name__ == "__main__":
    main()
