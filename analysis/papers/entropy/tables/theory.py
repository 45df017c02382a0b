"""Table 6 of Truong et al. (2026) with what our numbers gave, and what stands beside it."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from analysis.claims.arguments import ArmName, Column
from analysis.claims.arms import BASELINE, Arm, Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.curves import mean_of_runs, variance_at
from analysis.claims.estimators.laws import gap_law
from analysis.claims.estimators.times import GROK
from analysis.output.formats import estimated, number
from analysis.papers.entropy.estimates import lemmas, phases
from analysis.papers.entropy.estimates.theory import DRAWS, POINTS, lemma_1, lemma_2, lemma_5
from analysis.runs.experiments import NotRun
from analysis.stats import means
from grokpipe.curves.events import ENTROPY

BASE = ArmName(BASELINE)
ITEMS: tuple[tuple[str, str, str, Callable[[Runs], Estimate] | None, int], ...] = (
    ("Lemma 1 (sensitivity)", "full proof", "|ΔH̃| ≤ L ‖ΔΣ‖_F", lemma_1, 0),
    ("Lemma 2 (covariance update)", "full proof", "order of the remainder in η", lemma_2, 3),
    ("Proposition 3 (entropy descent)", "proof sketch", "nothing: its terms are open", None, 0),
    ("Lemma 4 (effective rank)", "full proof, given Proposition 3", "R² of an exponential fall",
     lambda runs: mean_of_runs(runs, BASE, phases.exponential_fall, GROK), 3),
    ("Heuristic 1 (curvature)", "heuristic", "rank correlation of −dH̃/dt with κ",
     lambda runs: mean_of_runs(runs, BASE, phases.curvature_correlation), 2),
    ("Heuristic 2 (threshold)", "empirical", "variance of H̃ at T_grok (< 0.001)",
     lambda runs: variance_at(runs, BASE, Column(ENTROPY)), 5),
    ("Lemma 5 (mixing)", "full proof", "order of the loss in α (2)", lemma_5, 2),
    ("Proposition 6 (scaling)", "proof sketch", "R² out of sample, logarithmic law less power law",
     lambda runs: gap_law(runs, BASE, "gain_over_power", "logarithmic"), 3),
)  # fmt: skip
"""item, the paper's status (Table 6), what is tried, its estimate, decimals"""
BEGINNINGS = {
    "5 evaluations before T_collapse_last (judged)": phases.from_last_fall,
    "the last H̃ above the middle of start and T_grok": phases.from_half,
    "5,000 steps before T_grok": phases.from_5000_before,
}
"""where the collapse, which ends at T_grok, may be said to begin: the index of an evaluation"""


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Beside the paper's Table 6 what ours gave; of Lemma 4, if the baseline was run, other ways to
    say where the collapse begins; of Lemma 5, which mixing loses entropy."""
    items = pd.DataFrame(
        {"item": item, "the paper's status": status, "tried": tried,
         "ours": _said(runs, make, decimals)}
        for item, status, tried, make, decimals in ITEMS
    )  # fmt: skip
    shown = {"Table 6: mathematical items": items}
    with suppress(NotRun):
        shown["Lemma 4: exponential or linear"] = _falls(runs, runs.arm(BASELINE))
    return shown | {"Lemma 5: entropy lost by mixing": _derangements(runs.generator())}


def _said(runs: Runs, make: Callable[[Runs], Estimate] | None, decimals: int) -> str:
    if make is None:
        return "–"
    try:
        found = make(runs)
    except NotRun:
        return "not run"
    said = estimated(found.interval, decimals)
    if found.shown is not None:
        said = f"{found.shown:,} of {found.runs:,}"
    return "; ".join(filter(None, (said, found.note)))


def _falls(runs: Runs, arm: Arm) -> pd.DataFrame:
    curves, rows = arm.until(GROK).values(), []
    for name, begins in BEGINNINGS.items():
        row = {"collapse from": name}
        for scaled, scale in (("log rank", np.log), ("rank", np.asarray)):
            fits = [phases.line_fit(curve, begins(curve), scale) for curve in curves]
            known = [fit for fit in fits if not np.isnan(fit)]
            row["runs"] = str(len(known))
            found = estimated(means.mean(known, runs.generator()), 3) if known else "–"
            row[f"R², {scaled} over time [95 %]"] = found
        rows.append(row)
    return pd.DataFrame(rows)


def _derangements(generator: np.random.Generator) -> pd.DataFrame:
    """By kind of points: how many of DRAWS draws lose entropy at every strength, how much at the
    smallest, and in which order of α."""
    rows = []
    for name, draw in _kinds(generator):
        lost = np.array([lemmas.losses(*draw(), lemmas.ALPHAS) for _ in range(DRAWS)])
        orders = np.array([lemmas.order(lemmas.ALPHAS, one) for one in lost])
        losing = np.isfinite(orders)
        slope = lost[:, 0] / lemmas.ALPHAS[0]
        order = number(float(orders[losing].mean()), 2) if losing.any() else "–"
        rows.append(
            {"points and derangement": name,
             "draws that lose entropy": f"{losing.sum()}/{DRAWS}",
             "loss/α at α = 0.001, least to largest":
                 f"{number(slope.min(), 4)} to {number(slope.max(), 4)}",
             "order in α of those, mean": order}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _kinds(
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
