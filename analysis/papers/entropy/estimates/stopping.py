"""D1: stopping early by the entropy (Truong et al. 2026, section 10).

A run that a rule does not stop by its last evaluation would have gone on: it counts with the step
that the rule names, or with its whole budget, not with the step at which we stopped following it.
Its accuracy there is not known; the last one that was seen stands for it.
"""

import math

import numpy as np
import pandas as pd

from analysis.claims.arms import BASELINE, Arm, Runs, finished
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.laws import LAW, forecasts
from analysis.runs.experiments import NotRun
from analysis.stats import means
from grokpipe.curves import phases
from grokpipe.curves.events import ENTROPY, GROK_SUSTAINED, learned_levels

AFTER = 1_000
"""steps from the crossing of H̃* to the stop"""
STEADY, ROW = 0.05, 5
"""a forecast is stable once it changed by less than this share over so many evaluations, all after
it was switched on as the monitor's is (phases.predicting): of the paper's protocol (Appendix D.1,
steps 3 and 4) no more is known than "activate the predictor" and "when the prediction
stabilises"."""
CROSSING = f"H̃ crossed H̃*, {AFTER:,} steps later"
ACCURACY = "test accuracy 0.99 at 5 evaluations"
MEAN = "at the other seeds' mean T_grok"
STABLE = "the law's forecast is stable: at that step"


def accuracy_lost(runs: Runs) -> Estimate:
    """Final test accuracy less that at the stop, 1,000 steps after H̃ crossed the other seeds' H̃*;
    mean over seeds. A run that never crossed is not stopped, and loses nothing. Raises NotRun."""
    return _mean(runs, "lost")


def budget_saved(runs: Runs) -> Estimate:
    """1 − stop/budget by the same rule, mean over seeds. Raises NotRun."""
    return _mean(runs, "saved")


def stops(runs: Runs) -> pd.DataFrame:
    """A row per rule and finished run: key, rule, stop (the step; the budget where the rule never
    stops), decided (the step at which the rule knows), followed (whether the run was, until the
    stop), lost and saved. Raises NotRun for fewer than three runs that grokked for good."""
    arm = runs.arm(BASELINE)
    found = arm.all_events
    wide = found[found["observed"].astype(bool)].pivot(index="key", columns="event", values="step")
    wide = wide.reindex(columns=["t_grok", "t_grok_sustained", "t_cross"])
    if (good := int(wide["t_grok_sustained"].notna().sum())) < 3:
        raise NotRun(f"{BASELINE}: {good} runs grokked for good; needs 3")
    every = found.drop_duplicates("key").set_index("key")
    stable, curves = _stable(runs, arm), arm.curves()
    gap = (GROK_SUSTAINED - 1) * _gap(arm)  # the last evaluation of the streak is what shows it
    rows = []
    for key, run in every[finished(every)].iterrows():
        curve = curves[str(key)].set_index("step")["test_accuracy"]
        times = wide.reindex([key]).iloc[0]
        mean = wide["t_grok"].drop(index=key, errors="ignore").mean()
        wanted = {
            CROSSING: (times["t_cross"], times["t_cross"] + AFTER),
            ACCURACY: (times["t_grok_sustained"] + gap,) * 2,
            MEAN: (0.0, mean),
            STABLE: stable.get(str(key), (math.nan, math.nan)),
        }
        final = float(curve.iloc[-1])
        for rule, (decided, step) in wanted.items():
            stop = run["budget"] if math.isnan(step) else min(step, run["budget"])
            followed = stop <= curve.index[-1]
            at = float(curve[curve.index <= stop].iloc[-1]) if followed else final
            rows.append(
                {
                    "key": key, "rule": rule, "decided": float(decided), "stop": float(stop),
                    "followed": bool(followed), "lost": final - at,
                    "saved": 1 - float(stop / run["budget"]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _stable(runs: Runs, arm: Arm) -> dict[str, tuple[float, float]]:
    """By key, of the runs whose forecast gets stable: the step at which it is, and the step that it
    names, or that one if it is past."""
    values = arm.at(ENTROPY, "t_grok")
    levels = dict(zip(values.index, learned_levels(values), strict=True))
    curves, found = arm.curves(), {}
    for key, run in forecasts(runs, BASELINE).groupby("key"):
        law, step = run[LAW].to_numpy(float), run["step"].to_numpy(float)
        change = np.full(len(law), math.inf)
        change[ROW:] = np.abs(law[ROW:] - law[:-ROW]) / law[:-ROW]
        on = _predicting(curves[str(key)], levels[str(key)]).reindex(step).to_numpy(bool)
        row = np.arange(len(step)) - np.flatnonzero(on)[0] if on.any() else np.zeros(len(step))
        steady = (change < STEADY) & (row >= ROW)
        if steady.any():
            at = int(steady.argmax())
            found[str(key)] = (float(step[at]), max(float(law[at]), float(step[at])))
    return found


def _predicting(curve: pd.DataFrame, level: float) -> pd.Series:
    """By step, whether the monitor would have switched its forecast on."""
    columns = {"entropy": ENTROPY, "norm": "weight_norm"} | {
        name: name for name in ("step", "train_accuracy", "test_accuracy")
    }
    arrays = {name: curve[column].to_numpy(float) for name, column in columns.items()}
    return pd.Series(phases.predicting(phases.History(**arrays), level), index=curve["step"])


def _gap(arm: Arm) -> float:
    """Steps between two evaluations."""
    return float(np.median(np.diff(np.unique(arm.tables.curves["step"].to_numpy(float)))))


def _mean(runs: Runs, column: str) -> Estimate:
    found = stops(runs)
    found = found[found["rule"] == CROSSING].set_index("key")
    interval = means.mean(found[column].to_numpy(float), runs.generator())
    beyond = int((~found["followed"]).sum())
    note = f"{beyond} of {len(found)} runs were not followed until their stop" if beyond else ""
    tables = runs.arm(BASELINE).tables.only(found.index)
    return Estimate(interval, len(found), tables, note=note)
