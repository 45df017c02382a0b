"""Split violins of signed distances between two classes, from their quantiles (measure
`margins`)."""

import re
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import run_lines
from analysis.runs.experiments import NotRun

SETS = {"train": "training set", "test": "test set"}
POINTS = 200  # values of a run that stand for its quantiles
WIDTH, ROW = 6.6, 2.3  # inches

Pair = tuple[int, int]


def draw(curves: pd.DataFrame, pairs: Sequence[Pair], targets: Sequence[float]) -> Figure:
    """Draw a row of panels for each pair of classes, one for each of the steps: training set to the
    left of each violin, test set to its right, all runs together, dashes at the quartiles.

    A panel shows the evaluation that all runs have and that is nearest to the step, and says which
    it is, with the mean test accuracy of the runs. Raises NotRun where distances are not known.
    """
    steps = [nearest(curves, pairs[0], target) for target in targets]
    figure, axes = plt.subplots(
        len(pairs), len(steps), figsize=(WIDTH, ROW * len(pairs) + 0.4), squeeze=False,
        sharey="row", layout="constrained",
    )  # fmt: skip
    for row, pair in zip(axes, pairs, strict=True):
        for axis, step in zip(row, steps, strict=True):
            _panel(axis, curves[curves["step"] == step], pair)
        row[0].set_ylabel("signed distance of a sample\nfrom the boundary")
    for axis, step in zip(axes[0], steps, strict=True):
        accuracy = curves.loc[curves["step"] == step, "test_accuracy"].mean()
        axis.set_title(f"step {step:,.0f}, test accuracy {100 * accuracy:.0f} %", loc="left")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2,
                  frameon=False)  # fmt: skip
    for axis in axes.flat:
        axis.get_legend().remove()
    sns.despine(figure)
    return figure


def nearest(curves: pd.DataFrame, pair: Pair, target: float) -> float:
    """The step at which the distances of all runs are known that is nearest to `target`, in
    logarithms. Raises NotRun if there is none."""
    column = f"{_place(pair, 'test', pair[0])}/q50"
    known = curves[curves[column].notna()] if column in curves else curves.iloc[:0]
    runs = known.groupby("step")["key"].nunique()
    steps = runs[(runs == curves["key"].nunique()) & (runs.index > 0)].index.to_numpy(dtype=float)
    if not len(steps):
        raise NotRun(f"{column}: not measured (measures.names=[…,margins], or remeasured)")
    return float(steps[np.abs(np.log(steps / target)).argmin()])


def values(quantiles: Mapping[float, float], points: int = POINTS) -> NDArray[np.float64]:
    """So many values with these quantiles, by percent: the inverse of their distribution function,
    linear in between, at equal probabilities."""
    percents = np.array(sorted(quantiles))
    at = 100 * (np.arange(points) + 0.5) / points
    return np.interp(at, percents, [quantiles[percent] for percent in percents])


def _panel(axis: Axes, rows: pd.DataFrame, pair: Pair) -> None:
    parts = []
    for label in pair:
        for name, of_set in SETS.items():
            place = re.compile(rf"{re.escape(_place(pair, name, label))}/q([\d.]+)")
            columns = {float(m[1]): m[0] for c in rows if (m := place.fullmatch(str(c)))}
            for row in rows.dropna(subset=list(columns.values())).to_dict("records"):
                distances = values({percent: row[c] for percent, c in columns.items()})
                parts.append(
                    pd.DataFrame({"class": f"class {label}", "set": of_set, "distance": distances})
                )
    axis.axhline(0, color="0.5", linewidth=0.8, zorder=0)
    sns.violinplot(
        pd.concat(parts, ignore_index=True), x="class", y="distance", hue="set", split=True,
        inner="quart", cut=0, density_norm="width", gap=0.06, linewidth=0.7, bw_adjust=0.6,
        palette=dict(zip(SETS.values(), run_lines.palette(4)[1::2], strict=True)), ax=axis,
    )  # fmt: skip
    axis.set(xlabel="", ylabel="")
    axis.grid(axis="y", alpha=0.3, linewidth=0.5)


def _place(pair: Pair, of_set: str, label: int) -> str:
    return f"margins/{pair[0]}_{pair[1]}/{of_set}/{label}"
