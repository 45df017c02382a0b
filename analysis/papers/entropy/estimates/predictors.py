"""E4: the entropy gap against its rivals as predictors of the time left, and checkpoints of equal
norm (Truong et al. 2026, section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.laws import law_estimate, way_to
from analysis.claims.rules import TAIL
from analysis.forecasting import gap_laws, out_of_sample
from analysis.forecasting.predictors import (
    ABSOLUTE_ENTROPY,
    ABSOLUTE_NORM,
    ENTROPY_GAP,
    PREDICTORS,
    RANDOM,
    Arm,
    Predictor,
    rate,
    reciprocal,
)
from analysis.papers.entropy.estimates.phases import NORM
from analysis.runs.experiments import NotRun
from analysis.runs.tables import Tables
from analysis.stats.intervals import Interval
from grokpipe.curves.events import ENTROPY
from grokpipe.errors import InputError

ALIKE = 0.01
"""relative difference within which two norms count as equal"""
APART = {ENTROPY: 0.2, "test_accuracy": 0.5}
"""least differences of a pair of checkpoints of equal norm that count as very different"""
MIRROR = {NORM: 0.2, "test_accuracy": 0.5}
"""… of equal entropy; of the norm a share of the smaller one"""
NAMES = {ENTROPY: "H̃", NORM: "norm"}

Floats = NDArray[np.float64]


def shortfall(steps: Floats, values: Floats) -> Floats:
    """What an accuracy lacks to 1."""
    return 1 - values


def speed(steps: Floats, values: Floats) -> Floats:
    """The size of the rate of change over the last 5 evaluations; NaN at the first 5."""
    return np.abs(rate(steps, values))


SEVEN = (
    ENTROPY_GAP,
    ABSOLUTE_ENTROPY,
    ABSOLUTE_NORM,
    Predictor("1/norm", NORM, "absolute", reciprocal),
    Predictor("1 − training accuracy", "train_accuracy", "absolute", shortfall),
    Predictor("speed of entropy", ENTROPY, "absolute", speed),
    Predictor("speed of norm", NORM, "absolute", speed),
)
"""the predictors of the paper's second version"""
Rivals = Literal["measured", "version 2"]
RIVALS: dict[Rivals, tuple[Predictor, ...]] = {
    # forms of the entropy itself are no rivals of it
    "measured": tuple(one for one in PREDICTORS if one.column not in (ENTROPY, None)),
    "version 2": SEVEN[1:],
}


def advantage(runs: Runs) -> Estimate:
    """R² out of sample of the entropy gap's power law less that of the best other quantity's, each
    pair at the evaluations at which both are defined. Raises NotRun.

    To be better than every rival is to be better than each: the lower end is the least of those of
    the differences to each rival, which resample seeds; the rest is that to the best one.
    """
    way = way_to(runs, BASELINE)
    gains = _gains(runs, way, "measured")
    best = min(gains, key=lambda name: gains[name].estimate)
    lowest = min(gains.values(), key=lambda interval: interval.lower)
    found = replace(gains[best], lower=lowest.lower)
    return law_estimate(runs, BASELINE, way, found, f"the best rival, of {len(gains)}, is: {best}")


def _gains(runs: Runs, way: Arm, over: Rivals) -> dict[str, Interval]:
    """`gain` over each rival that was measured. Raises NotRun if none was."""

    def compute() -> dict[str, Interval]:
        gains = {}
        for predictor in RIVALS[over]:
            try:
                gains[predictor.name] = gain(way, predictor, runs.generator())
            except InputError:  # not measured
                continue
        if not gains:
            raise NotRun(f"{BASELINE}: no rival quantity was measured")
        return gains

    return runs.once(f"gains over rivals, {over}", compute)


def adjusted_advantage(runs: Runs, over: Rivals = "measured") -> Estimate:
    """The same difference with an interval that is fair to the best of several rivals. To be better
    than each, the interval of every difference must lie above 0 (no adjustment: an intersection of
    tests). To be worse than the best, which was chosen by the same runs, one of them must lie below
    0 at a level divided by their number (Bonferroni). Raises NotRun."""
    way = way_to(runs, BASELINE)
    gains = _gains(runs, way, over)
    best = min(gains, key=lambda name: gains[name].estimate)
    freedom = len(way) - 1
    wider = float(stats.t.isf(TAIL / len(gains), freedom) / stats.t.isf(TAIL, freedom))
    upper = min(one.estimate + wider * (one.upper - one.estimate) for one in gains.values())
    lower = min(one.lower for one in gains.values())
    found = Interval(gains[best].estimate, lower, upper, "jackknife, adjusted for the best rival")
    return law_estimate(runs, BASELINE, way, found, f"the best rival, of {len(gains)}, is: {best}")


def r_squared_out_of_sample(runs: Runs, predictor: str = ENTROPY_GAP.name) -> Estimate:
    """R² out of sample of the power law of one of SEVEN, or of "random", normal noise: below 0 it
    is worse than the mean time left in the other runs, a constant. Raises NotRun, and InputError
    for another predictor."""
    by_name = {one.name: one for one in (*SEVEN, RANDOM)}
    if predictor not in by_name:
        raise InputError(f"predictor={predictor}: no such predictor; valid: {', '.join(by_name)}")
    way, generator = way_to(runs, BASELINE), runs.generator()
    chosen = by_name[predictor]
    pool = way.pool(chosen, generator)
    predicted = gap_laws.held_out(pool, "power", chosen.form == "absolute")
    found = out_of_sample.r_squared(predicted, pool.remaining, pool.run, generator)
    return law_estimate(runs, BASELINE, way, found, f"{len(pool.x):,} evaluations")


def gain(way: Arm, rival: Predictor, generator: np.random.Generator) -> Interval:
    """R² out of sample of the entropy gap's power law less that of a rival's, over the evaluations
    at which both are defined. Raises InputError if the rival was not measured."""
    own, other = way.pool(ENTROPY_GAP, generator), way.pool(rival, generator)
    by_own = gap_laws.held_out(own, "power")
    by_other = gap_laws.held_out(other, "power", rival.form == "absolute")
    at = [pd.MultiIndex.from_arrays([pool.run, pool.remaining]) for pool in (own, other)]
    both, also = at[0].isin(at[1]), at[1].isin(at[0])
    return out_of_sample.gain(
        by_own[both], by_other[also], own.remaining[both], own.run[both], generator
    )


@dataclass(frozen=True)
class Pairs:
    """Pairs of checkpoints of equal norm that differ in entropy and test accuracy."""

    count: int
    widest: pd.DataFrame
    """the two evaluations with the largest difference of all such pairs: in H̃ at equal norm"""


def equal_norm_pairs(runs: Runs) -> Estimate:
    """The number of such pairs, of one run or of two; an existence claim has no error."""
    return _counted(runs, NORM, APART)


def equal_entropy_pairs(runs: Runs) -> Estimate:
    """The mirror: pairs of checkpoints of equal entropy that differ as much in norm (by a fifth of
    the smaller) and test accuracy. Where both exist, neither quantity is shown to be the one that
    matters."""
    return _counted(runs, ENTROPY, MIRROR)


def _counted(runs: Runs, equal: str, apart: Mapping[str, float]) -> Estimate:
    tables = runs.arm(BASELINE).tables
    found = pairs(tables, equal, apart)
    first = next(iter(apart))
    ends = (
        f"{row[first]:.3f} (seed {row['seed']}, step {row['step']:,}, test accuracy "
        f"{row['test_accuracy']:.2f}, {NAMES[equal]} {row[equal]:.3g})"
        for row in found.widest.to_dict("records")
    )
    said = f"the largest gap of {NAMES[first]} at equal {NAMES[equal]}"
    note = f"{said}: {' and '.join(ends)}" if found.count else ""
    interval = Interval(found.count, found.count, found.count, "counted")
    return Estimate(interval, len(tables.cells), tables, note=note)


def pairs(tables: Tables, equal: str = NORM, apart: Mapping[str, float] | None = None) -> Pairs:
    """Over all pairs of evaluations that are alike in one column, those `apart` in others: by an
    absolute difference, of the norm by a share of the smaller one."""
    least = APART if apart is None else apart
    first = next(iter(least))
    curves = tables.curves.dropna(subset=[NORM, ENTROPY]).sort_values(equal, ignore_index=True)
    level = curves[equal].to_numpy(float)
    values = {name: curves[name].to_numpy(float) for name in least}
    last = np.searchsorted(level, level * (1 + ALIKE), side="right")
    count, best, widest = 0, 0.0, curves.iloc[:0]
    for at, end in enumerate(last):
        near = slice(at + 1, end)
        differences = {name: np.abs(of[near] - of[at]) for name, of in values.items()}
        if NORM in differences:
            differences[NORM] /= np.minimum(values[NORM][near], values[NORM][at])
        different = np.all([differences[name] >= by for name, by in least.items()], axis=0)
        count += int(different.sum())
        gap = differences[first]
        if len(gap) and gap.max() > best:
            best, widest = float(gap.max()), curves.iloc[[at, at + 1 + int(gap.argmax())]]
    return Pairs(count, widest)
