"""Compare the times of events of the same cells, trained before and after a change of the code.

    python -m benchmarks.event_times BEFORE AFTER [--event tau1,tau2_half] [--store NAME]

BEFORE and AFTER are folders of run logs. A change that changes rounding only leaves the
distribution of times over seeds as it is: the exact test of Kolmogorov and Smirnov, for each event.
A run without the event has its budget.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import ks_2samp

from analysis.runs import gather
from analysis.times.timescales import events
from benchmarks._common import machine, show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--event", default="tau1,tau2_half,tau_rnc1@0.1")
    parser.add_argument("--store", metavar="NAME", help="keep the result as event_times_NAME.json")
    options = parser.parse_args()
    before, after = (of_folder(folder) for folder in options.folders)
    shared = sorted({*before["key"]} & {*after["key"]})
    result: dict[str, Any] = {"cells": len(shared)}
    for name in options.event.split(","):
        one, two = (times[times["event"] == name].set_index("key") for times in (before, after))
        first, second = one["step"].reindex(shared), two["step"].reindex(shared)
        test = ks_2samp(first, second, method="exact")
        result[name] = {
            "median_before": first.median(),
            "median_after": second.median(),
            "equal": int((first == second).sum()),
            "statistic": round(float(test.statistic), 4),
            "p": round(float(test.pvalue), 4),
        }
    show({**result, "machine": machine()}, f"event_times_{options.store}", bool(options.store))


def of_folder(folder: Path) -> pd.DataFrame:
    """Times of the events of all runs in `folder`: key, event, step."""
    return events(gather.read(folder))


if __name__ == "__main__":
    main()
