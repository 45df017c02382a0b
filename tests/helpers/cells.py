"""The overrides of small cells, and the networks of packs."""

from pathlib import Path

from torch import nn

from grokpipe.training.pack import Pack, initial_network

CONF = Path(__file__).resolve().parents[2] / "conf"
SMALL_TOKENS = [
    "task.fraction=0.5", "arch.width=12", "arch.heads=3", "arch.feedforward=20",
    "batch_size=24", "steps=20", "eval.every=5",
]  # fmt: skip
SMALL = ["train_size=64", "batch_size=16", "arch.depth=2", "arch.width=12", "steps=20"]
ADD = ("task=mod_add", "task.p=11", "arch.width=12", "arch.heads=3", "batch_size=16")


def network(pack: Pack, cell: int) -> nn.Module:
    """A plain module with the parameters of a member of the pack now."""
    module = initial_network(pack.cells[cell])
    module.load_state_dict(pack.cell_parameters(cell))
    return module
