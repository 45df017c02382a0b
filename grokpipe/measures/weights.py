"""Norms of the parameters."""

import torch

from grokpipe.measures import Snapshot


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute the norms.

    `weight_norm` is ‖θ‖₂ over all parameters, `weight_norm_sum` the sum of the tensors' norms,
    which Sakamoto & Sato's released code logs, `head_norm` ‖W‖_F of the last layer's weights.
    """
    norms = torch.stack([p.norm() for p in snapshot.parameters.values()])
    return {
        "weight_norm": norms.norm().item(),
        "weight_norm_sum": norms.sum().item(),
        "head_norm": snapshot.head.norm().item(),
    }
