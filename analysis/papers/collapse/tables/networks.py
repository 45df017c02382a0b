"""Which networks grok (Sakamoto & Sato 2026, Figures 3 and 6 to 14): how much later than training
accuracy test accuracy changes, and where RNC1 goes."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.papers.collapse.estimates.curves import log_delay, log_lag_of_rnc1
from analysis.papers.collapse.tables._rows import arms, factor, last, mean, of_runs
from analysis.runs.experiments import NotRun

ARMS = (
    "decays", "longer", "released", "fashion", "fashion_3000", "cnn", "image_transformer",
    "sentences", "resnet",
)  # fmt: skip


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per network and decay, of finished runs. Raises NotRun without any."""
    rows = []
    for label, decay, arm in arms(runs, ARMS):
        accuracy = last(arm, "test_accuracy")
        if accuracy.empty:
            continue
        n = len(accuracy)
        rows.append(
            {"runs of": label, "λ": decay, "runs": str(n),
             "training accuracy": mean(last(arm, "train_accuracy"), runs),
             "test accuracy": mean(accuracy, runs),
             "its half-change over training accuracy's": factor(of_runs(arm, log_delay), runs, n),
             "RNC1's half-change over test accuracy's":
                 factor(of_runs(arm, log_lag_of_rnc1), runs, n),
             "RNC1 at the end": mean(last(arm, "collapse/rnc1"), runs),
             "on the test set": mean(last(arm, "collapse/rnc1_test"), runs),
             "NC2 at the end": mean(last(arm, "collapse/nc2_cond"), runs, 2)}
        )  # fmt: skip
    if not rows:
        raise NotRun(f"{', '.join(ARMS)}: no run is finished yet")
    return {"Networks: delays and collapse at the end of training": pd.DataFrame(rows)}
