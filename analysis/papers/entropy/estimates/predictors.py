"""E4 and E5: what tells how long grokking is away, and the power law in the entropy gap (Truong et
al. 2026, sections 7 and 8, equation 2 and Table 2)."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.forecasting import gap_laws
from analysis.forecasting.predictors import ENTROPY_GAP, PREDICTORS, Arm, Predictor, arms
from analysis.output.formats import number
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import bootstrap
from analysis.stats.intervals import Interval
from analysis.times.timescales import events
from grokpipe.curves.events import ENTROPY
from grokpipe.errors import InputError

NORM = "weight_norm"
ALIKE = 0.01
"""relative difference within which two norms count as equal"""
APART = {ENTROPY: 0.2, "test_accuracy": 0.5}
"""what a pair of checkpoints of equal norm must differ by to count as very different"""
EVENT = "t_grok"


def norm_correlation(experiments: Experiments) -> Finding:
    """Pearson's r of ‖θ‖ and H̃ over the evaluations up to T_grok of all runs that grok, pooled; the
    interval resamples seeds. Raises NotRun."""
    arm = _arm(experiments)
    curves = [(c[NORM].to_numpy(float), c[ENTROPY].to_numpy(float)) for c in arm.curves]
    sums = np.array([_moments(*both) for both in curves])

    def r(indices: np.ndarray) -> np.ndarray:
        n, x, y, xx, yy, xy = np.moveaxis(sums[indices].sum(-2), -1, 0)
        return (n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2))

    points = int(sums[:, 0].sum())
    note = (
        f"{points:,} points; the paper's interval is the null band, here ± "
        f"{1.96 / np.sqrt(points):.3f}: where r of independent points lies without correlation"
    )
    found = bootstrap.interval(r, [len(sums)], experiments.generator())
    return _finding(experiments, arm, found, note)


def law_r_squared(experiments: Experiments) -> Finding:
    """R² of the power law in the entropy gap, in sample. Raises NotRun."""
    row = _law(experiments)
    note = f"out of sample {number(row['r_squared_out'], 2)}"
    return _finding(experiments, _arm(experiments), _interval(row, "r_squared"), note)


def law_exponent(experiments: Experiments) -> Finding:
    """γ of that law. Raises NotRun."""
    row = _law(experiments)
    note = f"C₁ = {row['C1']:.3g}, C₂ = {row['C2']:,.0f}; curvature: {row['curvature']}"
    return _finding(experiments, _arm(experiments), _interval(row, "gamma"), note)


def advantage(experiments: Experiments) -> Finding:
    """R² out of sample of the entropy gap's power law less that of the best other quantity's, each
    pair at the evaluations at which both are defined. Raises NotRun.

    To be better than every rival is to be better than each: the lower end is the least of those of
    the differences to each rival, which resample seeds; the rest is that to the best one.
    """
    arm = _arm(experiments)
    gains: dict[str, Interval] = {}
    for predictor in PREDICTORS:
        if predictor.column in (ENTROPY, None):  # forms of the entropy itself are no rivals
            continue
        try:
            gains[predictor.name] = gain(arm, predictor, experiments.generator())
        except InputError:  # not measured
            continue
    if not gains:
        raise NotRun(f"{BASELINE}: no rival quantity was measured")
    best = min(gains, key=lambda name: gains[name].estimate)
    lowest = min(gains.values(), key=lambda interval: interval.lower)
    found = replace(gains[best], lower=lowest.lower)
    note = f"the best rival, of {len(gains)}, is: {best}"
    return _finding(experiments, arm, found, note)


def gain(arm: Arm, rival: Predictor, generator: np.random.Generator) -> Interval:
    """R² out of sample of the entropy gap's power law less that of a rival's, over the evaluations
    at which both are defined. Raises InputError if it was not measured."""
    own, other = arm.pool(ENTROPY_GAP, generator), arm.pool(rival, generator)
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


def equal_norm_pairs(experiments: Experiments) -> Finding:
    """The number of such pairs, of one run or of two; an existence claim has no error."""
    tables = experiments.tables(BASELINE)
    found = pairs(tables)
    note = ""
    if len(found.widest):
        a, b = found.widest.to_dict("records")
        note = (
            f"the largest gap of H̃ at equal norm: {a[ENTROPY]:.3f} (seed {a['seed']}, step "
            f"{a['step']:,}, test accuracy {a['test_accuracy']:.2f}, norm {a[NORM]:.1f}) and "
            f"{b[ENTROPY]:.3f} (seed {b['seed']}, step {b['step']:,}, {b['test_accuracy']:.2f}, "
            f"norm {b[NORM]:.1f})"
        )
    interval = Interval(found.count, found.count, found.count, "counted")
    return Finding(interval, len(tables.cells), tables, note=note)


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


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Table 2: every predictor's law. Raises NotRun."""
    found = _laws(experiments)
    shown = gap_laws.readable(found).drop(columns=["runs"])
    return {"Table 2: laws of the steps until grokking": shown}


def _arm(experiments: Experiments) -> Arm:
    def find() -> Arm:
        tables = experiments.tables(BASELINE)
        (arm,) = arms(tables, events(tables), EVENT)
        if not len(arm):
            raise NotRun(f"{BASELINE}: no run grokked yet")
        return arm

    return experiments.once("the baseline's way to grokking", find)


def _laws(experiments: Experiments) -> pd.DataFrame:
    def fit() -> pd.DataFrame:
        _arm(experiments)
        tables = experiments.tables(BASELINE)
        return gap_laws.laws(tables, events(tables), EVENT, experiments.generator())[0]

    return experiments.once("laws of the gap", fit)


def _law(experiments: Experiments) -> pd.Series:
    found = _laws(experiments)
    return found[(found["predictor"] == ENTROPY_GAP.name) & (found["law"] == "power")].iloc[0]


def _interval(row: pd.Series, name: str) -> Interval:
    return Interval(*(row[f"{name}{end}"] for end in ("", "_lower", "_upper", "_method")))


def _finding(experiments: Experiments, arm: Arm, found: Interval, note: str) -> Finding:
    said = [note] if note else []
    if never := arm.total - len(arm):
        said.append(f"{never} of {arm.total} runs did not grok and have no time to it")
    behind = experiments.tables(BASELINE).only(arm.runs["key"])
    return Finding(found, len(arm), behind, note="; ".join(said))


def _moments(x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    return (len(x), x.sum(), y.sum(), (x**2).sum(), (y**2).sum(), (x * y).sum())
