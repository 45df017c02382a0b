"""Small cells for every test: `compose` gives a checked configuration, `cell` one with its data."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from torch import nn

from grokpipe.cell import Cell
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config, register
from grokpipe.tasks import _images
from grokpipe.training import numerics
from grokpipe.training.pack import Pack, initial_network

CONF = Path(__file__).resolve().parents[1] / "conf"
SMALL_TOKENS = [
    "task.fraction=0.5", "arch.width=12", "arch.heads=3", "arch.feedforward=20",
    "batch_size=24", "steps=20", "eval.every=5",
]  # fmt: skip
SMALL = ["train_size=64", "batch_size=16", "arch.depth=2", "arch.width=12", "steps=20"]


@pytest.fixture
def compose() -> Iterator[Callable[..., Config]]:
    """compose("seed=3", …) → configuration; nothing but the overrides differs from the default."""
    register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda *overrides: resolve(hydra_compose("config", list(overrides)))


@pytest.fixture
def cell(compose: Callable[..., Config]) -> Callable[..., Cell]:
    """cell("seed=3", …) → a small cell on MNIST."""
    return lambda *overrides: Cell.of(compose(*SMALL, *overrides))


@pytest.fixture
def token_cell(compose: Callable[..., Config]) -> Callable[..., Cell]:
    """token_cell("seed=3", …) → a small cell on addition modulo 11, unless the task is another."""

    def make(*overrides: str) -> Cell:
        base = ["task=mod_add", "task.p=11"]
        task = [override for override in overrides if override.startswith("task=")]
        if task:
            base = ["task.n=3"] if task == ["task=s5"] else ["task.p=11"]
        return Cell.of(compose(*base, *SMALL_TOKENS, *overrides))

    return make


def network(pack: Pack, cell: int) -> nn.Module:
    """A plain module with the parameters of a member of the pack now."""
    module = initial_network(pack.cells[cell])
    module.load_state_dict(pack.cell_parameters(cell))
    return module


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests run side by side; more threads than cores only slow them."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_library() -> Iterator[None]:
    """Training in this process chooses the library of products; each test begins with PyTorch's."""
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    yield
    switch.fp32_precision = before
    numerics._library.cache_clear()


@pytest.fixture
def fashion_mnist() -> None:
    """Skips where the files of Fashion-MNIST are neither installed nor in the cache."""
    system = Path("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
    cached = _images.cache_folder() / "fashion_mnist" / "train-images-idx3-ubyte.gz"
    if not system.exists() and not cached.exists():
        pytest.skip("needs Debian's dataset-fashion-mnist or the files in the cache folder")
