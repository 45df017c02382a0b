"""Made-up times of one event in several arms."""

import math

import pandas as pd

BUDGET = 400.0


def events(of_arm: dict[object, list[float | None]], name="t_grok", by="arm") -> pd.DataFrame:
    """Times by arm, seeds counted from 0; None: not by the budget."""
    rows = [
        {
            "key": f"{arm}{seed}", "event": name, "step": BUDGET if time is None else time,
            "observed": time is not None, "lower": BUDGET if time is None else time - 10,
            "upper": math.inf if time is None else time, "budget": BUDGET, "seed": seed, by: arm,
            "state": "done",
        }
        for arm, times in of_arm.items()
        for seed, time in enumerate(times)
    ]  # fmt: skip
    return pd.DataFrame(rows)
