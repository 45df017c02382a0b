"""E4: the entropy gap against its rivals as predictors of the time left, and checkpoints of equal
norm (Truong et al. 2026, section 7)."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.laws import law_estimate, way_to
from analysis.forecasting import gap_laws
from analysis.forecasting.predictors import ENTROPY_GAP, PREDICTORS, Arm, Predictor
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


def advantage(runs: Runs) -> Estimate:
    """R² out of sample of the entropy gap's power law less that of the best other quantity's, each
    pair at the evaluations at which both are defined. Raises NotRun.

    To be better than every rival is to be better than each: the lower end is the least of those of
    the differences to each rival, which resample seeds; the rest is that to the best one.
    """
    way = way_to(runs, BASELINE)
    gains: dict[str, Interval] = {}
    for predictor in PREDICTORS:
        if predictor.column in (ENTROPY, None):  # forms of the entropy itself are no rivals
            continue
        try:
            gains[predictor.name] = gain(way, predictor, runs.generator())
        except InputError:  # not measured
            continue
    if not gains:
        raise NotRun(f"{BASELINE}: no rival quantity was measured")
    best = min(gains, key=lambda name: gains[name].estimate)
    lowest = min(gains.values(), key=lambda interval: interval.lower)
    found = replace(gains[best], lower=lowest.lower)
    return law_estimate(runs, BASELINE, way, found, f"the best rival, of {len(gains)}, is: {best}")


def gain(way: Arm, rival: Predictor, generator: np.random.Generator) -> Interval:
    """R² out of sample of the entropy gap's power law less that of a rival's, over the evaluations
    at which both are defined. Raises InputError if the rival was not measured."""
    own, other = way.pool(ENTROPY_GAP, generator), way.pool(rival, generator)
    by_own = gap_laws.held_out(own, "power")
    by_other = gap_laws.held_out(other, "power", rival.form == "absolute")
    at = [pd.MultiIndex.from_arrays([pool.run, pool.remaining]) for pool in (own, other)]
    both = at[0].isin(at[1])
    common = replace(own, x=own.x[both], remaining=own.remaining[both], run=own.run[both])
    return gap_laws.out_of_sample_gain(common, by_own[both], by_other[at[1].isin(at[0])], generator)


@dataclass(frozen=True)
class Pairs:
    """Pairs of checkpoints of equal norm that differ in entropy and test accuracy."""

    count: int
    widest: pd.DataFrame
    """the two evaluations with the largest difference in H̃ of all pairs of equal norm"""


def equal_norm_pairs(runs: Runs) -> Estimate:
    """The number of such pairs, of one run or of two; an existence claim has no error."""
    tables = runs.arm(BASELINE).tables
    found = pairs(tables)
    ends = (
        f"{row[ENTROPY]:.3f} (seed {row['seed']}, step {row['step']:,}, test accuracy "
        f"{row['test_accuracy']:.2f}, norm {row[NORM]:.1f})"
        for row in found.widest.to_dict("records")
    )
    note = f"the largest gap of H̃ at equal norm: {' and '.join(ends)}" if found.count else ""
    interval = Interval(found.count, found.count, found.count, "counted")
    return Estimate(interval, len(tables.cells), tables, note=note)


def pairs(tables: Tables) -> Pairs:
    """Over all pairs of evaluations."""
    curves = tables.curves.dropna(subset=[NORM, ENTROPY]).sort_values(NORM, ignore_index=True)
    norm = curves[NORM].to_numpy(float)
    values = {name: curves[name].to_numpy(float) for name in APART}
    last = np.searchsorted(norm, norm * (1 + ALIKE), side="right")
    count, best, widest = 0, 0.0, curves.iloc[:0]
    for at, end in enumerate(last):
        near = slice(at + 1, end)
        apart = {name: np.abs(of[near] - of[at]) for name, of in values.items()}
        different = np.all([apart[name] >= least for name, least in APART.items()], axis=0)
        count += int(different.sum())
        gap = apart[ENTROPY]
        if len(gap) and gap.max() > best:
            best, widest = float(gap.max()), curves.iloc[[at, at + 1 + int(gap.argmax())]]
    return Pairs(count, widest)
