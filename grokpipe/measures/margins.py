"""Signed distances of samples from the boundary between two classes (Sakamoto & Sato 2026, Figures
2, 5 and 8): (⟨w_a − w_b, g⟩ + b_a − b_b)/‖w_a − w_b‖, positive on the side of class a.

Their distribution over the samples of either class is kept as quantiles, from which split violins
are drawn, with mean and standard deviation.
"""

import torch
from torch import Tensor

from grokpipe.measures import Outputs, Snapshot

PAIRS = ((0, 1), (4, 5), (8, 9))
"""classes a and b; a task with fewer classes has those pairs that exist"""
LADDER = (0, 1, 2.5, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 97.5, 99, 100)
"""quantiles, in percent"""
NAMES = (*(f"q{percent:g}" for percent in LADDER), "mean", "sd")


def signed_distances(features: Tensor, head: Tensor, bias: Tensor, pair: tuple[int, int]) -> Tensor:
    """Compute the signed distance of each sample from the boundary of two classes, (n,) float64.

    NaN where both classes have the same weights, between which there is no boundary.

    Args:
        features: g, (n, d).
        head: w, (C, d) float64.
        bias: b, (C,) float64.
        pair: classes a and b.
    """
    a, b = pair
    normal = head[a] - head[b]
    return (features.double() @ normal + bias[a] - bias[b]) / normal.norm()


def distribution(values: Tensor) -> list[float]:
    """Quantiles of LADDER (between order statistics, linear), mean, and standard deviation of
    `values` (n,); all NaN for no values and for values that are not finite."""
    if len(values) == 0 or not values.isfinite().all():
        return [torch.nan] * len(NAMES)
    levels = torch.tensor(LADDER, dtype=torch.float64) / 100
    spread = values.std(correction=0)
    return [*values.quantile(levels).tolist(), values.mean().item(), spread.item()]


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute `margins/<a>_<b>/<set>/<class>/<quantile, mean or sd>` for the samples of each class
    of each pair, on the training and the test set."""
    row: dict[str, float] = {}
    for pair in PAIRS:
        if max(pair) < snapshot.classes:
            for name, outputs in (("train", snapshot.train), ("test", snapshot.test)):
                for label in pair:
                    values = distribution(_of_class(snapshot, outputs, pair, label))
                    place = f"margins/{pair[0]}_{pair[1]}/{name}/{label}"
                    row |= {f"{place}/{n}": v for n, v in zip(NAMES, values, strict=True)}
    return row


def _of_class(snapshot: Snapshot, outputs: Outputs, pair: tuple[int, int], label: int) -> Tensor:
    own = outputs.features[outputs.labels == label]
    return signed_distances(own, snapshot.head, snapshot.bias, pair)
