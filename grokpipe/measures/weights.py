"""Norms of the parameters, and how far neighbouring layers are from balance."""

import math
from collections.abc import Mapping
from itertools import count, pairwise, takewhile

import torch
from torch import Tensor

from grokpipe.measures import Snapshot

NAN = float("nan")
DEPTH = 9  # hidden layers, more than any network here has
ADDED = {f"balance/{pair}": "0.2" for pair in range(1, DEPTH + 1)}


def balance(above: Tensor, below: Tensor) -> float:
    """Imbalance of two layers: ‖AᵀA − BBᵀ‖_F / √(‖AᵀA‖_F² + ‖BBᵀ‖_F²), in [0, 1].

    `above` (k, d) and `below` (d, m) are the weights A and B of neighbouring linear layers. 0 for
    balanced layers (Arora, Cohen & Hazan 2018), to which weight decay brings linear ones; 1 for
    products that are orthogonal, as where one of them is 0. NaN if both are.
    """
    upper, lower = above.T @ above, below @ below.T
    size = math.hypot(upper.norm().item(), lower.norm().item())
    return (upper - lower).norm().item() / size if size > 0 else NAN


def dense_layers(parameters: Mapping[str, Tensor]) -> list[Tensor]:
    """Weights of the layers hidden.0, hidden.1, … and head, from the input upwards."""
    names = takewhile(parameters.__contains__, (f"hidden.{n}.weight" for n in count()))
    return [parameters[name] for name in [*names, "head.weight"]]


def depth(parameters: Mapping[str, Tensor]) -> int:
    """Number of fully connected hidden layers."""
    return len(dense_layers(parameters)) - 1


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute norms, and the balance of each pair of fully connected layers.

    `weight_norm` is ‖θ‖₂ over all parameters, `weight_norm_sum` the sum of the tensors' norms,
    which Sakamoto & Sato's released code logs, `head_norm` ‖W‖_F of the last layer's weights.
    `balance/1` is the balance of the head and the layer below it, `balance/2` of that one and the
    next, and so on down.
    """
    norms = torch.stack([p.norm() for p in snapshot.parameters.values()])
    layers = dense_layers(snapshot.parameters)[::-1]
    pairs = pairwise(layers)
    return {
        "weight_norm": norms.norm().item(),
        "weight_norm_sum": norms.sum().item(),
        "head_norm": snapshot.head.norm().item(),
        **{f"balance/{n}": balance(*pair) for n, pair in enumerate(pairs, start=1)},
    }
