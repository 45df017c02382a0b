"""The mathematical items of Truong et al. (2026, Appendix E), tried as numbers: what can be tried
alone (`lemmas`, `covariance_update`), and what the baseline's runs say."""

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.forecasting import gap_laws, predictors
from analysis.forecasting.predictors import ENTROPY_GAP
from analysis.output.formats import number
from analysis.papers.entropy.estimates import lemmas, theory_tables
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.covariance_update import remainder_orders
from analysis.papers.entropy.estimates.derangements import DRAWS, POINTS
from analysis.papers.entropy.estimates.within_runs import (
    BEGINNINGS,
    KAPPA,
    curvature_correlations,
    fits_of_the_collapse,
    from_last_fall,
)
from analysis.runs.combine import every
from analysis.runs.experiments import Experiments, NotRun
from analysis.stats import effects, means
from analysis.times import timescales

MATRICES = 1_000
NETWORKS = 10


def lemma_1(experiments: Experiments) -> Finding:
    """In how many of MATRICES random perturbations |ΔH̃| ≤ L ‖ΔΣ‖_F, with the L of the paper's
    proof (`lemmas.lipschitz`)."""
    tried = list(lemmas.perturbations(MATRICES, experiments.generator()))
    k = sum(one.change <= one.bound for one in tried)
    used = max(one.change / one.bound for one in tried)
    note = f"the largest change is {number(100 * used)} % of its bound"
    return Finding(effects.proportion(k, len(tried)), len(tried), None, k, note)


def lemma_2(experiments: Experiments) -> Finding:
    """The order in η of what the first-order term leaves, mean over NETWORKS small networks."""
    orders = [float(np.mean(remainder_orders(seed))) for seed in range(NETWORKS)]
    found = means.mean(orders, experiments.generator())
    return Finding(found, NETWORKS, None, note="small smooth networks, trained by SGD")


def lemma_4(experiments: Experiments) -> Finding:
    """R² of a line in time through the logarithm of the effective rank, in the fall that leads to
    grokking: from WINDOW evaluations before T_collapse_last, which the rolling window looks back
    at, to T_grok. Mean over the runs that have both. Raises NotRun."""
    tables = experiments.tables(BASELINE)
    found = fits_of_the_collapse(tables)
    if found.empty:
        raise NotRun(f"{BASELINE}: no run that grokked has a fall of H̃ before")
    coarse = fits_of_the_collapse(every(tables, 200))
    note = (
        f"a line through the rank itself has {found['rank'].mean():.3f};"
        f" evaluated every 200 steps {coarse['log rank'].mean():.3f}"
    )
    if left := len(tables.cells) - len(found):
        note += f"; {left} of {len(tables.cells)} runs are without such a fall"
    others = (
        f"from {name} {other['log rank'].mean():.3f}"
        for name, begins in BEGINNINGS.items()
        if begins is not from_last_fall and len(other := fits_of_the_collapse(tables, begins))
    )
    note += "; it rests on where the collapse is said to begin: " + ", ".join(others)
    interval = means.mean(found["log rank"].to_numpy(), experiments.generator())
    return Finding(interval, len(found), tables.only(found.index), note=note)


def lemma_5(experiments: Experiments) -> Finding:
    """The order in α of the entropy's loss by a derangement, in the worst case that is known: pairs
    of points that mirror one another. Mean over DRAWS draws of the points."""
    generator = experiments.generator()
    orders, slopes = [], []
    for _ in range(DRAWS):
        lost = lemmas.losses(*lemmas.mirrored(POINTS, generator), lemmas.ALPHAS)
        orders.append(lemmas.order(lemmas.ALPHAS, lost))
        slopes.append(lost[0] / lemmas.ALPHAS[0])
    note = (
        "points (x, y) swapped with (x, −y), in two dimensions: H̃ falls by"
        f" {min(slopes):.2f} α to {max(slopes):.2f} α"
    )
    return Finding(means.mean(orders, generator), DRAWS, None, note=note)


def heuristic_1(experiments: Experiments) -> Finding:
    """Spearman's correlation of −dH̃/dt (over the last 5 evaluations) with κ within each run until
    it groks, mean over runs. Raises NotRun."""
    tables = experiments.tables(BASELINE)
    if KAPPA not in tables.curves:
        raise NotRun(f"{BASELINE}: {KAPPA} was not measured")
    until = curvature_correlations(tables).dropna()
    if until.empty:
        raise NotRun(f"{BASELINE}: no run with κ and a rate of H̃ before it groks")
    whole = curvature_correlations(tables, whole=True).dropna()
    note = f"until T_grok; over whole runs {number(whole.mean(), 2)}"
    if left := len(tables.cells) - len(until):
        note += f"; {left} of {len(tables.cells)} runs have no correlation"
    found = means.mean(until.to_numpy(), experiments.generator())
    return Finding(found, len(until), tables.only(until.index), note=note)


def proposition_6(experiments: Experiments) -> Finding:
    """R² out of sample of the logarithmic law of the entropy gap less that of the power law, over
    the runs that grok. Raises NotRun without two."""
    tables = experiments.tables(BASELINE)
    events = timescales.events(tables)
    if not events.loc[events["event"] == "t_grok", "observed"].any():
        raise NotRun(f"{BASELINE}: no run grokked")
    arm, *others = [one for one in predictors.arms(tables, events, "t_grok") if len(one)]
    if others or len(arm) < 2:
        raise NotRun(f"{BASELINE}: must be two runs at least that differ in the seed alone")
    generator = experiments.generator()
    runs = arm.pool(ENTROPY_GAP, generator)
    logarithmic, power = (gap_laws.held_out(runs, kind) for kind in ("logarithmic", "power"))
    found = gap_laws.out_of_sample_gain(runs, logarithmic, power, generator)
    note = ", ".join(
        f"{name} {gap_laws.out_of_sample(one, runs.remaining, runs.run, generator).estimate:.3f}"
        for name, one in (("logarithmic", logarithmic), ("power", power))
    )
    if left := arm.total - len(arm):
        note += f"; {left} of {arm.total} runs were not seen to grok and are left out"
    return Finding(found, len(arm), tables.only(arm.runs["key"]), note=note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Beside the paper's Table 6 what ours gave; of Lemma 4, if the baseline was run, other ways to
    say where the collapse begins."""
    quantities: dict[str, theory_tables.Quantity] = {
        "Lemma 1": lemma_1, "Lemma 2": lemma_2, "Lemma 4": lemma_4, "Lemma 5": lemma_5,
        "Heuristic 1": heuristic_1, "Proposition 6": proposition_6,
    }  # fmt: skip
    return theory_tables.tables(experiments, quantities)
