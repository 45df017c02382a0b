"""The convolutional network against PyTorch's own layers, and its shortcut against itself."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from grokpipe.archs import cnn
from grokpipe.archs.cnn import CNN, PART, Config, ShortcutCNN
from grokpipe.errors import InputError
from grokpipe.tasks import Task
from grokpipe.training.pack import Pack

aten = torch.ops.aten
SMALL = Config("cnn", 4, 12, 1.0, "linear")
SIZES = [(1, 8, 8), (3, 7, 10)]  # the last row and column of odd sides is not pooled


def task(*shape: int) -> Task:
    rows = torch.arange(6)
    return Task(torch.randn(6, *shape), rows % 5, rows[:4], rows[4:], 5, "hash")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_is_a_sequence_of_pytorchs_layers(size: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    ours = CNN(SMALL, size, 5).double()
    plain = nn.Sequential(
        ours.conv1, nn.ReLU(), ours.conv2, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), *ours.hidden,
        nn.ReLU(), ours.head,
    )  # fmt: skip
    images = torch.randn(9, *size, dtype=torch.float64)
    logits, features = ours(images)
    torch.testing.assert_close(logits, plain(images), rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(ours.head(features), logits)
    assert (features >= 0).all() and features.shape == (9, 12)
    if size[0] == 1:
        torch.testing.assert_close(ours(images[:, 0])[0], logits)


def test_the_published_size() -> None:
    config = Config("cnn", None, 128, 1.0, "linear")
    grey, colour = cnn.build(config, task(28, 28)), cnn.build(config, task(3, 32, 32))
    shapes = {name: tuple(p.shape) for name, p in grey.named_parameters() if "weight" in name}
    assert shapes == {
        "conv1.weight": (16, 1, 3, 3), "conv2.weight": (32, 16, 3, 3),
        "hidden.0.weight": (128, 32 * 14 * 14), "head.weight": (5, 128),
    }  # fmt: skip
    assert colour.conv1.weight.shape == (32, 3, 3, 3)
    assert colour.conv2.weight.shape == (64, 32, 3, 3)


@pytest.mark.parametrize("scaled", ["linear", "all_but_head"])
def test_the_scale_multiplies_what_the_configuration_says(scaled: str) -> None:
    networks = []
    for factor, which in ((1.0, "linear"), (8.0, scaled)):
        torch.manual_seed(0)
        networks.append(CNN(Config("cnn", 4, 12, factor, which), (1, 8, 8), 5))
    plain, large = (dict(network.named_parameters()) for network in networks)
    factors = {"linear": (1, 1, 8, 8), "all_but_head": (8, 8, 8, 0)}[scaled]
    for layer, factor in zip(("conv1", "conv2", "hidden.0", "head"), factors, strict=True):
        for part in ("weight", "bias"):
            name = f"{layer}.{part}"
            assert plain[name].abs().min() > 0
            torch.testing.assert_close(large[name], factor * plain[name])


def step_of_two(network: CNN, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Outputs and gradients of two cells with random parameters, stacked as in a pack."""
    draws = torch.Generator().manual_seed(2)
    parameters = {
        name: torch.randn(2, *p.shape, generator=draws, dtype=torch.float64) / 3
        for name, p in network.named_parameters()
    }

    def objective(parameters, images, labels):
        logits, features = functional_call(network, parameters, (images,))
        return functional.cross_entropy(logits, labels), {"logits": logits, "features": features}

    gradients, results = vmap(grad(objective, has_aux=True))(parameters, images, labels)
    return results | gradients


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("rows", [9, PART + 1])
def test_the_shortcut_is_exact(size: tuple[int, int, int], rows: int) -> None:
    """Also where images have areas of one value, in which the largest of a window is not alone."""
    draws = torch.Generator().manual_seed(1)
    images = torch.randn(2, rows, *size, generator=draws, dtype=torch.float64)
    images[:, :, :, : size[1] // 2] = 0.5
    labels = torch.randint(5, (2, rows), generator=draws)
    plain = step_of_two(CNN(SMALL, size, 5).double(), images, labels)
    short = step_of_two(ShortcutCNN(SMALL, size, 5).double(), images, labels)
    torch.testing.assert_close(short, plain, rtol=1e-11, atol=1e-12)
    assert all(value.abs().max() > 1e-6 for value in plain.values())


def test_a_stack_of_one_cell_has_plain_convolutions_with_channels_last(compose) -> None:
    """As packs in turns have it: not in groups, which vmap makes of several cells."""
    from grokpipe.cell import Cell

    cell = Cell.of(compose("arch=cnn", "train_size=40", "batch_size=10", "arch.width=6"))
    (stack,) = Pack([cell]).stacks
    graph = stack.gradients_graph(*stack.batch(torch.arange(10)[None])).graph
    convolutions = [
        node
        for node in graph.nodes
        if node.target in (aten.convolution.default, aten.convolution_backward.default)
    ]
    assert len(convolutions) == 4
    for node in convolutions:
        forward = node.target is aten.convolution.default
        groups = node.args[8 if forward else 9]
        images = [argument.meta["val"] for argument in node.args[: 1 if forward else 2]]
        assert groups == 1
        assert all(image.stride(1) == 1 for image in images)


def test_images_that_cannot_be_pooled_are_one_line() -> None:
    with pytest.raises(InputError, match="arch=cnn: inputs of shape \\(1, 9\\); must have at "):
        cnn.build(SMALL, task(1, 9))
