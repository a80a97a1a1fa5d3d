"""The statistics of groups, each beside a published value or a second way to work it out."""

from __future__ import annotations

from itertools import combinations
from math import comb, isnan, nan, sqrt

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

from cds_server.evaluation.statistics.agreement import weighted_kappa
from cds_server.evaluation.statistics.discrimination import Sample, at_cut, auc, best_cut, own_cut
from cds_server.evaluation.statistics.estimates import NORMAL, Estimate, NotFitted
from cds_server.evaluation.statistics.numbers import (
    difference_of_means,
    difference_of_shares,
    mann_whitney,
    quantile,
)
from cds_server.evaluation.statistics.proportions import (
    Share,
    exact_share,
    fisher_p,
    interaction,
    p_with_one_event_more,
    pearson_p,
    risk_difference,
)
from cds_server.evaluation.statistics.resampling import bootstrap, rate
from tests.support.tables import name_of, rows

FISHER = rows("""
| first  | second | p       | because                                                                |
| 3/8    | 0/23   | 0.01246 | severe CRS at a small rise of IL-6, as published                       |
| 11/23  | 2/17   | 0.02042 | severe infection at a high CRP, as published                           |
| 3/8    | 2/24   | 0.0854  | tocilizumab at a small and a large rise                                |
| 2/8    | 0/23   | 0.0602  | one patient fewer, and the first is no longer below 0.05               |
| 11/23  | 3/17   | 0.0921  | one patient more, and the second is no longer below 0.05               |
| 0/8    | 0/23   | 1.0     | no event at all                                                        |
""")


def share(text: str) -> Share:
    events, n = text.split("/")
    return Share(int(events), int(n))


def fisher_by_hand(first: Share, second: Share) -> float:
    events, n = first.events + second.events, first.n + second.n
    chances = [
        comb(first.n, k) * comb(second.n, events - k) / comb(n, events)
        for k in range(max(0, events - second.n), min(events, first.n) + 1)
    ]
    own = comb(first.n, first.events) * comb(second.n, second.events) / comb(n, events)
    return sum(chance for chance in chances if chance <= own * (1 + 1e-9))


@pytest.mark.parametrize("row", FISHER, ids=name_of)
def test_fisher_sums_the_tables_that_are_no_likelier(row: dict[str, str]) -> None:
    first, second = share(row["first"]), share(row["second"])
    assert fisher_p(first, second) == pytest.approx(float(row["p"]), abs=6e-5)
    assert fisher_p(first, second) == pytest.approx(fisher_by_hand(first, second), rel=1e-9)


# of 32 with and 35 without tocilizumab
TABLE_1 = rows("""
| with | without | p      | because                        |
| 13   | 22      | 0.0688 | male                           |
| 7    | 5       | 0.4184 | allogeneic transplantation     |
| 12   | 17      | 0.3609 | primary refractory             |
| 8    | 15      | 0.1241 | high risk                      |
| 19   | 15      | 0.1767 | humanised product              |
| 17   | 6       | 0.0019 | corticosteroids                |
""")


@pytest.mark.parametrize("row", TABLE_1, ids=name_of)
def test_pearson_without_correction_gives_the_table_1_of_the_study(row: dict[str, str]) -> None:
    one, two = int(row["with"]), int(row["without"])
    assert pearson_p([[one, 32 - one], [two, 35 - two]]) == pytest.approx(float(row["p"]), abs=6e-5)


def test_pearson_leaves_out_a_category_that_nobody_has() -> None:
    assert pearson_p([[5, 0, 9], [8, 0, 3]]) == pearson_p([[5, 9], [8, 3]])
    assert isnan(pearson_p([[5, 0], [8, 0]]))


@pytest.mark.parametrize("text", ["3/8", "0/23", "8/8", "11/23", "1/200"])
def test_exact_limits_leave_a_fortieth_on_either_side(text: str) -> None:
    found, (k, n) = exact_share(share(text)), map(int, text.split("/"))
    if k:
        assert stats.binom.sf(k - 1, n, found.low) == pytest.approx(0.025)
    if k < n:
        assert stats.binom.cdf(k, n, found.high) == pytest.approx(0.025)
    assert (found.low == 0, found.high == 1) == (k == 0, k == n)


# Newcombe 1998, Statistics in Medicine 17:873, table II, method 10
NEWCOMBE = rows("""
| first | second | low     | high   | because                 |
| 56/70 | 48/80  | 0.0524  | 0.3339 | (a)                     |
| 9/10  | 3/10   | 0.1705  | 0.8090 | (b)                     |
| 6/7   | 2/7    | 0.0582  | 0.8062 | (c)                     |
| 5/56  | 0/29   | -0.0381 | 0.1926 | (d)                     |
| 0/10  | 0/20   | -0.1611 | 0.2775 | (e)                     |
| 10/10 | 0/20   | 0.6791  | 1.0    | (g)                     |
""")


@pytest.mark.parametrize("row", NEWCOMBE, ids=name_of)
def test_limits_of_a_difference_are_the_published_ones(row: dict[str, str]) -> None:
    found = risk_difference(share(row["first"]), share(row["second"]))
    assert (found.low, found.high) == pytest.approx((float(row["low"]), float(row["high"])), abs=6e-5)


def test_interaction_of_the_study_is_said_with_its_limits() -> None:
    low_il6, high_il6 = risk_difference(Share(3, 8), Share(0, 23)), risk_difference(Share(2, 24), Share(1, 12))
    found = interaction(low_il6, high_il6)
    assert found.value == pytest.approx(0.375)
    wide = sqrt((low_il6.value - low_il6.low) ** 2 + (high_il6.high - high_il6.value) ** 2)
    assert found.low == pytest.approx(0.375 - wide)
    assert (round(found.low, 2), round(found.high, 2)) == (0.04, 0.80)


def test_one_event_more_is_added_where_events_are_rarer() -> None:
    assert p_with_one_event_more(Share(3, 8), Share(0, 23)) == fisher_p(Share(3, 8), Share(1, 23))
    assert p_with_one_event_more(Share(2, 17), Share(11, 23)) == fisher_p(Share(3, 17), Share(11, 23))


def test_more_events_than_patients_are_refused() -> None:
    with pytest.raises(ValueError, match="9 of 8"):
        Share(9, 8)


def mann_whitney_by_hand(first: list[float], second: list[float]) -> float:
    """The share of all ways to divide the values that lie as far from the middle as this one."""
    pooled = sorted([*first, *second])
    middle = len(first) * (len(pooled) + 1) / 2
    sums = [sum(ranks) for ranks in combinations(range(1, len(pooled) + 1), len(first))]
    own = sum(pooled.index(value) + 1 for value in first)
    return sum(abs(one - middle) >= abs(own - middle) for one in sums) / len(sums)


def test_mann_whitney_is_exact_without_ties() -> None:
    first, second = [1.1, 2.5, 4.7, 9.0], [3.3, 5.2, 6.1, 8.4, 12.0]
    found = mann_whitney(first, second)
    assert (found.p, found.exact) == (pytest.approx(mann_whitney_by_hand(first, second)), True)


def test_nine_against_two_cannot_differ_by_more_than_0_036() -> None:
    found = mann_whitney([1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11])
    assert (round(found.p, 3), found.exact) == (0.036, True)


def test_ties_take_the_approximation_without_continuity() -> None:
    first, second = [1.0, 2.0, 2.0, 3.0], [2.0, 4.0, 5.0]
    found = mann_whitney(first, second)
    u = sum((a > b) + (a == b) / 2 for a in first for b in second)
    ties = (3**3 - 3) / (7 * 6)
    z = (u - 6) / sqrt(4 * 3 / 12 * (8 - ties))
    assert (found.exact, found.p) == (False, pytest.approx(2 * stats.norm.sf(abs(z))))


@pytest.mark.parametrize(("first", "second", "p"), [([], [1.0], nan), ([2.0, 2.0], [2.0], 1.0)])
def test_mann_whitney_without_anything_to_compare(first: list[float], second: list[float], p: float) -> None:
    assert mann_whitney(first, second).p == pytest.approx(p, nan_ok=True)


def test_quantiles_are_interpolated() -> None:
    assert [quantile([1, 2, 4, 8], q) for q in (0.25, 0.5, 0.75)] == [1.75, 3.0, 5.0]
    assert isnan(quantile([], 0.5))


def test_standardised_differences() -> None:
    assert difference_of_means([1, 2, 3], [2, 3, 4]) == pytest.approx(-1.0)
    p, q = 14 / 32, 23 / 35
    expected = (p - q) / sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert difference_of_shares([18, 14], [12, 23]) == pytest.approx(expected)
    assert difference_of_shares([14, 18], [23, 12]) == pytest.approx(-expected)
    assert difference_of_shares([9, 9, 9], [3, 3, 3]) == pytest.approx(0.0)
    assert isnan(difference_of_shares([0, 9], [0, 4]))


def test_three_categories_of_which_one_is_empty_are_two() -> None:
    assert difference_of_shares([18, 14, 0], [12, 23, 0]) == pytest.approx(
        abs(difference_of_shares([18, 14], [12, 23]))
    )


KAPPA = [[30, 4, 0, 1, 0], [3, 12, 2, 0, 0], [0, 3, 8, 1, 0], [0, 0, 2, 5, 1], [0, 0, 0, 0, 2]]


def test_weighted_kappa_beside_statsmodels() -> None:
    assert weighted_kappa(KAPPA) == pytest.approx(cohens_kappa(np.array(KAPPA), wt="linear").kappa)
    assert weighted_kappa([[5, 0], [0, 7]]) == 1
    assert isnan(weighted_kappa([[5, 0], [0, 0]]))


def sample(seed: int, n: int = 60, shift: float = 1.0, *, strict: bool = False) -> Sample:
    generator = np.random.default_rng(seed)
    events = generator.random(n) < 0.4
    return Sample(generator.normal(shift * events).round(1), events, strict)


@pytest.mark.parametrize("seed", range(4))
def test_auc_and_delong_beside_a_count_of_all_pairs(seed: int) -> None:
    one = sample(seed)
    wins = [
        [(p > n) + (p == n) / 2 for n in one.values[~one.events]]
        for p in one.values[one.events]
    ]  # fmt: skip
    m, n = len(wins), len(wins[0])
    area = sum(map(sum, wins)) / (m * n)
    of_positives, of_negatives = [sum(row) / n for row in wins], [sum(column) / m for column in zip(*wins, strict=True)]
    variance = sum((v - area) ** 2 for v in of_positives) / (m - 1) / m
    variance += sum((v - area) ** 2 for v in of_negatives) / (n - 1) / n
    spread = NORMAL * sqrt(variance) / (area * (1 - area))
    limits = [1 / (1 + ((1 - area) / area) * np.exp(sign * spread)) for sign in (1, -1)]
    found = auc(one)
    assert (found.value, found.low, found.high) == pytest.approx((area, *limits))


def test_an_auc_of_one_has_no_limits() -> None:
    found = auc(Sample.of([1, 2, 3, 4], [False, False, True, True], strict=False))
    assert (found.value, found.has_limits) == (1.0, False)


@pytest.mark.parametrize("strict", [False, True])
def test_the_best_cut_beside_a_search_through_all(strict: bool) -> None:
    one = sample(7, strict=strict)
    candidates = [(at_cut(one, cut).youden, at_cut(one, cut).specificity.value, cut) for cut in set(one.values)]
    most = max(j for j, _, _ in candidates)
    _, cut = max((specificity, cut) for j, specificity, cut in candidates if j == pytest.approx(most))
    assert best_cut(one) == pytest.approx((cut, most))


def test_the_sign_of_the_rule_decides_about_the_cut_itself() -> None:
    values, events = [1.0, 2.0], [False, True]
    assert at_cut(Sample.of(values, events, strict=False), 2.0).sensitivity.value == 1
    assert at_cut(Sample.of(values, events, strict=True), 2.0).sensitivity.value == 0


def test_of_equal_j_the_higher_specificity_is_taken() -> None:
    one = Sample.of([1, 2, 3, 4], [False, True, False, True], strict=False)
    assert best_cut(one) == (4, 0.5)


def test_own_cut_needs_ten_events_and_ten_others() -> None:
    values = [float(v) for v in range(20)]
    few = own_cut(Sample.of(values, [v > 10 for v in values], strict=False), seed=1)
    assert isinstance(few, NotFitted)
    assert str(few) == "not fitted: 9 events, 11 without; at least 10 of each are needed"


def test_the_correction_takes_back_what_choosing_the_cut_gave() -> None:
    """A marker of chance has J 0: it seems to have more, and the corrected J is near 0 on average."""
    found = [own_cut(sample(seed, n=60, shift=0.0), seed=seed, rounds=60) for seed in range(12)]
    assert all(not isinstance(one, NotFitted) for one in found)
    apparent = float(np.mean([one.j_apparent for one in found if not isinstance(one, NotFitted)]))
    corrected = float(np.mean([one.j_corrected for one in found if not isinstance(one, NotFitted)]))
    assert apparent > 0.12
    assert abs(corrected) < 0.08


def test_the_optimism_beside_a_plain_loop() -> None:
    one, n = sample(3), 60
    found = own_cut(one, seed=11, rounds=25)
    generator = np.random.default_rng(11)
    optimism, cuts = [], []
    for _ in range(25):
        drawn = one.drawn(generator.integers(n, size=n))
        cut = max(set(drawn.values), key=lambda c, d=drawn: (round(at_cut(d, c).youden, 12), c))
        cuts.append(cut)
        optimism.append(at_cut(drawn, cut).youden - at_cut(one, cut).youden)
    assert not isinstance(found, NotFitted)
    assert found.j_corrected == pytest.approx(found.j_apparent - sum(optimism) / 25)
    assert (found.cut.low, found.cut.high) == (quantile(cuts, 0.025), quantile(cuts, 0.975))


def test_bootstrap_limits_of_a_mean_are_those_of_the_normal_distribution() -> None:
    values = np.random.default_rng(5).normal(10, 2, 400)
    found = bootstrap(lambda drawn: float(values[drawn].mean()), 400, seed=1)
    error = values.std(ddof=1) / 20
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - NORMAL * error, values.mean() + NORMAL * error), abs=0.03
    )


def test_a_rate_draws_patients_with_all_their_days() -> None:
    found = rate(np.array([4, 0]), np.array([10, 30]), per=10, seed=1)
    assert (found.value, found.low, found.high) == (1.0, 0.0, 4.0)
    assert isnan(rate(np.array([0]), np.array([0]), per=10, seed=1).value)
    assert not Estimate(1.0).has_limits
