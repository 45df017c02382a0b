"""E8: does the entropy depend on the probe? (Truong et al. 2026, Appendix B)"""

import numpy as np
import pandas as pd

from analysis import bootstrap, means
from analysis.entropy.conditions import BASELINE
from analysis.entropy.experiments import Experiments, NotRun
from analysis.entropy.thresholds import at_grok
from analysis.findings import Finding
from grokpipe.curves.events import ENTROPY

TEST = "spectral/entropy_test"


def correlation(experiments: Experiments) -> Finding:
    """Pearson's r of H̃ on the training and on the test probe, over all evaluations of all runs; the
    interval resamples seeds. Raises NotRun."""
    tables = experiments.tables(BASELINE)
    if TEST not in tables.curves:
        raise NotRun(f"{BASELINE}: {TEST} was not measured")
    both = tables.curves[["key", ENTROPY, TEST]].dropna()
    x, y = both[ENTROPY] - both[ENTROPY].mean(), both[TEST] - both[TEST].mean()
    products = pd.DataFrame({"n": 1.0, "x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y})
    sums = products.groupby(both["key"]).sum().to_numpy()

    def r(indices: np.ndarray) -> np.ndarray:
        n, x, y, xx, yy, xy = np.moveaxis(sums[indices].sum(-2), -1, 0)
        return (n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2))

    found = bootstrap.interval(r, [len(sums)], experiments.generator())
    return Finding(found, len(sums), tables, note=f"{len(both):,} evaluations")


def mean_difference(experiments: Experiments) -> Finding:
    """H̃ on the training probe less that on the test probe at T_grok, mean over the runs that grok.
    Raises NotRun."""
    tables = experiments.tables(BASELINE)
    if TEST not in tables.curves:
        raise NotRun(f"{BASELINE}: {TEST} was not measured")
    difference = (at_grok(tables) - at_grok(tables, TEST)).dropna()
    if not len(difference):
        raise NotRun(f"{BASELINE}: no run grokked yet")
    found = means.mean(difference.to_numpy(), experiments.generator())
    return Finding(found, len(difference), tables.only(difference.index))
