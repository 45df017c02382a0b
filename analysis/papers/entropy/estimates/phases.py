"""Numbers and tests of one run's curve: an expanding norm, then a falling entropy (Truong et al.
2026, sections 3 and 5), and the course of the collapse (Appendix E).

A curve has a row per evaluation. Unless said otherwise it ends at T_grok, so that the collapse ends
with it.
"""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.forecasting import predictors
from grokpipe.curves.definitions import GROKKED
from grokpipe.curves.events import ENTROPY, WINDOW, Event, last_fall

NORM, RANK, KAPPA = "weight_norm", "spectral/effective_rank", "flatness/kappa"
ALIGNMENT, NULL = "fourier/alignment", "fourier/alignment_null"
EXPANDED = 1.1
"""factor above its least value so far from which a norm has expanded"""
STABLE = 0.05
"""largest move of H̃ that counts as stable"""
RISE = 0.02
"""largest rise of H̃ above its least value so far that counts as falling"""
FEWEST = 4  # points from which a rank correlation or a line is fitted

Floats = NDArray[np.float64]


def expands_before_collapse(curve: pd.DataFrame) -> bool:
    """Whether the norm expands by a tenth before the last fall of H̃ that leads to grokking."""
    fall = last_fall_step(curve)
    return bool(expanded(curve) < (curve["step"].iloc[-1] if math.isnan(fall) else fall))


def expands_before_half(curve: pd.DataFrame) -> bool:
    """Whether the norm expands by a tenth before H̃ is for good below the middle of its first value
    and that at T_grok."""
    steps = curve["step"].to_numpy(float)
    return bool(expanded(curve) < steps[min(from_half(curve), len(steps) - 1)])


def stable_while_expanding(curve: pd.DataFrame) -> bool | None:
    """Whether H̃ stays within STABLE of its value at the norm's least until the norm's largest
    growth; None for a norm that does not expand."""
    if growth(curve[NORM].to_numpy(float)) < EXPANDED:
        return None
    return entropy_moved(curve) <= STABLE


def falls_monotonically(curve: pd.DataFrame) -> bool:
    """Whether H̃ never rises by more than RISE above its least value so far."""
    entropy = curve[ENTROPY].to_numpy(float)
    return bool((entropy - np.minimum.accumulate(entropy)).max() <= RISE)


def final_alignment_excess(curve: pd.DataFrame) -> float:
    """Fourier alignment less that with permuted labels, at the last evaluation."""
    return float(curve[ALIGNMENT].iloc[-1] - curve[NULL].iloc[-1])


def exponential_fall(curve: pd.DataFrame) -> float:
    """R² of a line in time through the logarithm of the effective rank, from WINDOW evaluations
    before T_collapse_last, which the rolling window looks back at, to T_grok (Lemma 4); NaN without
    such a fall."""
    return line_fit(curve, from_last_fall(curve), np.log)


def linear_fall(curve: pd.DataFrame) -> float:
    """The same R² for a line through the rank itself."""
    return line_fit(curve, from_last_fall(curve), np.asarray)


def exponential_fall_from_half(curve: pd.DataFrame) -> float:
    """The same R² as `exponential_fall`, from the last evaluation with H̃ above the middle of its
    first value and that at T_grok."""
    return line_fit(curve, from_half(curve), np.log)


def exponential_fall_from_5000_before(curve: pd.DataFrame) -> float:
    """The same R² as `exponential_fall`, over the last 5,000 steps."""
    return line_fit(curve, from_5000_before(curve), np.log)


def curvature_correlation(curve: pd.DataFrame) -> float:
    """Spearman's correlation of −dH̃/dt (over the last 5 evaluations) with κ until T_grok, over a
    whole curve; of all evaluations if it does not grok (Heuristic 1). NaN without variation."""
    grokked = GROKKED.reached(curve["test_accuracy"])
    return curvature_correlation_overall(curve[: grokked.argmax() + 1] if grokked.any() else curve)


def curvature_correlation_overall(curve: pd.DataFrame) -> float:
    """The same over all evaluations of a curve."""
    falls = -predictors.rate(curve["step"].to_numpy(float), curve[ENTROPY].to_numpy(float))
    pairs = pd.DataFrame({"fall": falls, "kappa": curve[KAPPA].to_numpy(float)})
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    varies = len(pairs) >= FEWEST and bool((pairs.nunique() > 1).all())
    return float(stats.spearmanr(*pairs.to_numpy().T).statistic) if varies else math.nan


def factors(norm: Floats) -> Floats:
    """The factor by which a norm stands above its least value so far, (evaluations,)."""
    return norm / np.minimum.accumulate(norm)


def growth(norm: Floats) -> float:
    """The largest such factor; 1 without evaluations."""
    return float(factors(norm).max(initial=1.0))


def expanded(curve: pd.DataFrame) -> float:
    """The step at which the norm first was EXPANDED; NaN: never."""
    reached = factors(curve[NORM].to_numpy(float)) >= EXPANDED
    return float(curve["step"].to_numpy()[reached.argmax()]) if reached.any() else math.nan


def growth_ends(curve: pd.DataFrame) -> tuple[int, int]:
    """The evaluations of the norm's largest growth: of its least value before, and of its peak."""
    norm = curve[NORM].to_numpy(float)
    peak = int(factors(norm).argmax())
    return int(norm[: peak + 1].argmin()), peak


def entropy_moved(curve: pd.DataFrame) -> float:
    """The largest move of H̃ from its value at the start of the norm's largest growth, until its
    end."""
    (low, peak), entropy = growth_ends(curve), curve[ENTROPY].to_numpy(float)
    return float(np.abs(entropy[low : peak + 1] - entropy[low]).max())


def last_fall_step(curve: pd.DataFrame) -> float:
    """T_collapse_last; NaN if no fall had begun by T_grok."""
    step = float(curve["step"].iloc[-1])
    grok = Event(step, True, step, step, step)
    fall = last_fall(curve["step"], curve[ENTROPY], grok, step)
    return fall.step if fall.observed else math.nan


def from_last_fall(curve: pd.DataFrame) -> int:
    """The evaluation WINDOW before T_collapse_last."""
    fall = last_fall_step(curve)
    return len(curve) if math.isnan(fall) else max(int((curve["step"] < fall).sum()) - WINDOW, 0)


def from_half(curve: pd.DataFrame) -> int:
    """The last evaluation with H̃ above the middle of its first value and that at T_grok."""
    above = curve[ENTROPY] > (curve[ENTROPY].iloc[0] + curve[ENTROPY].iloc[-1]) / 2
    return int(np.flatnonzero(above)[-1]) if above.any() else len(curve)


def from_5000_before(curve: pd.DataFrame) -> int:
    """The first evaluation of the last 5,000 steps."""
    return int((curve["step"] < curve["step"].iloc[-1] - 5_000).sum())


def line_fit(curve: pd.DataFrame, begin: int, scale: Callable[[Floats], Floats]) -> float:
    """R² of a line in time through the (scaled) effective rank from an evaluation on; NaN for fewer
    than FEWEST evaluations or without variation."""
    step, rank = (curve[name].to_numpy(float)[begin:] for name in ("step", RANK))
    if len(step) < FEWEST or not np.isfinite(rank).all() or np.ptp(rank) == 0:
        return math.nan
    return float(np.corrcoef(step, scale(rank))[0, 1] ** 2)
