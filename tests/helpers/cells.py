"""The overrides of small cells, and the networks of packs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from torch import nn

from grokpipe.config.schema import register
from grokpipe.training.pack import Pack, initial_network

CONF = Path(__file__).resolve().parents[2] / "conf"
SMALL_TOKENS = [
    "task.fraction=0.5", "arch.width=12", "arch.heads=3", "arch.feedforward=20",
    "batch_size=24", "steps=20", "eval.every=5",
]  # fmt: skip
SMALL = ["train_size=64", "batch_size=16", "arch.depth=2", "arch.width=12", "steps=20"]
SMALL_RESNET = [
    "arch=resnet18", "arch.width=2", "arch.blocks=[1]", "train_size=40", "batch_size=10",
    "steps=8", "eval={schedule: regular, every: 2}", "measures.names=[weights]",
]  # fmt: skip
ADD = ("task=mod_add", "task.p=11", "arch.width=12", "arch.heads=3", "batch_size=16")


def hydra_values(overrides: Sequence[str]) -> dict[str, Any]:
    """What Hydra composes, resolved to plain values."""
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        values = OmegaConf.to_container(compose("config", [*overrides]), resolve=True)
    assert isinstance(values, dict)
    return {str(name): value for name, value in values.items()}


def network(pack: Pack, cell: int) -> nn.Module:
    """A plain module with the parameters and buffers of a member of the pack now."""
    module = initial_network(pack.cells[cell])
    module.load_state_dict({**pack.cell_parameters(cell), **pack.cell_buffers(cell)})
    return module
