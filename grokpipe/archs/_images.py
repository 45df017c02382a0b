"""Shapes, layouts and patches of images, for the architectures that take them."""

from torch import Tensor

from grokpipe.tasks import Task


def unfit(task: Task) -> str | None:
    """Why an architecture for images cannot take the task, or None."""
    if task.vocabulary is not None:
        return "takes images, not tokens"
    if task.inputs.dim() in (3, 4):
        return None
    return f"takes images (height, width) or (channels, height, width), not {shape(task)}"


def shape(task: Task) -> str:
    """Shape of one input, as messages name it."""
    return f"inputs of shape {tuple(task.inputs.shape[1:])}"


def size(task: Task) -> tuple[int, int, int]:
    """Channels, height and width of the images; grey ones may lack the axis of channels."""
    *channels, height, width = task.inputs.shape[1:]
    return (channels[0] if channels else 1), height, width


def with_channels(images: Tensor) -> Tensor:
    """(batch, height, width) or (batch, channels, height, width) → the latter."""
    return images if images.dim() == 4 else images.unsqueeze(1)


def channels_last(images: Tensor) -> Tensor:
    """The same as `with_channels`, with the channels of a pixel beside one another in memory.

    Written without `memory_format`, which neither vmap knows nor, as any will do, one channel.
    """
    if images.dim() == 3 or images.shape[1] == 1:
        pixels = images.reshape(len(images), *images.shape[-2:], 1)
    else:
        pixels = images.permute(0, 2, 3, 1).contiguous()
    return pixels.permute(0, 3, 1, 2)


def patches(images: Tensor, side: int) -> Tensor:
    """Cut images (batch, channels, height, width) into square patches, row by row: (batch, patch,
    channels · side²), in the order of a convolution's weights."""
    cut = images.unflatten(3, (-1, side)).unflatten(2, (-1, side))
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
