"""The statistics of times to an event, each beside a published value or a second way to work it out."""

from __future__ import annotations

from math import exp, isnan, log, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from cds_server.evaluation.statistics.estimates import NotCompared, NotFitted
from cds_server.evaluation.statistics.hazards import Followed, Spell, by_time, ever_or_never, hazard_ratios
from cds_server.evaluation.statistics.no_effect import cohort, hazard_ratio_of_one, simulated
from cds_server.evaluation.statistics.survival import (
    cumulative_incidence,
    kaplan_meier,
    logrank_p,
    median_time,
)

# remission of leukaemia in weeks, + still in remission: Freireich 1963, the worked example of most textbooks
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def times(text: str) -> tuple[list[float], list[bool]]:
    return [float(word.rstrip("+")) for word in text.split()], [not word.endswith("+") for word in text.split()]


def test_kaplan_meier_gives_the_published_curve() -> None:
    found = kaplan_meier(*times(TREATED))
    assert [(s.time, round(s.height.value, 3), s.at_risk) for s in found.steps] == [
        (6, 0.857, 21), (7, 0.807, 17), (10, 0.753, 15), (13, 0.690, 12), (16, 0.627, 11), (22, 0.538, 7),
        (23, 0.448, 6),
    ]  # fmt: skip
    assert [round(v, 3) for v in (found.steps[0].height.low, found.steps[0].height.high)] == [0.620, 0.952]


def test_medians_and_log_rank_of_the_worked_example() -> None:
    assert median_time(kaplan_meier(*times(TREATED))).value == 23
    assert median_time(kaplan_meier(*times(PLACEBO))).value == 8
    assert logrank_p(times(TREATED), times(PLACEBO)) == pytest.approx(4.17e-5, rel=0.01)


def test_a_curve_that_stays_above_a_half_has_no_median() -> None:
    assert isnan(median_time(kaplan_meier([1, 2, 3], [True, False, False])).value)
    assert kaplan_meier([], []).steps == ()
    assert isnan(median_time(kaplan_meier([1, 2], [False, False])).value)


def test_aalen_johansen_by_hand() -> None:
    """Of six, the first becomes severe on day 1, one resolves on day 2, day 3 is the last of another, and so on."""
    found = cumulative_incidence([1, 2, 3, 4, 5, 6], [1, 2, 0, 1, 2, 0], cause=1)
    # 1/6 first; of the 4/6 that neither ended nor left, one of three still at risk on day 4
    assert [(s.time, s.height.value, s.at_risk) for s in found.steps] == [
        (1, pytest.approx(1 / 6), 6), (4, pytest.approx(1 / 6 + 4 / 6 / 3), 3),
    ]  # fmt: skip
    assert cumulative_incidence([1, 2], [2, 0], cause=1).steps == ()


def error_by_hand(at: list[float], causes: list[int], until: float) -> float:
    """The standard error of the share that reached cause 1, by the delta method (Marubini and Valsecchi 1995)."""
    there, share, steps = 1.0, 0.0, []
    for time in sorted({t for t in at if t <= until}):
        n, ones = sum(t >= time for t in at), sum((t, c) == (time, 1) for t, c in zip(at, causes, strict=True))
        ended = sum(t == time and c > 0 for t, c in zip(at, causes, strict=True))
        share += there * ones / n
        steps.append((n, ones, ended, there, share))
        there *= 1 - ended / n
    variance = sum(
        (share - reached) ** 2 * ended / (n * (n - ended)) + before**2 * ones * (n - ones) / n**3
        - 2 * (share - reached) * before * ones / n**2
        for n, ones, ended, before, reached in steps
    )  # fmt: skip
    return sqrt(variance)


def test_limits_of_aalen_and_johansen_beside_the_delta_method() -> None:
    generator = np.random.default_rng(4)
    at, causes = generator.integers(1, 13, 60).astype(float).tolist(), generator.integers(0, 3, 60).tolist()
    for step in cumulative_incidence(at, causes, 1).steps[:-2]:
        share = step.height.value
        spread = 1.959964 * error_by_hand(at, causes, step.time) / (share * log(share))
        limits = sorted((share ** exp(-spread), share ** exp(spread)))
        assert [step.height.low, step.height.high] == pytest.approx(limits, rel=1e-5)


def test_competing_ends_add_up_to_what_kaplan_meier_leaves() -> None:
    generator = np.random.default_rng(1)
    at, causes = generator.integers(1, 13, 80).tolist(), generator.integers(0, 3, 80).tolist()
    for day in range(1, 12):
        ended = sum(cumulative_incidence(at, causes, cause).at(day, before=0.0) for cause in (1, 2))
        assert ended == pytest.approx(1 - kaplan_meier(at, [c > 0 for c in causes]).at(day, before=1.0))


def test_one_minus_kaplan_meier_says_too_much_where_ends_compete() -> None:
    at, causes = [1, 2, 3, 4, 5, 6], [1, 2, 1, 2, 1, 2]
    too_much = 1 - kaplan_meier(at, [c == 1 for c in causes]).at(6, before=1.0)
    assert cumulative_incidence(at, causes, 1).at(6, before=0.0) == pytest.approx(0.5)
    assert too_much > 0.6


def test_cox_gives_the_published_hazard_ratio() -> None:
    spells = [
        Spell(0, time, event, (group,))
        for text, group in ((TREATED, 0.0), (PLACEBO, 1.0))
        for time, event in zip(*times(text), strict=True)
    ]
    found = hazard_ratios(spells)
    assert not isinstance(found, NotFitted)
    # coefficient 1.5721, standard error 0.4124 with Efron's ties, as R's survival gives for MASS::gehan
    assert log(found[0].value) == pytest.approx(1.5721, abs=1e-4)
    assert log(found[0].high / found[0].low) / (2 * 1.96) == pytest.approx(0.4124, abs=1e-4)


def partial_likelihood(beta: float, spells: list[Spell]) -> float:
    """Cox's partial likelihood of spells without ties, written out."""
    total = 0.0
    for one in spells:
        if one.event:
            at_risk = [s for s in spells if s.start < one.stop <= s.stop]
            total += beta * one.covariates[0] - log(sum(exp(beta * s.covariates[0]) for s in at_risk))
    return total


@pytest.mark.parametrize("seed", [1, 2])
def test_the_model_of_time_beside_its_likelihood_written_out(seed: int) -> None:
    spells = [spell for patient in cohort(120, seed) for spell in by_time(patient)]
    found = hazard_ratios(spells)
    best = minimize_scalar(lambda beta: -partial_likelihood(beta, spells), bounds=(-3, 3), method="bounded")
    assert not isinstance(found, NotFitted)
    assert log(found[0].value) == pytest.approx(float(best.x), abs=1e-3)
    assert hazard_ratio_of_one(spells) == pytest.approx(found[0].value)


def test_a_spell_that_is_cut_in_two_changes_nothing() -> None:
    whole = [s for patient in cohort(120, 3) for s in ever_or_never(patient)]
    cut = [
        part
        for s in whole
        for part in (Spell(0, s.stop / 2, event=False, covariates=s.covariates), Spell(s.stop / 2, s.stop, s.event, s.covariates))
    ]  # fmt: skip
    one, two = hazard_ratios(whole), hazard_ratios(cut)
    assert not isinstance(one, NotFitted)
    assert not isinstance(two, NotFitted)
    assert one[0].value == pytest.approx(two[0].value)


def test_the_model_wants_ten_events_a_term() -> None:
    spells = [Spell(0, n + 1, event=n < 19, covariates=(n % 2, n % 3)) for n in range(60)]
    found = hazard_ratios(spells)
    assert isinstance(found, NotFitted)
    assert (found.events, found.needed) == (19, 20)


@pytest.mark.parametrize(
    ("given", "also"),
    [
        ((0.0,) * 60, ()),
        ((1.0,) * 60, ()),
        ((0.0,) * 30 + (1.0,) * 30, ()),
        ((0.0, 1.0) * 30, (0.0, 1.0) * 30),
    ],
    ids=["nobody", "everybody", "only those without an event", "two terms that are the same"],
)
def test_a_term_without_an_event_on_one_side_is_not_fitted(given: tuple[float, ...], also: tuple[float, ...]) -> None:
    pairs = zip(given, also, strict=True) if also else ((one,) for one in given)
    spells = [Spell(0, n + 1, event=n < 30, covariates=tuple(pair)) for n, pair in enumerate(pairs)]
    assert isinstance(hazard_ratios(spells), NotCompared)


def test_a_drug_after_the_end_was_never_given_before_it() -> None:
    assert by_time(Followed(3.0, event=True, drug=3.0)) == (Spell(0, 3.0, event=True, covariates=(0.0,)),)
    assert by_time(Followed(3.0, event=True, drug=1.0))[1] == Spell(1.0, 3.0, event=True, covariates=(1.0,))
    assert ever_or_never(Followed(3.0, event=True, drug=1.0)) == (Spell(0, 3.0, event=True, covariates=(1.0,)),)


def test_ever_and_never_sees_an_effect_where_there_is_none() -> None:
    found = simulated(cohorts=40, patients=400, seed=1)
    assert 0.85 <= found.by_time <= 1.18
    assert 0.2 <= found.ever_never <= 0.5
