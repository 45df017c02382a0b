"""The mathematical items of Truong et al. (2026, Appendix E), tried as numbers: what can be tried
alone (`lemmas`, `covariance_update`), and what the baseline's runs say."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy import stats

from analysis import effects, gaplaw, means, predictors, timescales
from analysis.entropy import lemmas
from analysis.entropy.conditions import BASELINE
from analysis.entropy.covariance_update import remainder_orders
from analysis.entropy.experiments import Experiments, NotRun
from analysis.entropy.joined import every
from analysis.entropy.thresholds import at_grok
from analysis.findings import Finding
from analysis.gather import Tables
from analysis.intervals import Interval
from analysis.predictors import ENTROPY, ENTROPY_GAP
from analysis.tables import interval, number
from grokpipe.curves.events import WINDOW

MATRICES = 1_000
NETWORKS = 10
DRAWS = 20
POINTS = 256
KAPPA = "flatness/kappa"
RANK = "spectral/effective_rank"
FEWEST = 4  # points from which a rank correlation or a line is asked for


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
    logarithmic, power = (gaplaw.held_out(runs, kind) for kind in ("logarithmic", "power"))
    found = gaplaw.out_of_sample_gain(runs, logarithmic, power, generator)
    note = ", ".join(
        f"{name} {gaplaw.out_of_sample(one, runs.remaining, runs.run, generator).estimate:.3f}"
        for name, one in (("logarithmic", logarithmic), ("power", power))
    )
    if left := arm.total - len(arm):
        note += f"; {left} of {arm.total} runs were not seen to grok and are left out"
    return Finding(found, len(arm), tables.only(arm.runs["key"]), note=note)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Beside the paper's Table 6 what ours gave; of Lemma 5, which derangements lose entropy; of
    Lemma 4, if the baseline was run, other ways to say where the collapse begins."""
    shown = {
        "Table 6: mathematical items": _items(experiments),
        "Lemma 5: entropy lost by mixing": _derangements(experiments.generator()),
    }
    try:
        return {**shown, "Lemma 4: exponential or linear": _phases(experiments)}
    except NotRun:
        return shown


def from_last_fall(curve: pd.DataFrame, fall: float) -> int:
    """The evaluation WINDOW before T_collapse_last, at `fall` (NaN if there is none)."""
    return len(curve) if math.isnan(fall) else max(int((curve["step"] < fall).sum()) - WINDOW, 0)


def from_half(curve: pd.DataFrame, fall: float) -> int:
    """The last evaluation with H̃ above the middle of its first value and that at T_grok."""
    above = curve[ENTROPY] > (curve[ENTROPY].iloc[0] + curve[ENTROPY].iloc[-1]) / 2
    return int(np.flatnonzero(above)[-1]) if above.any() else len(curve)


def from_5000_before(curve: pd.DataFrame, fall: float) -> int:
    return int((curve["step"] < curve["step"].iloc[-1] - 5_000).sum())


BEGINNINGS = {
    "5 evaluations before T_collapse_last (judged)": from_last_fall,
    "the last H̃ above the middle of start and T_grok": from_half,
    "5,000 steps before T_grok": from_5000_before,
}
"""where the collapse, which ends at T_grok, may be said to begin: the index of an evaluation"""


def fits_of_the_collapse(
    tables: Tables, begins: Callable[[pd.DataFrame, float], int] = from_last_fall
) -> pd.DataFrame:
    """By the key of the runs that grok and have such a phase, R² of a line in time through the
    logarithm of the effective rank and through the rank itself."""
    events = timescales.events(tables).set_index(["event", "key"])
    grok, fall = events.loc["t_grok"], events.loc["t_collapse_last"]
    rows = {}
    for key in grok.index[grok["observed"].astype(bool)]:
        curve = tables.curves[tables.curves["key"] == key]
        until = curve[curve["step"] <= grok["step"][key]]
        begin = begins(until, fall["step"][key] if fall["observed"][key] else math.nan)
        step, rank = (until[name].to_numpy(float)[begin:] for name in ("step", RANK))
        if len(step) >= FEWEST and np.isfinite(rank).all() and np.ptp(rank) > 0:
            rows[key] = {
                "log rank": np.corrcoef(step, np.log(rank))[0, 1] ** 2,
                "rank": np.corrcoef(step, rank)[0, 1] ** 2,
            }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["log rank", "rank"])


def curvature_correlations(tables: Tables, whole: bool = False) -> pd.Series:
    """By key, Spearman's correlation of −dH̃/dt with κ, until the run groks (all of it if it does
    not) or over the whole run; NaN without variation."""
    events = timescales.events(tables)
    grok = events[events["event"] == "t_grok"].set_index("key")
    found = {}
    for key, curve in tables.curves.groupby("key"):
        falls = -predictors.rate(curve["step"].to_numpy(float), curve[ENTROPY].to_numpy(float))
        pairs = pd.DataFrame({"fall": falls, "kappa": curve[KAPPA].to_numpy(float)})
        if not whole:
            pairs = pairs[(curve["step"] <= grok["step"][key]).to_numpy()]
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        varies = len(pairs) >= FEWEST and (pairs.nunique() > 1).all()
        found[key] = float(stats.spearmanr(*pairs.to_numpy().T).statistic) if varies else math.nan
    return pd.Series(found, dtype=float)


def _items(experiments: Experiments) -> pd.DataFrame:
    def said(quantity: Callable[[Experiments], Finding], decimals: int) -> str:
        try:
            found = quantity(experiments)
        except NotRun:
            return "not run"
        if found.shown is not None:
            return f"{found.shown:,} of {found.runs:,}; {found.note}"
        return f"{_with_ends(found.interval, decimals)}; {found.note}"

    rows = [
        ("Lemma 1 (sensitivity)", "full proof", "|ΔH̃| ≤ L ‖ΔΣ‖", said(lemma_1, 0)),
        ("Lemma 2 (covariance update)", "full proof", "order of the remainder in η",
         said(lemma_2, 3)),
        ("Proposition 3 (entropy descent)", "proof sketch", "–", "not tried: its terms are open"),
        ("Lemma 4 (effective rank)", "full proof, given Proposition 3",
         "R² of an exponential fall", said(lemma_4, 3)),
        ("Heuristic 1 (curvature)", "heuristic", "rank correlation of −dH̃/dt with κ",
         said(heuristic_1, 2)),
        ("Heuristic 2 (threshold)", "empirical", "variance of H̃ at T_grok", _variance(experiments)),
        ("Lemma 5 (mixing)", "full proof", "order of the loss in α", said(lemma_5, 2)),
        ("Proposition 6 (scaling)", "proof sketch",
         "R² out of sample, logarithmic law less power law", said(proposition_6, 3)),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item", "the paper's status", "tried", "ours"])


def _phases(experiments: Experiments) -> pd.DataFrame:
    tables = experiments.tables(BASELINE)
    rows = []
    for name, begins in BEGINNINGS.items():
        found = fits_of_the_collapse(tables, begins)
        of_log, of_rank = (
            means.mean(found[column].to_numpy(float), experiments.generator()) if len(found) else None
            for column in ("log rank", "rank")
        )
        rows.append(
            {"collapse from": name, "runs": str(len(found)),
             "R², log rank over time [95 %]": _with_ends(of_log, 3) if of_log else "–",
             "R², rank over time [95 %]": _with_ends(of_rank, 3) if of_rank else "–"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _variance(experiments: Experiments) -> str:
    try:
        values = at_grok(experiments.tables(BASELINE)).dropna()
    except NotRun:
        return "not run"
    return f"{values.var():.1e} over {len(values)} runs" if len(values) > 1 else "not run"


def _derangements(generator: np.random.Generator) -> pd.DataFrame:
    """At α = 0.01 and by the order in α, of the draws that lose at every strength."""
    rows = []
    for name, draw in _sampled(generator):
        lost = np.array([lemmas.losses(*draw(), lemmas.ALPHAS) for _ in range(DRAWS)])
        orders = np.array([lemmas.order(lemmas.ALPHAS, one) for one in lost])
        losing = np.isfinite(orders)
        per_alpha = lost[:, 0] / lemmas.ALPHAS[0]
        rows.append(
            {
                "points and derangement": name,
                "draws that lose entropy": f"{losing.sum()}/{DRAWS}",
                "loss/α at α = 0.001, least to largest": (
                    f"{number(per_alpha.min(), 4)} to {number(per_alpha.max(), 4)}"
                ),
                "order in α of those, mean": (
                    number(float(orders[losing].mean()), 2) if losing.any() else "–"
                ),
            }
        )
    return pd.DataFrame(rows)


def _sampled(
    generator: np.random.Generator,
) -> Iterator[tuple[str, Callable[[], tuple[np.ndarray, np.ndarray]]]]:
    """Kinds of points with their derangement, and how to draw them."""

    def independent(count: int, dimension: int, shift: bool) -> tuple[np.ndarray, np.ndarray]:
        points = lemmas.independent(count, dimension, generator)
        if shift:
            return points, np.roll(np.arange(count), 1)
        return points, lemmas.derangement(count, generator)

    yield "(x, y) with (x, −y), d = 2", lambda: lemmas.mirrored(POINTS, generator)
    yield "independent, cyclic shift, n = 512, d = 128", lambda: independent(512, 128, True)
    yield "independent, random, n = 512, d = 128", lambda: independent(512, 128, False)
    yield "independent, random, n = 32, d = 4", lambda: independent(32, 4, False)


def _with_ends(found: Interval, decimals: int) -> str:
    ends = interval(found.lower, found.upper, decimals)
    return f"{number(found.estimate, decimals)} {ends}".rstrip()
