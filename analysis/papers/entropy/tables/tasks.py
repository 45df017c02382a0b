"""E6: other tasks modulo 97, and composition in S5 (Truong et al. 2026, section 9, Table 3)."""

from collections.abc import Iterator
from contextlib import suppress

import pandas as pd

from analysis.claims.arms import Arm, Runs
from analysis.claims.estimators.times import leads
from analysis.output.formats import estimated, number
from analysis.papers.entropy.estimates.tasks import MODULAR, by_seed, differences
from analysis.runs.experiments import NotRun
from analysis.stats import means
from analysis.times.mean_times import mean_time
from grokpipe.curves.events import ENTROPY


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """Table 3, and the differences between the tasks' thresholds. Raises NotRun without any run of
    the other tasks."""
    fine, coarse = list(_arms(runs)), _arms(runs.every(200))
    if not fine:
        raise NotRun(f"{', '.join(MODULAR[1:])}, s5_by_fraction: not run")
    rows = [_row(arm, thinned, runs) for arm, thinned in zip(fine, coarse, strict=True)]
    shown = {"Table 3: other tasks": pd.DataFrame(rows)}
    thresholds = {arm.label: by_seed(arm) for arm in fine if arm.name in MODULAR}
    if thresholds:
        apart = [
            {"tasks": f"{one} less {other}",
             "difference of H̃*, same seeds [95 %]": estimated(pair, 3, "+")}
            for (one, other), pair in differences(thresholds, runs.generator()).items()
        ]  # fmt: skip
        shown["Table 3: differences of the thresholds"] = pd.DataFrame(apart)
    return shown


def _arms(runs: Runs) -> Iterator[Arm]:
    """The tasks modulo 97, if one beside addition was run, and S5 by fraction."""
    with suppress(NotRun):
        runs.there(MODULAR[1:])  # addition alone is the baseline
        yield from runs.there(MODULAR).values()
    with suppress(NotRun):
        yield from runs.divided("s5_by_fraction").values()


def _row(arm: Arm, coarse: Arm, runs: Runs) -> dict[str, str]:
    grok, generator = arm.whole("t_grok"), runs.generator()
    time, note = mean_time(grok, generator)
    values = arm.at(ENTROPY, "t_grok").dropna().to_numpy()
    to = f" to {number(grok.budgets.min())}" if note else ""
    fraction = arm.tables.cells["task.fraction"].iloc[0]
    return {
        "task": arm.label if arm.name in MODULAR else f"{arm.label}, {fraction:g} of the pairs",
        "grokked": f"{grok.times.observed.sum()}/{len(grok.runs)}",
        "mean T_grok [95 %]": estimated(time) + to,
        "H̃* [95 %]": estimated(means.mean(values, generator), 3) if len(values) else "–",
        "T_collapse < T_grok": _collapses_before(arm),
        "the same every 200 steps": _collapses_before(coarse),
    }


def _collapses_before(arm: Arm) -> str:
    """In how many of the runs that grok the rolling window fires before."""
    try:
        lead = leads(arm, "t_collapse")["lead"]
    except NotRun:
        return "0/0"
    return f"{(lead > 0).sum()}/{len(lead)}"
