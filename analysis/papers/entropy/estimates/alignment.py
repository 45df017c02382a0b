"""Fourier alignment beside the entropy: E10, and E7 in version 2 (Truong et al. 2026).

The published alignments are those of `fourier_paper/alignment`: the version's 0.11 at the start and
0.052 of an MLP are its noise levels for 512 samples modulo 97 and for all pairs modulo 41.
"""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import integrate, special

from analysis.claims.arguments import Column
from analysis.claims.arms import BASELINE, Runs, require
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.laws import law_estimate, way_to
from analysis.forecasting import out_of_sample
from analysis.forecasting.predictors import Arm
from analysis.papers.entropy.estimates.phases import ALIGNMENT, FEWEST
from analysis.stats.intervals import Interval
from grokpipe.curves.events import ENTROPY

PUBLISHED = Column("fourier_paper/alignment")
PROBE = 512
"""training samples that the alignment is taken on, if there are so many"""
BINS = 20
"""of a path: with some 3,000 evaluations of the other runs about 150 a bin"""

Floats = NDArray[np.float64]


def entropy_alignment_correlation(curve: pd.DataFrame) -> float:
    """Pearson's r of H̃ and the published alignment over the evaluations of a curve; NaN for fewer
    than FEWEST of them, or without variation."""
    return _r(curve, PUBLISHED)


def entropy_regression_correlation(curve: pd.DataFrame) -> float:
    """The same with the alignment by regression on cosine and sine, over ten eigenvectors."""
    return _r(curve, ALIGNMENT)


def anti_correlated(curve: pd.DataFrame) -> bool | None:
    """Whether that r is negative; None where there is none."""
    r = entropy_alignment_correlation(curve)
    return None if math.isnan(r) else r < 0


def alignment_over_noise(curve: pd.DataFrame) -> float:
    """The published alignment at the last evaluation, over its `noise` for as many samples of
    addition modulo p as the probe has."""
    return _over_noise(curve, lambda alignment: float(alignment.iloc[-1]))


def mean_alignment_over_noise(curve: pd.DataFrame) -> float:
    """The same of its mean over all evaluations."""
    return _over_noise(curve, lambda alignment: float(alignment.mean()))


def noise(samples: int, frequencies: int) -> float:
    """The expected largest |Pearson r| of scores without structure, (samples,), with cosines of
    several frequencies: √samples · r is then standard normal, and independent over frequencies.

    0.110 for 512 samples modulo 97 and 0.053 for 1,681 modulo 41.
    """
    above, _ = integrate.quad(
        lambda x: 1 - special.erf(x / math.sqrt(2)) ** frequencies, 0, math.inf
    )
    return float(above) / math.sqrt(samples)


def path_r_squared(
    runs: Runs, along: Literal["entropy", "clock"] = "entropy", column: Column = PUBLISHED
) -> Estimate:
    """R² out of sample of the alignment of each run until T_grok by the path of the other runs
    (`followed`): along H̃, or along the steps. 1: all runs take one path. Raises NotRun."""
    way, run, entropy, step, aligned = _pooled(runs, column)
    predicted = followed(entropy if along == "entropy" else step, aligned, run)
    found = out_of_sample.r_squared(predicted, aligned, run, runs.generator())
    return _estimate(runs, way, found)


def path_gain(runs: Runs, column: Column = PUBLISHED) -> Estimate:
    """`path_r_squared` along H̃ less that along the steps. Raises NotRun."""
    way, run, entropy, step, aligned = _pooled(runs, column)
    by_entropy, by_clock = (followed(x, aligned, run) for x in (entropy, step))
    found = out_of_sample.gain(by_entropy, by_clock, aligned, run, runs.generator())
    return _estimate(runs, way, found)


def followed(x: Floats, y: Floats, run: NDArray[np.intp], bins: int = BINS) -> Floats:
    """Predict y from x by the other runs: their mean y in the bin of x. Bins hold about equally
    many of the others' evaluations, and the outer ones are open. All of shape (evaluations,); NaN
    for a run without others."""
    predicted = np.full(len(y), np.nan)
    for one in np.unique(run):
        own = run == one
        others = x[~own]
        if not len(others):
            continue
        inner = np.linspace(0, 1, bins + 1)[1:-1]
        edges = np.unique(np.quantile(others, inner, method="lower"))
        edges = edges[edges > others.min()]  # or a bin would be empty
        bin_of_others = np.searchsorted(edges, others, side="right")
        sums = np.bincount(bin_of_others, y[~own], len(edges) + 1)
        means = sums / np.bincount(bin_of_others, minlength=len(edges) + 1)
        predicted[own] = means[np.searchsorted(edges, x[own], side="right")]
    return predicted


def _pooled(runs: Runs, column: str) -> tuple[Arm, NDArray[np.intp], Floats, Floats, Floats]:
    """The baseline's runs until T_grok, and of their evaluations, run by run, where all is known:
    the number of the run, H̃, the step and the alignment."""
    require(column, runs.arm(BASELINE).tables.curves, f"arm {BASELINE}")
    way = way_to(runs, BASELINE)
    curves = pd.concat([curve.assign(run=number) for number, curve in enumerate(way.curves)])
    known = curves[["run", ENTROPY, "step", column]].dropna()
    entropy, step, aligned = known.drop(columns="run").to_numpy(float).T
    return way, known["run"].to_numpy(np.intp), entropy, step, aligned


def _estimate(runs: Runs, way: Arm, found: Interval) -> Estimate:
    times = way.runs["step"].astype(float)
    note = f"the slowest run takes {times.max() / times.min():.1f} times as long as the fastest"
    return law_estimate(runs, BASELINE, way, found, note)


def _r(curve: pd.DataFrame, alignment: str) -> float:
    if alignment not in curve:  # was not measured
        return math.nan
    both = curve[[ENTROPY, alignment]].dropna()
    if len(both) < FEWEST or (both.nunique() < 2).any():
        return math.nan
    return float(np.corrcoef(both.to_numpy(float).T)[0, 1])


def _over_noise(curve: pd.DataFrame, of: Callable[[pd.Series], float]) -> float:
    if PUBLISHED not in curve:
        return math.nan
    p, fraction = int(curve["task.p"].iloc[0]), float(curve["task.fraction"].iloc[0])
    samples = min(PROBE, math.floor(fraction * p**2))
    return of(curve[PUBLISHED].dropna()) / noise(samples, p // 2)
