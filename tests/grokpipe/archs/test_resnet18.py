"""ResNet-18 against its definition, written out."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from grokpipe.archs import resnet18
from grokpipe.archs.resnet18 import Config
from grokpipe.cell import Cell
from grokpipe.errors import InputError
from grokpipe.tasks import Task
from grokpipe.training.pack import Pack

ROWS = torch.arange(6)
SMALL = Config("resnet18", width=4, blocks=[1, 2, 1], init_scale=1.0)


def images(*shape: int) -> Task:
    inputs = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    return Task(inputs, ROWS % 10, ROWS[:4], ROWS[4:], 10, "hash")


def written_out(state: dict[str, Tensor], x: Tensor, strides: list[int], train: bool) -> Tensor:
    """Features of images (n, channels, height, width) by the formulas of batch norm and of a block,
    with statistics of the batch or running ones."""

    def norm(name: str, x: Tensor) -> Tensor:
        mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        if train:
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        scale = state[f"{name}.weight"] / (variance + 1e-5).sqrt()
        shift = state[f"{name}.bias"] - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]

    def convolved(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        return functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    large = state["stem.weight"].shape[-1] == 7
    x = norm("norm", convolved("stem", x, 2 if large else 1)).clamp(min=0)
    if large:  # the largest of each 3×3 window, in steps of 2; what is outside counts as nothing
        padded = functional.pad(x, (1, 1, 1, 1), value=-torch.inf)
        x = padded.unfold(2, 3, 2).unfold(3, 3, 2).amax((4, 5))
    for number, stride in enumerate(strides):
        name = f"blocks.{number}"
        z = norm(f"{name}.norm1", convolved(f"{name}.conv1", x, stride)).clamp(min=0)
        z = norm(f"{name}.norm2", convolved(f"{name}.conv2", z))
        if f"{name}.shortcut.0.weight" in state:
            x = norm(f"{name}.shortcut.1", convolved(f"{name}.shortcut.0", x, stride))
        x = (z + x).clamp(min=0)
    return x.mean((2, 3))


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("stem", ["small", "large"])
@pytest.mark.parametrize("shape", [(3, 17, 16), (9, 8)], ids=["colour", "grey"])
def test_logits_and_features_are_those_of_the_definition(shape, stem, train) -> None:
    torch.manual_seed(1)
    task = images(*shape)
    network = resnet18.build(replace(SMALL, stem=stem), task).double()
    inputs = task.inputs.double()
    network(inputs)  # running statistics of their own
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    logits, features = network.train(train)(inputs)
    x = inputs if len(shape) == 3 else inputs[:, None]
    expected = written_out(state, x, strides=[1, 2, 1, 2], train=train)
    torch.testing.assert_close(features, expected, rtol=1e-10, atol=1e-12)
    head = expected @ state["head.weight"].T + state["head.bias"]
    torch.testing.assert_close(logits, head, rtol=1e-10, atol=1e-12)
    assert features.shape == (6, 16)


def test_the_published_size() -> None:
    """18 layers with weights: the stem, two for each block, the head; 11,173,962 parameters."""
    with torch.device("meta"):
        network = resnet18.build(replace(SMALL, width=64, blocks=[2, 2, 2, 2]), images(3, 32, 32))
    assert sum(p.numel() for p in network.parameters()) == 11_173_962
    layers = [n for n, p in network.named_parameters() if p.dim() > 1 and "shortcut" not in n]
    assert len(layers) == 18
    assert network.get_parameter("head.weight").shape == (10, 512)


def test_the_initial_scale_is_that_of_the_head() -> None:
    one, eight = [], []
    for scale, parameters in ((1.0, one), (8.0, eight)):
        torch.manual_seed(2)
        network = resnet18.build(replace(SMALL, init_scale=scale), images(3, 8, 8))
        parameters += network.named_parameters()
    for (name, small), (_, large) in zip(one, eight, strict=True):
        assert torch.equal(large, 8 * small if name.startswith("head") else small)


def test_the_experiment_steps_at_a_tiny_width(compose, cifar10: Path) -> None:
    own = ("experiment=collapse/resnet18", "train_size=100")
    published = compose(*own)
    assert (published.init_scale, published.arch) == (
        1.0, Config("resnet18", width=64, blocks=[2, 2, 2, 2], init_scale=1.0),
    )  # fmt: skip
    pack = Pack([Cell.of(compose(*own, "arch.width=2", "arch.blocks=[1,1]"))])
    assert pack.outputs(0).features.shape == (120, 4)
    pack.advance(1)
    counts = [b for name, b in pack.cell_buffers(0).items() if name.endswith("tracked")]
    assert len(counts) == 6 and all(count == 1 for count in counts)


def test_what_it_cannot_take() -> None:
    assert str(resnet18.unfit(images(5))).startswith("takes images (height, width) or ")
    assert resnet18.unfit(images(3, 8, 8)) is resnet18.unfit(images(8, 8)) is None
    with pytest.raises(InputError, match=r"arch\.blocks=\[\]: must be the blocks of each stage"):
        resnet18.build(replace(SMALL, blocks=[]), images(3, 8, 8))


@pytest.mark.parametrize("name", ["cifar10", "cifar10_prevent", "cifar10_away"])
def test_the_arms_on_cifar10_step_at_a_tiny_width(compose, cifar10: Path, name: str) -> None:
    own = (f"experiment=flatness/{name}", "train_size=100", "arch.width=2", "arch.blocks=[1,1]")
    config = compose(*own)
    assert (config.arch.stem, config.optimizer.momentum, config.loss) == (
        "large", 0.9, "cross_entropy"
    )  # fmt: skip
    pack = Pack([Cell.of(config)])
    before = pack.outputs(0).parameters["head.weight"].clone()
    pack.advance(2)
    after = pack.outputs(0).parameters["head.weight"]
    assert after.isfinite().all() and not torch.equal(before, after)
