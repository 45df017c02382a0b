"""Check networks and their configurations before anything is trained."""

import torch
from torch import nn

from grokpipe.errors import InputError
from grokpipe.tasks import Task


def check(network: nn.Module, task: Task, name: str) -> None:
    """Raise InputError, naming the architecture, if packs could not train or evaluate the network.

    The network must be in the precision of the task's inputs.
    """
    if why := _complaint(network, task):
        raise InputError(f"arch={name}: {why}")


def check_heads(heads: int, width: int) -> None:
    """Raise InputError unless the heads of a Transformer divide its width."""
    if width % heads:
        raise InputError(f"arch.heads={heads}: must divide arch.width={width}")


def _complaint(network: nn.Module, task: Task) -> str | None:
    head = getattr(network, "head", None)
    if not isinstance(head, nn.Linear):
        return "the last layer must be a torch.nn.Linear in the attribute head"
    if head.out_features != task.classes:
        return f"head gives {head.out_features} logits; the task has {task.classes} classes"
    if unsaved := {name for name, _ in network.named_buffers()} - network.state_dict().keys():
        return f"buffers that are not stored: {', '.join(sorted(unsaved))}; must be persistent=True"
    network.eval()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        outputs = network(task.inputs[:2])
    changed = [name for name, b in network.named_buffers() if not torch.equal(b, before[name])]
    if changed:
        return f"forward changes {', '.join(changed)} in evaluation mode; only if self.training"
    if not isinstance(outputs, tuple) or len(outputs) != 2:
        return f"forward returns a {type(outputs).__name__}; must be (logits, features)"
    shapes = [tuple(output.shape) for output in outputs]
    count = len(task.inputs[:2])
    read_out = (count, *task.labels.shape[1:])
    wanted = [(*read_out, task.classes), (*read_out, head.in_features)]
    if shapes != wanted:
        return f"logits and features have shapes {shapes}; must be {wanted} for {count} inputs"
    return None
