"""D1: stopping early by the entropy (Truong et al. 2026, section 10)."""

import math

import numpy as np
import pandas as pd

from analysis import means
from analysis.entropy.conditions import BASELINE
from analysis.entropy.experiments import Experiments, NotRun
from analysis.entropy.forecasts import LAW, long
from analysis.findings import Finding
from analysis.gather import Tables
from analysis.intervals import none
from analysis.tables import number
from analysis.timescales import events

AFTER = 1_000
"""steps from the crossing of H̃* to the stop"""
STEADY, ROW = 0.05, 5
"""a forecast is stable once it changed by less than this share over so many evaluations"""
CROSSING = f"H̃ crossed H̃*, {AFTER:,} steps later"
ACCURACY = "test accuracy 0.99 at 5 evaluations"
MEAN = "at the other seeds' mean T_grok"
STABLE = "the law's forecast is stable: at that step"


def accuracy_lost(experiments: Experiments) -> Finding:
    """Final test accuracy less that at the stop, 1,000 steps after H̃ crossed the other seeds' H̃*;
    mean over seeds. A run that never crossed is not stopped, and loses nothing. Raises NotRun."""
    found = _rule(experiments, CROSSING)
    note = f"the largest loss is {found['lost'].max():.3f}"
    return _mean(experiments, found["lost"], note)


def budget_saved(experiments: Experiments) -> Finding:
    """1 − stop/budget by the same rule, mean over seeds. Raises NotRun."""
    found = _rule(experiments, CROSSING)
    plain = _rule(experiments, ACCURACY)
    note = f"stopping by test accuracy saves {plain['saved'].mean():.1%}"
    return _mean(experiments, found["saved"], note)


def stops(experiments: Experiments) -> pd.DataFrame:
    """A row per run that grokked for good and rule: key, rule, stop (step; the end where the rule
    never stops), lost and saved. Raises NotRun."""
    tables = experiments.tables(BASELINE)
    found = events(tables)
    wide = found[found["observed"].astype(bool)].pivot(index="key", columns="event", values="step")
    wide = wide.reindex(columns=["t_grok", "t_grok_sustained", "t_cross"])
    budgets = found.drop_duplicates("key").set_index("key")["budget"]
    grokked = wide.dropna(subset=["t_grok_sustained"])
    if len(grokked) < 3:
        raise NotRun(f"{BASELINE}: {len(grokked)} runs grokked for good; needs 3")
    stable = _stable(experiments)
    gap = 4 * _gap(tables)
    rows = []
    for key, row in grokked.iterrows():
        curve = tables.curves[tables.curves["key"] == key].set_index("step")["test_accuracy"]
        others = grokked["t_grok"].drop(index=key).mean()
        wanted = {
            CROSSING: row["t_cross"] + AFTER,
            ACCURACY: row["t_grok_sustained"] + gap,
            MEAN: others,
            STABLE: stable.get(key, math.nan),
        }
        for rule, step in wanted.items():
            ends = float(curve.index[-1]) if math.isnan(step) else min(step, curve.index[-1])
            at = float(curve[curve.index <= ends].iloc[-1])
            rows.append(
                {
                    "key": key,
                    "rule": rule,
                    "stop": ends,
                    "lost": float(curve.iloc[-1]) - at,
                    "saved": 1 - ends / float(budgets[key]),
                }
            )
    return pd.DataFrame(rows)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Each rule: where it stops, what it costs and saves. Raises NotRun."""
    rows = []
    for rule, of_rule in stops(experiments).groupby("rule", sort=False):
        rows.append(
            {
                "stop": rule,
                "step, mean": number(float(of_rule["stop"].mean())),
                "budget saved": f"{of_rule['saved'].mean():.1%}",
                "accuracy lost, mean": number(float(of_rule["lost"].mean()), 3),
                "largest": number(float(of_rule["lost"].max()), 3),
                "runs": str(len(of_rule)),
            }
        )
    return {"Early stopping": pd.DataFrame(rows)}


def _rule(experiments: Experiments, rule: str) -> pd.DataFrame:
    found = stops(experiments)
    return found[found["rule"] == rule].set_index("key")


def _stable(experiments: Experiments) -> dict[str, float]:
    """By key, the first step that a stable forecast names and that is not past; NaN without one."""
    found = {}
    for key, run in long(experiments).groupby("key"):
        law, step = run[LAW].to_numpy(float), run["step"].to_numpy(float)
        change = np.full(len(law), math.inf)
        change[ROW:] = np.abs(law[ROW:] - law[:-ROW]) / law[:-ROW]
        steady = change < STEADY
        found[str(key)] = (
            max(float(law[steady][0]), float(step[steady][0])) if steady.any() else math.nan
        )
    return found


def _gap(tables: Tables) -> float:
    """Steps between two evaluations."""
    steps = np.unique(tables.curves["step"].to_numpy(float))
    return float(np.median(np.diff(steps)))


def _mean(experiments: Experiments, values: pd.Series, note: str) -> Finding:
    behind = experiments.tables(BASELINE).only(values.index)
    interval = means.mean(values.to_numpy(float), experiments.generator())
    if interval.method == "none: no spread":  # every run the same: exactly that, as far as seen
        interval = none(interval.estimate, "no spread")
    return Finding(interval, len(values), behind, note=note)
