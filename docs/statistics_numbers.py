"""The tables in docs/statistics.md, from stored files."""

import math

import numpy as np
import pandas as pd

from analysis.commands.synchrony import readable as readable_synchrony
from analysis.forecasting import law_intervals
from analysis.forecasting import synchrony as synchronies
from analysis.forecasting.forecasts import readable_errors
from analysis.output.formats import interval, number, p_value
from analysis.output.tables import table_text
from analysis.runs import gather
from analysis.stats import effects, means, restricted, survival
from analysis.times import power_law
from analysis.times.order import counts, orders
from analysis.times.timescales import MEASURES, events
from benchmarks.coverage import FILE
from docs.reference import COLLAPSE, ENTROPY, ENTROPY_PAPER
from grokpipe.curves.conditions import HalfChange

EVENTS = (
    "tau1 tau2_rise tau2_half tau2_arrive tau_rnc1@0.2 tau_rnc1@0.1 tau_rnc1@0.05 tau_rnc1@0.01"
).split()
READ_AS = {"tau1": "0"}
TURNING = (
    ("weight decay, MNIST", COLLAPSE, "collapse/rnc1"),
    ("weight decay, MNIST", COLLAPSE, "spectral/entropy_train"),
    ("sums modulo 97", ENTROPY_PAPER / "e1_baseline", "collapse/rnc1"),
    ("sums modulo 97", ENTROPY_PAPER / "e1_baseline", "spectral/entropy_train"),
)
PREDICTORS = ("entropy gap", "norm", "norm gap", "training loss gap (log)", "random")
DEFAULTS = {
    "mean": means.DEFAULT_FEW,
    "median": survival.DEFAULT,
    "restricted mean": restricted.DEFAULT,
    "difference of restricted means": restricted.DEFAULT,
    "difference of medians": survival.DIFFERENCE,
    "Cliff's delta": effects.CLIFF_DELTA_FEW,
    "Cohen's d": effects.COHEN_D_FEW,
    "exponent": power_law.DEFAULT_FEW,
    "proportion": "Clopper–Pearson",
    "γ of a gap law": law_intervals.DEFAULT_FEW,
    "R² of a gap law": law_intervals.DEFAULT_FEW,
    "R² out of sample": law_intervals.DEFAULT_FEW,
    "median lag": "order statistics",
    "median rank correlation": synchronies.CORRELATION,
}
"""the methods below FEW runs"""


def exponent_table() -> pd.DataFrame:
    """`power_law.exponents` of EVENTS on the weight-decay grid."""
    long = events(gather.read(COLLAPSE, MEASURES))
    return power_law.exponents(long, EVENTS, ["weight_decay"], np.random.default_rng(0))


def exponents() -> str:
    """k of every event beside the theorem's, as it is read."""
    table = exponent_table()
    shown = pd.DataFrame(
        {
            "event": table["event"],
            "observed": [f"{k}/{n}" for k, n in zip(table["observed"], table["n"], strict=True)],
            "theorem, as read": [READ_AS.get(event, "1") for event in table["event"]],
            "k [95 %]": [
                f"{number(row.k, 2)} {interval(row.lower, row.upper, 2)}"
                for row in table.itertuples()
            ],
            "R²": table["r2"].map(lambda value: number(value, 2)),
            "lack of fit, p": table["lack_of_fit"].map(p_value),
            "AIC: exponential": table["delta_aic_exponential"].map(lambda v: number(v, 1, "+")),
            "logarithmic": table["delta_aic_logarithmic"].map(lambda v: number(v, 1, "+")),
        }
    )
    return table_text(shown, "github")


def forecast() -> str:
    """Errors beside the trivial forecasts, and the laws of some predictors."""
    errors = readable_errors(pd.read_csv(ENTROPY / "tables" / "forecast_errors_t_grok.csv"))
    errors = errors.rename(columns={"optimizer.betas": "betas"})
    laws = pd.read_csv(ENTROPY / "tables" / "forecast_laws_t_grok.csv")
    laws = laws[laws["predictor"].isin(PREDICTORS)]
    shown = laws[["optimizer.betas", "predictor", "law"]].copy()
    for name, title in (("r_squared", "R²"), ("r_squared_out", "R² out of sample"), ("gamma", "γ")):
        columns = (laws[name], laws[f"{name}_lower"], laws[f"{name}_upper"])
        shown[f"{title} [95 %]"] = [
            f"{number(value, 2)} {interval(lower, upper, 2)}".rstrip()
            for value, lower, upper in zip(*columns, strict=True)
        ]
    shown["curvature"] = laws["curvature"]
    shown = shown.rename(columns={"optimizer.betas": "betas"})
    return table_text(errors, "github") + "\n\n" + table_text(shown, "github")


def half_changes() -> str:
    """Half-changes from the plateau and from the first value: medians over the runs that had them,
    and the order with that of test accuracy."""
    rows = []
    for title, folder, column in TURNING:
        read = gather.read(folder, ["train_accuracy", "test_accuracy", column])
        for level, from_first in (("plateau", False), ("first value", True)):
            half = str(HalfChange(column, from_first))
            long = events(read, [half])
            own, accuracy = (long[long["event"] == name] for name in (half, "tau2_half"))
            counted = counts(orders(own, accuracy))
            seen = own.loc[own["observed"], "step"]
            row: dict[str, object] = {"runs": title, "column": column, "half-way from the": level}
            row |= {"seen": f"{len(seen)}/{len(own)}", "median step": number(seen.median())}
            row |= {f"{which} test accuracy": counted[which] for which in ("before", "after")}
            rows.append(row)
    return table_text(pd.DataFrame(rows), "github")


def synchrony() -> str:
    """From test accuracy to RNC1, by weight decay."""
    read = gather.read(COLLAPSE, ["train_accuracy", "test_accuracy", "collapse/rnc1", "train_loss"])
    by = ["weight_decay"]
    found = synchronies.summary(
        read, "test_accuracy", "collapse/rnc1", None, by, np.random.default_rng(0)
    )
    return table_text(readable_synchrony(found, by), "github")


def coverage() -> str:
    """The range of coverage over the scenarios, by statistic and method; defaults in bold."""
    stored = pd.read_csv(FILE)
    span = stored.groupby(["statistic", "method", "n"])["coverage"].agg(["min", "max"])
    rows = []
    for (statistic, method), of_method in span.groupby(level=[0, 1]):
        by_n = of_method.droplevel([0, 1])
        name = f"**{method}**" if DEFAULTS[statistic] == method else method
        row = {"of": statistic, "method": name}
        for n, ends in by_n.iterrows():
            low, high = f"{ends['min']:.3f}", f"{ends['max']:.3f}"
            row[f"n = {n}"] = low if low == high else f"{low} – {high}"
        rows.append(row)
    return table_text(pd.DataFrame(rows), "github")


def best(statistic: str) -> str:
    """The method whose worst coverage below 20 runs is nearest to 95 %."""
    stored = pd.read_csv(FILE)
    few = stored[(stored["statistic"] == statistic) & (stored["n"] < 20)]
    worst = (few["coverage"] - 0.95).abs().groupby(few["method"]).max()
    if not len(worst) or math.isnan(worst.min()):
        raise ValueError(f"{FILE}: no coverage of {statistic}")
    return str(worst.idxmin())


BLOCKS = {
    "half_changes": half_changes,
    "exponents": exponents,
    "forecast": forecast,
    "synchrony": synchrony,
    "coverage": coverage,
}
