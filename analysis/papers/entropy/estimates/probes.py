"""E8: does the entropy depend on the probe? (Truong et al. 2026, Appendix B)"""

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import interval, number
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import bootstrap, means
from analysis.stats.intervals import Interval
from grokpipe.curves.events import ENTROPY

TEST = "spectral/entropy_test"


def correlation(experiments: Experiments) -> Finding:
    """Pearson's r of H̃ on the training and on the test probe, over all evaluations of all runs; the
    interval resamples seeds. Raises NotRun.

    The paper has r in a sentence that begins "at the grokking step": that r, of one pair a seed, is
    in the note and the table.
    """
    tables = _measured(experiments)
    both = tables.curves[["key", ENTROPY, TEST]].dropna()
    found = pearson(both, experiments.generator())
    note = f"{len(both):,} evaluations"
    if len(at := _at_grok(tables)) > 1:
        there = pearson(at, experiments.generator())
        ends = interval(there.lower, there.upper, 3)
        note += f"; at T_grok alone {number(there.estimate, 3)} {ends}".rstrip()
    return Finding(found, both["key"].nunique(), tables, note=note)


def pearson(both: pd.DataFrame, generator: np.random.Generator) -> Interval:
    """r of the columns ENTROPY and TEST, with an interval that resamples `key`."""
    x, y = both[ENTROPY] - both[ENTROPY].mean(), both[TEST] - both[TEST].mean()
    products = pd.DataFrame({"n": 1.0, "x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y})
    sums = products.groupby(both["key"]).sum().to_numpy()

    def r(indices: np.ndarray) -> np.ndarray:
        n, x, y, xx, yy, xy = np.moveaxis(sums[indices].sum(-2), -1, 0)
        # a resample of one run alone has no spread but that of rounding
        spread = np.maximum(n * xx - x**2, 0) * np.maximum(n * yy - y**2, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (n * xy - x * y) / np.sqrt(spread)

    return bootstrap.interval(r, [len(sums)], generator)


def mean_difference(experiments: Experiments) -> Finding:
    """H̃ on the training probe less that on the test probe at T_grok, mean over the runs that grok.
    Raises NotRun."""
    tables = _measured(experiments)
    both = _at_grok(tables)
    if not len(both):
        raise NotRun(f"{BASELINE}: no run grokked yet")
    difference = (both[ENTROPY] - both[TEST]).to_numpy()
    found = means.mean(difference, experiments.generator())
    return Finding(found, len(both), tables.only(both["key"]))


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """The two probes at all evaluations and at T_grok: r, and the mean difference, a mean of each
    run's. Raises NotRun."""
    measured = _measured(experiments)
    rows = []
    for label, both in (
        ("all evaluations", measured.curves[["key", ENTROPY, TEST]].dropna()),
        ("T_grok", _at_grok(measured)),
    ):
        if not len(both):
            continue
        r = pearson(both, experiments.generator())
        of_runs = (both[ENTROPY] - both[TEST]).groupby(both["key"]).mean().to_numpy()
        difference = means.mean(of_runs, experiments.generator())
        rows.append(
            {
                "at": label,
                "pairs": number(len(both)),
                "r [95 %]": f"{number(r.estimate, 4)} {interval(r.lower, r.upper, 4)}".rstrip(),
                "training − test [95 %]": f"{number(difference.estimate, 4, '+')} "
                f"{interval(difference.lower, difference.upper, 4, '+')}".rstrip(),
            }
        )
    return {"The two probes": pd.DataFrame(rows)}


def _measured(experiments: Experiments) -> Tables:
    tables = experiments.tables(BASELINE)
    if TEST not in tables.curves:
        raise NotRun(f"{BASELINE}: {TEST} was not measured")
    return tables


def _at_grok(tables: Tables) -> pd.DataFrame:
    """A row per run that grokked: key, ENTROPY, TEST."""
    both = pd.DataFrame({ENTROPY: at_grok(tables), TEST: at_grok(tables, TEST)})
    return both.dropna().rename_axis("key").reset_index()
