"""D1: stopping early by the entropy (Truong et al. 2026, section 10).

A run that a rule does not stop by its last evaluation would have gone on: it counts with the step
that the rule names, or with its whole budget, not with the step at which we stopped following it.
What its accuracy would be there is not known; the last that was seen stands for it.
"""

import math

import numpy as np
import pandas as pd

from analysis.claims.findings import Finding
from analysis.output.formats import number
from analysis.papers.entropy.estimates.calibration import UNFINISHED
from analysis.papers.entropy.estimates.conditions import BASELINE
from analysis.papers.entropy.estimates.forecasts import LAW, long
from analysis.papers.entropy.estimates.thresholds import at_grok
from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.stats import means
from analysis.times.timescales import events
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


def accuracy_lost(experiments: Experiments) -> Finding:
    """Final test accuracy less that at the stop, 1,000 steps after H̃ crossed the other seeds' H̃*;
    mean over seeds. A run that never crossed is not stopped, and loses nothing. Raises NotRun."""
    found = _rule(experiments, CROSSING)
    note = f"the largest loss is {found['lost'].max():.3f}"
    return _mean(experiments, found, "lost", note)


def budget_saved(experiments: Experiments) -> Finding:
    """1 − stop/budget by the same rule, mean over seeds. Raises NotRun."""
    found = _rule(experiments, CROSSING)
    plain = _rule(experiments, ACCURACY)
    note = f"stopping by test accuracy saves {plain['saved'].mean():.1%}"
    return _mean(experiments, found, "saved", note)


def stops(experiments: Experiments) -> pd.DataFrame:
    """A row per rule and run that is finished: key, rule, stop (the step; the budget where the rule
    never stops), decided (the step at which the rule knows), followed (whether the run was, until
    the stop), lost and saved. Raises NotRun for
    fewer than three runs that grokked for good."""
    tables = experiments.tables(BASELINE)
    found = events(tables)
    wide = found[found["observed"].astype(bool)].pivot(index="key", columns="event", values="step")
    wide = wide.reindex(columns=["t_grok", "t_grok_sustained", "t_cross"])
    runs = found.drop_duplicates("key").set_index("key")
    if (good := int(wide["t_grok_sustained"].notna().sum())) < 3:
        raise NotRun(f"{BASELINE}: {good} runs grokked for good; needs 3")
    stable = _stable(experiments)
    gap = (GROK_SUSTAINED - 1) * _gap(tables)  # the last of the row is what shows it
    rows = []
    for key, run in runs[runs["state"] != UNFINISHED].iterrows():
        curve = tables.curves[tables.curves["key"] == key].set_index("step")["test_accuracy"]
        times = wide.reindex([key]).iloc[0]
        mean, last = wide["t_grok"].drop(index=key, errors="ignore").mean(), stable.get(str(key))
        wanted = {
            CROSSING: (times["t_cross"], times["t_cross"] + AFTER),
            ACCURACY: (times["t_grok_sustained"] + gap,) * 2,
            MEAN: (0.0, mean),
            STABLE: last or (math.nan, math.nan),
        }
        final = float(curve.iloc[-1])
        for rule, (decided, step) in wanted.items():
            stop = run["budget"] if math.isnan(step) else min(step, run["budget"])
            followed = stop <= curve.index[-1]
            at = float(curve[curve.index <= stop].iloc[-1]) if followed else final
            rows.append(
                {
                    "key": key, "rule": rule, "decided": float(decided), "stop": float(stop),
                    "followed": bool(followed),
                    "lost": final - at, "saved": 1 - float(stop / run["budget"]),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """Each rule: where it stops, what it costs and saves. Raises NotRun."""
    rows = []
    for rule, of_rule in stops(experiments).groupby("rule", sort=False):
        rows.append(
            {
                "stop": rule,
                "known at step, mean": number(float(of_rule["decided"].mean())),
                "step, mean": number(float(of_rule["stop"].mean())),
                "budget saved": f"{of_rule['saved'].mean():.1%}",
                "accuracy lost, mean": number(float(of_rule["lost"].mean()), 3),
                "largest": number(float(of_rule["lost"].max()), 3),
                "runs": str(len(of_rule)),
                "followed until then": str(int(of_rule["followed"].sum())),
            }
        )
    return {"Early stopping": pd.DataFrame(rows)}


def _rule(experiments: Experiments, rule: str) -> pd.DataFrame:
    found = stops(experiments)
    return found[found["rule"] == rule].set_index("key")


def _stable(experiments: Experiments) -> dict[str, tuple[float, float]]:
    """By key, of the runs whose forecast gets stable: the step at which it is, and the step that it
    names, or that one if it is past."""
    tables, found = experiments.tables(BASELINE), {}
    levels = _levels(tables)
    by_key = dict(iter(tables.curves.groupby("key")))
    for key, run in long(experiments).groupby("key"):
        law, step = run[LAW].to_numpy(float), run["step"].to_numpy(float)
        change = np.full(len(law), math.inf)
        change[ROW:] = np.abs(law[ROW:] - law[:-ROW]) / law[:-ROW]
        on = _predicting(by_key[key], levels[str(key)]).reindex(step).to_numpy(bool)
        row = np.arange(len(step)) - np.flatnonzero(on)[0] if on.any() else np.zeros(len(step))
        steady = (change < STEADY) & (row >= ROW)
        if steady.any():
            at = int(steady.argmax())
            found[str(key)] = (float(step[at]), max(float(law[at]), float(step[at])))
    return found


def _levels(tables: Tables) -> dict[str, float]:
    """By key: H̃* of the other seeds."""
    values = at_grok(tables)
    return dict(zip(values.index, learned_levels(values), strict=True))


def _predicting(curve: pd.DataFrame, level: float) -> pd.Series:
    """By step, whether the monitor would have switched its forecast on."""
    columns = {"entropy": ENTROPY, "norm": "weight_norm"} | {
        name: name for name in ("step", "train_accuracy", "test_accuracy")
    }
    arrays = {name: curve[column].to_numpy(float) for name, column in columns.items()}
    return pd.Series(phases.predicting(phases.History(**arrays), level), index=curve["step"])


def _gap(tables: Tables) -> float:
    """Steps between two evaluations."""
    steps = np.unique(tables.curves["step"].to_numpy(float))
    return float(np.median(np.diff(steps)))


def _mean(experiments: Experiments, found: pd.DataFrame, column: str, note: str) -> Finding:
    behind = experiments.tables(BASELINE).only(found.index)
    interval = means.mean(found[column].to_numpy(float), experiments.generator())
    if beyond := int((~found["followed"]).sum()):
        note += f"; {beyond} of {len(found)} runs were not followed until their stop"
    return Finding(interval, len(found), behind, note=note)
