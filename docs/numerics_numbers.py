"""The tables and the figure of docs/numerics.md, from stored runs without weight decay.

python -m docs.numerics_numbers    # draws the figure
"""

import math
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures import run_lines, style
from analysis.output import formats
from analysis.output.tables import table_text
from analysis.runs.tables import Tables, read_gathered
from analysis.stats import means
from docs.reference import ROOT, ZERO_LOSS

COLLAPSED, GENERAL = 0.5, 0.99
"""share of zero gradients from which a run counts as collapsed; test accuracy that generalises"""
STILL_ACCURACY, STILL_NORM = 0.01, 0.01
"""changes, absolute and relative, below which learning has stopped"""
LOSSES = {"cross_entropy": "softmax", "stablemax": "stablemax"}
PANELS = {
    "logits/zero_gradient": "share of zero gradients",
    "test_accuracy": "test accuracy",
    "weight_norm": "‖θ‖",
}
PAIRS = {
    "N3": ("float64 less float32, softmax", ("softmax", "float64"), ("softmax", "float32")),
    "N4": ("stablemax less softmax, float32", ("stablemax", "float32"), ("softmax", "float32")),
    "N5": ("float64 less float32, stablemax", ("stablemax", "float64"), ("stablemax", "float32")),
}
"""differences between two arms with paired seeds"""

Arm = tuple[str, str]
"""loss and precision"""


def arms(stored: Tables) -> Iterator[tuple[Arm, pd.DataFrame]]:
    """Yield each arm with its curves, a row for each evaluation of each seed."""
    for loss, name in LOSSES.items():
        for dtype in ("float32", "float64"):
            chosen = (stored.curves["loss"] == loss) & (stored.curves["dtype"] == dtype)
            yield (name, dtype), stored.curves[chosen]


def summary(curve: pd.DataFrame) -> dict[str, float]:
    """Numbers of one run: step of its collapse (NaN if none), and what changes from there to the
    end; final test accuracy, loss and share of zero gradients."""
    curve = curve.sort_values("step")
    last, zero = curve.iloc[-1], curve["logits/zero_gradient"]
    collapsed = curve[zero >= COLLAPSED].head(1)
    at = collapsed.iloc[0] if len(collapsed) else None
    nothing = math.nan
    return {
        "collapse": nothing if at is None else at["step"],
        "largest": zero.max(),
        "final": zero.iloc[-1],
        "train_loss": last["train_loss"],
        "test_accuracy": last["test_accuracy"],
        "best": curve["test_accuracy"].max(),
        "accuracy_after": nothing if at is None else last["test_accuracy"] - at["test_accuracy"],
        "norm_after": nothing if at is None else last["weight_norm"] / at["weight_norm"] - 1,
    }


def summaries() -> dict[Arm, pd.DataFrame]:
    """A table for each arm, a row of `summary` for each seed."""
    return {
        arm: pd.DataFrame({seed: summary(curve) for seed, curve in curves.groupby("seed")}).T
        for arm, curves in arms(read_gathered(ZERO_LOSS))
    }


def of_all(count: int, total: int) -> str:
    """Answer "yes", "no" or the share of runs."""
    return {total: "yes", 0: "no"}.get(count, "some") + f" ({count}/{total})"


def results() -> str:
    """One row for each arm: medians over its seeds."""
    rows = []
    for (loss, dtype), runs in summaries().items():
        collapsed = runs["collapse"].dropna()
        rows.append(
            {
                "loss": loss,
                "dtype": dtype,
                "collapses (N1)": of_all(len(collapsed), len(runs)),
                "median step": formats.number(collapsed.median()) if len(collapsed) else "–",
                "zero gradients: largest": formats.number(runs["largest"].median(), 2),
                "at the end": formats.number(runs["final"].median(), 2),
                "training loss": f"{runs['train_loss'].median():.1e}",
                "test accuracy": formats.number(runs["test_accuracy"].median(), 3),
                "generalises (N6)": of_all(int((runs["best"] >= GENERAL).sum()), len(runs)),
            }
        )
    return table_text(pd.DataFrame(rows), "github")


def stops(runs: pd.DataFrame) -> str:
    """Answer N2 from the collapsed runs of an arm; "–" if there are none."""
    if runs.empty:
        return "–"
    moved = (runs["accuracy_after"].abs() >= STILL_ACCURACY) | (
        runs["norm_after"].abs() >= STILL_NORM
    )
    return "goes on" if moved.all() else "mixed" if moved.any() else "stops"


def span(values: pd.Series, digits: int, percent: bool = False) -> str:
    """Smallest and largest value with their signs."""
    scale, unit = (100, " %") if percent else (1, "")
    ends = (formats.number(scale * end, digits, "+") for end in (values.min(), values.max()))
    return " to ".join(ends) + unit


def helps(low: float, high: float) -> str:
    """Answer from the interval of a difference in test accuracy."""
    return "helps" if low > 0 else "hurts" if high < 0 else "undecided"


def answers() -> str:
    """N2 to N5 by their rules."""
    found = summaries()
    collapsed = found["softmax", "float32"].dropna(subset=["collapse"])
    changes = (
        span(collapsed["norm_after"], 1, percent=True),
        span(collapsed["accuracy_after"], 3),
    )
    rows = [
        {
            "": "N2",
            "quantity": "‖θ‖ and test accuracy from the collapse to the end, float32 softmax",
            "value": "; ".join(changes),
            "answer": stops(collapsed),
        }
    ]
    for name, (title, first, second) in PAIRS.items():
        apart = found[first]["test_accuracy"] - found[second]["test_accuracy"]
        interval = means.mean(apart.to_numpy(), np.random.default_rng(0), "t")
        rows.append(
            {
                "": name,
                "quantity": f"final test accuracy, {title}",
                "value": formats.number(interval.estimate, 3, "+")
                + " "
                + formats.interval(interval.lower, interval.upper, 3),
                "answer": helps(interval.lower, interval.upper),
            }
        )
    return table_text(pd.DataFrame(rows), "github")


def draw(stored: Tables) -> Figure:
    """Zero gradients, test accuracy and ‖θ‖ over the steps: a line for each run, by arm."""
    figure, axes = plt.subplots(1, len(PANELS), figsize=(9, 2.8), layout="constrained")
    colours = run_lines.palette(len(LOSSES) * 2)
    for colour, ((loss, dtype), curves) in zip(colours, arms(stored), strict=True):
        dash = "-" if dtype == "float32" else "--"
        for axis, column in zip(axes, PANELS, strict=True):
            run_lines.runs(axis, curves, column, colour, dash)
        axes[0].plot([], [], dash, color=colour, label=f"{loss}, {dtype}")
    for axis, (column, title) in zip(axes, PANELS.items(), strict=True):
        axis.set_title(title)
        axis.set_xlabel("step")
        if column == "weight_norm":
            axis.set_yscale("log")
        run_lines.steps(axis, 4)
    figure.legend(loc="outside lower center", ncols=4)
    return figure


BLOCKS = {"results": results, "answers": answers}

if __name__ == "__main__":
    style.prepare()
    folder = ZERO_LOSS.relative_to(ROOT)  # lineage names no path of this machine
    stored = read_gathered(folder)
    style.save(stored, folder / "figures", "zero_loss", draw(stored))
