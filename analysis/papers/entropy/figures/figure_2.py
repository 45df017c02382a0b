"""Figure 2 (ours): how long before grokking the entropy crosses H̃*, and falls."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from analysis.claims.arms import BASELINE, Runs
from analysis.claims.estimators.times import leads
from analysis.figures import run_lines

TITLE = (
    "Lead times before grokking, seed by seed: H̃ at or below the other seeds' H̃* (T_cross), the"
    " first fall of H̃ by 0.05 over 5 evaluations (T_collapse), and the last such fall. Left of"
    " zero: after grokking; a hollow arrow: not until there, where the run ended. Dotted: the"
    " published mean of 1,020 steps."
)
OURS = True
LAST = "t_collapse_last"
SHOWN = {
    "t_cross": ("T_cross", "o"), "t_collapse": ("T_collapse", "s"), LAST: ("last T_collapse", "^")
}  # fmt: skip
PUBLISHED = 1_020
TICKS = [-100_000, -10_000, -1_000, -500, 0, 500, 1_000, 10_000, 100_000]


def draw(runs: Runs) -> Figure:
    """Raises NotRun."""
    arm = runs.arm(BASELINE)
    found = {event: leads(arm, event) for event in SHOWN}
    first, last = found[LAST], arm.tables.curves.groupby("key")["step"].max()
    figure, axis = plt.subplots(figsize=(6.6, 1.3 + 0.18 * len(first)), layout="constrained")
    row, shown = np.arange(len(first))[::-1], []
    for (event, (label, mark)), colour, shift in zip(
        SHOWN.items(), run_lines.palette(len(SHOWN)), (0.2, 0.0, -0.2), strict=True
    ):
        lead = found[event]["lead"]
        shown.append(lead)
        axis.plot(lead, row + shift, mark, color=colour, markersize=4, label=label)
        if event != LAST:  # that one is not seen where no fall precedes grokking
            most = (first["step"] - last.reindex(first.index))[lead.isna()]
            shown.append(most)
            axis.plot(most, (row + shift)[lead.isna()], "<", color=colour, markersize=5,
                      markerfacecolor="none")  # fmt: skip
    axis.axvline(0, color="black", linewidth=0.9)
    axis.axvline(PUBLISHED, color="0.5", linewidth=0.9, linestyle=":")
    axis.set_xscale("symlog", linthresh=1_000)
    reach = 1.4 * max(float(pd.concat(shown).abs().max()), PUBLISHED)
    ticks = [tick for tick in TICKS if abs(tick) < reach]
    axis.set_xticks(ticks, [f"{tick:,}".replace("-", "−") for tick in ticks])
    axis.minorticks_off()
    axis.set_xlim(-reach, reach)
    axis.set_yticks(row, [f"seed {seed}" for seed in first["seed"]])
    axis.set_xlabel("steps before grokking (linear up to 1,000)")
    run_lines.grid(axis)
    axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=3)
    sns.despine(figure)
    return figure
