"""Agreement of two graders beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np


def weighted_kappa(counts: Sequence[Sequence[int]] | np.ndarray) -> float:
    """Cohen's κ with linear weights, for a square table of counts (rows one grader, columns the other).

    NaN if the table is empty, or if both graders gave one and the same grade to all.
    """
    table = np.asarray(counts, dtype=float)
    total = float(table.sum())
    if not total:
        return nan
    grades = np.arange(len(table))
    disagreement = np.abs(grades[:, None] - grades[None, :])
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    by_chance = float((disagreement * expected).sum())
    return 1 - float((disagreement * table).sum()) / by_chance if by_chance else nan
