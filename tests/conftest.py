"""Small cells for every test: `compose` gives a checked configuration, `cell` one with its data."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from grokpipe.cell import Cell
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import Config, register
from grokpipe.tasks import _images
from tests.helpers import made_cifar10
from tests.helpers.cells import CONF, SMALL, SMALL_TOKENS

torch.set_num_threads(1)  # tests run side by side; more threads than cores only slow them
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(trylast=True)  # of the tests that are selected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first in each process, so that none is left with one at the end. Each process
    begins with a block of the tests, as many as the others, and then takes from their ends."""

    def seconds(item: pytest.Item) -> float:
        mark = item.get_closest_marker("slow")
        return (*mark.args, mark.kwargs.get("seconds", 0))[0] if mark else 0

    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    long = sorted(filter(seconds, items), key=seconds, reverse=True)
    rest = [item for item in items if not seconds(item)]
    size = -(-len(items) // processes)
    blocks = []
    for at in range(processes):
        block = long[at::processes]
        taken = max(0, size - len(block))
        blocks += block + rest[:taken]
        rest = rest[taken:]
    items[:] = blocks + rest


@pytest.fixture(scope="session")
def compose() -> Callable[..., Config]:
    """compose("seed=3", …) → configuration; nothing but the overrides differs from the default."""
    register()

    def make(*overrides: str) -> Config:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return resolve(hydra_compose("config", list(overrides)))

    return make


@pytest.fixture(scope="session")
def cell(compose: Callable[..., Config]) -> Callable[..., Cell]:
    """cell("seed=3", …) → a small cell on MNIST."""
    return lambda *overrides: Cell.of(compose(*SMALL, *overrides))


@pytest.fixture(scope="session")
def token_cell(compose: Callable[..., Config]) -> Callable[..., Cell]:
    """token_cell("seed=3", …) → a small cell on addition modulo 11, unless the task is another."""

    def make(*overrides: str) -> Cell:
        base = ["task=mod_add", "task.p=11"]
        task = [override for override in overrides if override.startswith("task=")]
        if task:
            base = ["task.n=3"] if task == ["task=s5"] else ["task.p=11"]
        return Cell.of(compose(*base, *SMALL_TOKENS, *overrides))

    return make


@pytest.fixture
def fashion_mnist() -> None:
    """Skips where the files of Fashion-MNIST are neither installed nor in the cache."""
    system = Path("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
    cached = _images.cache_folder() / "fashion_mnist" / "train-images-idx3-ubyte.gz"
    if not system.exists() and not cached.exists():
        pytest.skip("needs Debian's dataset-fashion-mnist or the files in the cache folder")


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of made files of CIFAR-10, unpacked, with 20 images each."""
    return made_cifar10.published(tmp_path / "data", monkeypatch)
