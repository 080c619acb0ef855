"""The Mann-Whitney test turned round: how far one sample is shifted against another, as R's `wilcox.test` does.

z(mu) = (D - sign(D) / 2) / sigma with D = U - m n / 2, U the statistic of (experiment - mu) against control, and sigma
corrected for ties. U steps down by one at each of the m n differences, so that the roots of z are order statistics of
them and need no search; a root finder stops within its tolerance of the same ones.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z99 = 2.3263478740408408
"""The normal quantile of both sides of a 98 % interval."""


class AllTied(Exception):
    """One value a side: where the bracket ends they are the same, and z is of nothing over nothing."""


@dataclass(frozen=True)
class Shift:
    low: float
    estimate: float
    high: float


def shift(experiment: NDArray[np.float64], control: NDArray[np.float64], z: float = Z99) -> Shift:
    """The 98 % interval of the shift of `experiment` against `control`, and its Hodges-Lehmann estimate.

    The ends are kept within the least and the largest difference. Raises `AllTied`.
    """
    m, n = experiment.size, control.size
    differences = np.sort((experiment[:, None] - control[None, :]).ravel())
    total = m + n
    ties = _ties(experiment) + _ties(control)
    if total == 2:
        raise AllTied
    variance = m * n / 12 * ((total + 1) - ties / (total * (total - 1)))
    # z crosses its limit where U, the number of differences above mu, crosses m n / 2 +- (z sigma + 1/2).
    reach = z * math.sqrt(variance) + 0.5
    low = _crossing(differences, m * n / 2 + reach)
    high = _crossing(differences, m * n / 2 - reach)
    return Shift(low, float(np.median(differences)), high)


def _ties(values: NDArray[np.float64]) -> float:
    _, counts = np.unique(values, return_counts=True)
    return float((counts.astype(float) ** 3 - counts).sum())


def _crossing(differences: NDArray[np.float64], above: float) -> float:
    """The mu at which the number of larger differences falls below `above`."""
    at = differences.size - math.ceil(above)
    return float(differences[min(max(at, 0), differences.size - 1)])
