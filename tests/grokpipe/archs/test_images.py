"""What architectures for images take, and how they see it."""

import pytest
import torch

from grokpipe.archs import _images
from grokpipe.errors import InputError
from grokpipe.tasks import Task

ROWS = torch.arange(6)


def task(*shape: int, tokens: bool = False) -> Task:
    inputs = torch.zeros(6, *shape, dtype=torch.int64 if tokens else torch.float32)
    return Task(inputs, ROWS % 3, ROWS[:4], ROWS[4:], 3, "hash", vocabulary=5 if tokens else None)


def test_images_alone_are_taken() -> None:
    assert _images.unfit(task(8, 8)) is None and _images.unfit(task(3, 8, 8)) is None
    assert _images.unfit(task(8, tokens=True)) == "takes images, not tokens"
    assert _images.unfit(task(5)) == (
        "takes images (height, width) or (channels, height, width), not inputs of shape (5,)"
    )
    assert _images.size(task(6, 8)) == (1, 6, 8) and _images.size(task(3, 6, 8)) == (3, 6, 8)


@pytest.mark.parametrize("shape", [(5, 6, 4), (5, 1, 6, 4), (5, 3, 6, 4)])
def test_channels_last_changes_strides_alone(shape: tuple[int, ...]) -> None:
    images = torch.randn(shape)
    plain, last = _images.with_channels(images), _images.channels_last(images)
    assert torch.equal(plain, last)
    channels = plain.shape[1]
    assert last.stride() == (24 * channels, 1, 4 * channels, channels)


def test_patches_are_those_of_a_convolution() -> None:
    images = torch.randn(5, 3, 8, 12, dtype=torch.float64)
    convolution = torch.nn.Conv2d(3, 7, 4, stride=4).double()
    expected = convolution(images).flatten(2).transpose(1, 2)
    found = _images.patches(images, 4) @ convolution.weight.flatten(1).T + convolution.bias
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ("task=mod_add", "arch=cnn"),
            "arch=cnn: takes images, not tokens, so not with task=mod_add; valid: mlp, ",
        ),
        (("task=mod_add", "arch=image_transformer"), "arch=image_transformer: takes images, not "),
        (
            ("arch=transformer",),
            "arch=transformer: takes pairs of tokens, so not with task=mnist; ",
        ),
        (
            ("arch=image_transformer", "arch.patch=5"),
            "arch.patch=5: must divide height and width of the images, 28 × 28",
        ),
        (
            ("arch=image_transformer", "arch.heads=5"),
            "arch.heads=5: must divide arch.width=128",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(compose, overrides: tuple[str, ...], line: str) -> None:
    from grokpipe.cell import Cell

    with pytest.raises(InputError) as refusal:
        Cell.of(compose(*overrides))
    assert str(refusal.value).startswith(line)
