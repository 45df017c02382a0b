"""Numbers closer to 0 than the smallest normal one (1.2e-38 in fp32), for each of which a processor
may stop for a hundred cycles.

Once training accuracy is 1 and nothing holds the logits down, as without weight decay, a softmax is
full of them, and so is all that is multiplied by it: the training then takes several times longer
(benchmarks/subnormals.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

EXAMPLE = 1e-40
FLUSHED, KEPT = "flushed", "kept"
"""as provenance has it"""


@contextmanager
def flushed(wanted: bool = True) -> Iterator[None]:
    """Within, this thread computes with 0 in their place, where the processor can, or with what
    they are. On a CPU a pack has this one thread unless `threads` asks for more, of which the
    others go on as before."""
    before = are_flushed()
    torch.set_flush_denormal(wanted)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def state() -> str:
    """What this thread does with them now: FLUSHED or KEPT."""
    return FLUSHED if are_flushed() else KEPT


def are_flushed() -> bool:
    """Whether a product that is subnormal comes out as 0 in this thread."""
    product = torch.tensor([EXAMPLE]) * torch.ones(1)
    return not product.view(torch.int32).item()  # its bits: a comparison would flush it first
