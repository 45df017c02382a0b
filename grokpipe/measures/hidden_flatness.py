"""Relative flatness of the hidden fully connected layers (Han et al. 2025, Definition 3.2).

κ of a layer with inputs φ and weights W is E[‖φ‖² Tr ∇²_φ ℓ], with ℓ a sample's loss as a function
of φ through Wφ: the Hessian in W is that in Wφ times φφᵀ. The trace is estimated by vᵀ∇²_φ ℓ v with
one vector v of random signs a sample, which is exact on average (Hutchinson 1990). A second
derivative along a line costs a double backward pass: the measure is meant for few evaluations of a
run (`measures.sparse`), or for its snapshots.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call

from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import PART, Snapshot
from grokpipe.measures.weights import depth

COLUMN = "flatness/kappa_hidden"
NAN = float("nan")
SEED = 0  # of the signs, fixed so that the measure stays a function

Signs = Callable[[Tensor], Tensor]
"""inputs of a layer (n, d) → signs ±1 (n, d)"""


def kappas(
    network: nn.Module,
    tensors: Mapping[str, Tensor],
    inputs: Tensor,
    losses: Callable[[Tensor], Tensor],
    signs: Signs,
) -> list[Tensor]:
    """‖φ‖² vᵀ∇²_φ ℓ v of each sample, (n,), for each hidden layer that is called once on rows, the
    one below the head first.

    Args:
        network: returns logits and features; its last layer is `head`.
        tensors: parameters and buffers by name, in place of the network's own.
        inputs: (n, …).
        losses: logits → loss of each sample, (n,).
        signs: draws v.
    """
    layers = [m for m in network.modules() if isinstance(m, nn.Linear) and m is not network.head]
    calls: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}

    def moved(layer: nn.Module, arguments: tuple[Tensor], output: Tensor) -> Tensor:
        """The layer's output along φ + tv, with t = 0 of which derivatives are taken."""
        (phi,) = arguments
        if phi.dim() != 2 or len(phi) != len(inputs):
            return output
        t = phi.new_zeros(len(phi), requires_grad=True)
        calls.setdefault(layer, []).append((t, phi.detach().square().sum(1)))
        assert isinstance(layer.weight, Tensor)
        return output + t[:, None] * nn.functional.linear(signs(phi), layer.weight)

    with ExitStack() as hooks, torch.enable_grad():
        for layer in layers:
            hooks.callback(layer.register_forward_hook(moved).remove)
        logits, _ = functional_call(network, dict(tensors), (inputs,))
        once = [made[0] for made in calls.values() if len(made) == 1][::-1]
        if not once:
            return []
        slopes = torch.autograd.grad(losses(logits).sum(), [t for t, _ in once], create_graph=True)
        values = []
        for slope, (t, squares) in zip(slopes, once, strict=True):
            (bend,) = torch.autograd.grad(slope.sum(), t, retain_graph=True, materialize_grads=True)
            values.append(squares * bend)
    return values


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute κ of the training loss for each hidden layer, on the training set.

    `flatness/kappa_hidden/1` is that of the layer below the head, `flatness/kappa_hidden/2` of the
    next one down, and so on. NaN for a network without fully connected hidden layers whose input
    has one row a sample: in a Transformer a layer acts on several positions, to which the formula
    does not apply.
    """
    network, inputs, labels = snapshot.network, snapshot.inputs, snapshot.train.labels
    if network is None or inputs is None or inputs.train_rows is None:
        return _columns([NAN] * depth(snapshot.parameters))
    draws = torch.Generator().manual_seed(SEED)
    tensors = {**snapshot.parameters, **snapshot.buffers}
    loss = PER_SAMPLE[snapshot.loss]
    network.eval()
    parts = []
    for rows, own in zip(inputs.train_rows.split(PART), labels.split(PART), strict=True):
        table = inputs.table[rows]
        table = table.double() if table.is_floating_point() else table
        losses = _against(loss, own)
        parts.append(kappas(network, tensors, table, losses, partial(signs, draws)))
    return _columns([torch.cat(values).mean().item() for values in zip(*parts, strict=True)])


def _columns(values: Sequence[float]) -> dict[str, float]:
    """The row of a network with these κ, from the head down; NaN without any."""
    return {f"{COLUMN}/{n}": value for n, value in enumerate(values or [NAN], start=1)}


def _against(
    loss: Callable[[Tensor, Tensor], Tensor], labels: Tensor
) -> Callable[[Tensor], Tensor]:
    return lambda logits: loss(logits, labels)


def signs(draws: torch.Generator, phi: Tensor) -> Tensor:
    """Draw a sign for each entry of `phi`."""
    bits = torch.randint(2, phi.shape, generator=draws)
    return (2 * bits - 1).to(phi)
