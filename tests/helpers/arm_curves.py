"""Made curves of arms that two columns tell apart, for figures over the steps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

STEPS = (0, 1, 10, 100, 1000)


def arm_curves(
    decays: Sequence[object] = (0.3, 0.1),
    rates: Sequence[object] = (0.003,),
    seeds: int = 3,
    steps: Sequence[int] = STEPS,
) -> pd.DataFrame:
    """A row per run and step, sorted by key and step: noise in every column, accuracies in [0, 1],
    the others positive; the columns weight_decay and lr."""
    frames = []
    for i, decay in enumerate(decays):
        for j, rate in enumerate(rates):
            for seed in range(seeds):
                draws = np.random.default_rng([i, j, seed])
                frames.append(
                    pd.DataFrame(
                        {
                            "key": f"{i:03d}-{j:03d}-{seed}",
                            "step": steps,
                            "train_accuracy": draws.random(len(steps)),
                            "test_accuracy": draws.random(len(steps)),
                            "collapse/rnc1": np.exp(draws.normal(size=len(steps))),
                            "my/measure": 1 + draws.random(len(steps)),
                            "seed": seed,
                            "weight_decay": decay,
                            "lr": rate,
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True)
