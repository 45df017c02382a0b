"""The training step as a function of tensors: gradients of each cell's objective, and the whole
step with the optimiser's and the intervention's update.

Both are written for one cell and stacked by `torch.func.vmap`; a stack of one cell needs no vmap.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional

from grokpipe.interventions import Batch, Plain
from grokpipe.losses import training_loss
from grokpipe.training.programs.tracing import Program

Update = Callable[[Tensor, Tensor, list[Tensor], Tensor], tuple[Tensor, list[Tensor]]]
"""an optimiser's update of one tensor of one cell: parameter, gradient, state, coefficients → the
new parameter and state"""


def cell_gradients(
    network: nn.Module,
    loss: str,
    names: Sequence[str],
    intervention: Plain,
    buffers: Sequence[str] = (),
) -> Program:
    """Build the function that computes the gradients of one cell's objective in training mode.

    Its arguments are the parameters in the order of `names`, the network's buffers in the order of
    `buffers`, inputs, labels and the intervention's own arguments. It returns gradients in the
    order of `names`, then the buffers after the forward pass, such as the running statistics of
    batch norm. It changes no argument.
    """

    def objective(
        parameters: dict[str, Tensor],
        before: dict[str, Tensor],
        inputs: Tensor,
        labels: Tensor,
        *others: Tensor,
    ) -> tuple[Tensor, list[Tensor]]:
        network.train()
        # copies, since modules change buffers in place; where they assign anew, the call changes
        # the dictionary
        tensors = {**parameters, **{name: buffer.clone() for name, buffer in before.items()}}
        logits, features = functional_call(network, tensors, (inputs,))
        head = parameters["head.weight"], parameters.get("head.bias")
        batch = batch_of(loss, logits, features, labels, *head)
        return intervention.objective(batch, *others), [tensors[name] for name in buffers]

    def gradients(*arguments: Tensor) -> list[Tensor]:
        parameters = dict(zip(names, arguments, strict=False))
        arguments = arguments[len(names) :]
        before = dict(zip(buffers, arguments, strict=False))
        by_name, (_, after) = grad_and_value(objective, has_aux=True)(
            parameters, before, *arguments[len(buffers) :]
        )
        return [*(by_name[name].contiguous() for name in names), *after]

    return gradients


def batch_of(
    loss: str,
    logits: Tensor,
    features: Tensor,
    labels: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> Batch:
    """What an intervention sees of one cell's batch.

    Of several supervised positions it sees the answer's, the first; the others enter the training
    loss as they are, whatever logits and labels it puts in the answer's place.

    Args:
        loss: its name.
        logits: (batch, classes), or (batch, positions, classes).
        features: (batch, d), or (batch, positions, d).
        labels: (batch,), or (batch, positions).
        weight: of the head, (classes, d).
        bias: of the head, (classes,).
    """
    further: list[Tensor] = []
    if labels.dim() > 1:
        by_position = zip(logits.unbind(1), labels.unbind(1), strict=True)
        (logits, labels), *others = by_position
        features = features[:, 0]
        further = [training_loss(loss, own, targets) for own, targets in others]

    def training(given: Tensor, others: Tensor | None = None, /) -> Tensor:
        own = training_loss(loss, given, labels if others is None else others)
        return sum(further, own) / (1 + len(further)) if further else own

    return Batch(
        logits=logits,
        features=features,
        labels=labels,
        head=lambda z: functional.linear(z, weight, bias),
        weight=weight,
        loss=training,
    )


def stacked(function: Program, width: int) -> Program:
    """Stack a function of one cell: tensors gain a leading cell axis, but for a width of 1."""
    if width == 1:
        return function

    def of_stack(*arguments: Tensor) -> list[Tensor]:
        return [result.contiguous() for result in vmap(function)(*arguments)]

    return of_stack


def whole_step(
    gradients: Program,
    update: Update,
    constrained: Callable[..., list[Tensor]],
    sizes: tuple[int, int, int, int],
    width: int,
) -> Program:
    """Build the function that makes one step in place.

    Its arguments are: inputs of the whole data set (n, …); its labels (n, …); rows of the batch
    (cell, batch); the optimiser's coefficients (cell, k); parameters; the optimiser's state, each
    of its parts in the order of the parameters; the network's buffers; the arguments of the
    intervention's objective; its bounds. All of them but the first two have a leading cell axis
    where `width` is above 1. It changes parameters, state and buffers, and returns nothing.

    Args:
        gradients: of one cell, as `cell_gradients` builds them.
        update: of the optimiser.
        constrained: the intervention's update of one cell's parameters, given its bounds.
        sizes: number of parameters, of parts of the state, of buffers, of arguments of the
            objective.
        width: number of cells.
    """
    count, parts, held, own = sizes

    def of_cell(
        inputs: Tensor, labels: Tensor, coefficients: Tensor, *rest: Tensor
    ) -> list[Tensor]:
        parameters, rest = rest[:count], rest[count:]
        state, rest = rest[: parts * count], rest[parts * count :]
        buffers, rest = rest[:held], rest[held:]
        others, bounds = rest[:own], rest[own:]
        results = gradients(*parameters, *buffers, inputs, labels, *others)
        updated = [
            update(parameter, gradient, [*state[i::count]], coefficients)
            for i, (parameter, gradient) in enumerate(zip(parameters, results[:count], strict=True))
        ]
        kept = constrained([parameter for parameter, _ in updated], *bounds)
        moved = [new[part] for part in range(parts) for _, new in updated]
        return [*kept, *moved, *results[count:]]

    def step(
        table: Tensor, targets: Tensor, rows: Tensor, coefficients: Tensor, *rest: Tensor
    ) -> list[Tensor]:
        flat = rows.flatten()
        inputs = table.index_select(0, flat).view(*rows.shape, *table.shape[1:])
        labels = targets.index_select(0, flat).view(*rows.shape, *targets.shape[1:])
        results = stacked(of_cell, width)(inputs, labels, coefficients, *rest)
        for old, new in zip(rest, results, strict=False):
            old.copy_(new)
        return []

    return step


def flattened(stack: Sequence[Tensor]) -> list[Tensor]:
    """Tensors (cell, …) as programs of a stack take them: views without the axis for one cell."""
    return [tensor[0] if len(tensor) == 1 else tensor for tensor in stack]


def unflattened(tensors: Sequence[Tensor], width: int) -> list[Tensor]:
    """The inverse of `flattened`."""
    return [tensor[None] if width == 1 else tensor for tensor in tensors]
