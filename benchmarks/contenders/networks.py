"""The networks that benchmarks train, in the settings of the papers."""

from dataclasses import dataclass, replace
from functools import lru_cache

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from grokpipe.cell import Cell
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config, register


@dataclass(frozen=True)
class Network:
    """A network and its task."""

    title: str
    overrides: tuple[str, ...]
    """what differs from the default configuration"""
    every: int
    """steps between evaluations, as published"""
    chunk: int
    """steps a call, some tenths of a second for a pack of 10"""
    compared: bool = True
    """whether JAX and the bare products of a step take part"""


NETWORKS = {
    "mlp": Network("MLP on MNIST, three layers", ("arch.depth=2",), 666, 50),
    "mlp_four_layers": Network("MLP on MNIST, four layers", ("arch.depth=3",), 666, 50),
    "transformer": Network("Transformer, mod 97, one layer", ("task=mod_add",), 100, 5),
    "transformer_two_layers": Network(
        "Transformer, mod 97, two layers, three tokens",
        ("task=mod_add", "arch.layers=2", "arch.tokens=3"), 100, 3,
    ),
    "causal_transformer": Network(
        "causal Transformer on equations", ("task=equations",), 200, 3, compared=False
    ),
    "cnn": Network("CNN on MNIST", ("arch=cnn",), 666, 1, compared=False),
    "image_transformer": Network(
        "Transformer on MNIST", ("arch=image_transformer",), 666, 20, compared=False
    ),
}  # fmt: skip


def cells(which: str, count: int, *overrides: str) -> list[Cell]:
    """Build cells that differ by their seeds."""
    config = _config((*NETWORKS[which].overrides, *overrides))
    return [Cell.of(replace(config, seed=seed)) for seed in range(count)]


@lru_cache
def _config(overrides: tuple[str, ...]) -> Config:
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return resolve(compose("config", [*overrides]))
