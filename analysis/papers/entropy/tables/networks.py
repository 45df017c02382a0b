"""E7: an MLP beside the Transformer on the same splits of addition modulo 41, at every fraction of
pairs that was run (Truong et al. 2026, section 11)."""

import math

import numpy as np
import pandas as pd

from analysis.claims.arms import Arm, Runs
from analysis.claims.estimators.curves import changes
from analysis.output.formats import estimated, number
from analysis.papers.entropy.estimates import networks
from analysis.papers.entropy.estimates.phases import ALIGNMENT, NULL
from analysis.runs.experiments import NotRun
from analysis.stats import means
from grokpipe.curves.events import ENTROPY

BEFORE = 1_000
"""steps before T_grok that a rise of the alignment is counted from"""


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per fraction and network. Raises NotRun."""
    by_network = of_networks(runs)
    rows = []
    for fraction in fractions(by_network):
        transformer = by_network[networks.TRANSFORMER].get(fraction)
        level = networks.threshold(transformer) if transformer else math.nan
        rows += [
            _row(arms[fraction], fraction, level, runs.generator())
            for arms in by_network.values()
            if fraction in arms
        ]
    return {"MLP and Transformer modulo 41": pd.DataFrame(rows)}


def of_networks(runs: Runs) -> dict[str, dict[float, Arm]]:
    """The runs of the MLP and of the Transformer by fraction. Raises NotRun if neither was run."""
    found: dict[str, dict[float, Arm]] = {}
    missing = None
    for network in (networks.MLP, networks.TRANSFORMER):
        try:
            found[network] = runs.divided(f"{network}_by_fraction")
        except NotRun as error:
            found[network], missing = {}, error
    if missing and not any(found.values()):
        raise missing
    return found


def fractions(by_network: dict[str, dict[float, Arm]]) -> list[float]:
    """All fractions that were run, ascending."""
    return sorted({fraction for arms in by_network.values() for fraction in arms})


def _row(
    arm: Arm, fraction: float, level: float, generator: np.random.Generator
) -> dict[str, str]:  # fmt: skip
    last = arm.tables.curves.groupby("key").tail(1)
    n, accuracy = len(arm.tables.cells), last["test_accuracy"]
    without = (networks.least(arm) < level) & networks.never_rose(arm)

    def mean(values: pd.Series, decimals: int = 2) -> str:
        if values.empty:
            return "–"
        return estimated(means.mean(values.to_numpy(float), generator), decimals)

    rises = [
        changes(arm, ALIGNMENT, event, back) for event, back in (("t_grok", BEFORE), ("t_mem", 0))
    ]
    return {
        "fraction": f"{fraction:g}",
        "network": arm.label,
        "grokked": f"{arm.events('t_grok')['observed'].sum()}/{n}",
        "H̃* of the Transformers": number(level, 3),
        "H̃ below it, test accuracy < 0.1 throughout": (
            "–" if math.isnan(level) else f"{without.sum()}/{n}"
        ),
        "H̃ at the end": mean(last[ENTROPY], 3),
        "test accuracy at the end (least to largest)": (
            f"{number(accuracy.mean(), 3)} ({number(accuracy.min(), 3)} to"
            f" {number(accuracy.max(), 3)})"
        ),
        "alignment at the end": mean(last[ALIGNMENT]),
        "its null": mean(last[NULL]),
        "its rise from memorisation on": mean(rises[1]),
        f"from {BEFORE:,} steps before T_grok on": mean(rises[0]),
    }
