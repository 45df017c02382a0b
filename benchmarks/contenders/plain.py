"""Loops that a user would write in place of a pack: plain modules, torch.optim, and data that are
resident in memory or come from a DataLoader."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.contenders.turns import Steps
from grokpipe.cell import Cell
from grokpipe.training.pack import initial_network


class EncoderNetwork(nn.Module):
    """The Transformer for tasks on pairs, built from PyTorch's own layers."""

    def __init__(self, cell: Cell):
        super().__init__()
        arch, task = cell.config.arch, cell.task
        assert task.vocabulary is not None
        self.equals = task.vocabulary  # the token =, where there are three
        self.tokens = arch.tokens
        self.embedding = nn.Embedding(task.vocabulary + arch.tokens - 2, arch.width)
        self.positions = nn.Parameter(torch.randn(arch.tokens, arch.width))
        layer = nn.TransformerEncoderLayer(
            arch.width, arch.heads, arch.feedforward, dropout=0.0, activation=arch.activation,
            batch_first=True, norm_first=arch.norm == "pre",
        )  # fmt: skip
        self.encoder = (
            nn.TransformerEncoder(layer, arch.layers, enable_nested_tensor=False)
            if arch.layers > 1
            else layer
        )
        self.norm = nn.LayerNorm(arch.width)
        self.head = nn.Linear(arch.width, task.classes)

    def forward(self, pairs: Tensor) -> Tensor:
        tokens = functional.pad(pairs, (0, self.tokens - 2), value=self.equals)
        x = self.encoder(self.embedding(tokens) + self.positions)
        logits: Tensor = self.head(self.norm(x[:, -1]))
        return logits


def plain_transformer(cell: Cell) -> Steps:
    task, config = cell.task, cell.config
    network = EncoderNetwork(cell)
    optimizer = adamw(network, cell)
    inputs, labels = task.inputs[task.train], task.labels[task.train]

    def step() -> int:
        rows = torch.randint(len(inputs), (config.batch_size or 0,))
        loss = functional.cross_entropy(network(inputs[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return 1

    return step


def adamw(network: nn.Module, cell: Cell) -> torch.optim.Optimizer:
    config = cell.config
    return torch.optim.AdamW(
        network.parameters(), config.lr, weight_decay=config.weight_decay, fused=True
    )


def plain_equations(cell: Cell) -> Steps:
    """The plain module on batches of shuffled epochs, the last of an epoch short, as released."""
    task, config = cell.task, cell.config
    network = initial_network(cell)
    optimizer = adamw(network, cell)
    inputs, labels = task.inputs[task.train], task.labels[task.train]

    def batches() -> Iterator[Tensor]:
        while True:
            yield from torch.randperm(len(inputs)).split(config.batch_size or 0)

    drawn = batches()

    def step() -> int:
        rows = next(drawn)
        logits, _ = network(inputs[rows])
        loss = functional.cross_entropy(logits.flatten(0, 1), labels[rows].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return 1

    return step


class PatchNetwork(nn.Module):
    """The Transformer on image patches, built from PyTorch's own layers."""

    def __init__(self, cell: Cell):
        super().__init__()
        arch, task = cell.config.arch, cell.task
        height, width = task.inputs.shape[1:]
        tokens = 1 + (height // arch.patch) * (width // arch.patch)
        self.patches = nn.Conv2d(1, arch.width, arch.patch, stride=arch.patch)
        self.cls = nn.Parameter(torch.randn(arch.width))
        self.positions = nn.Parameter(torch.zeros(tokens, arch.width))
        self.encoder = nn.TransformerEncoderLayer(
            arch.width, arch.heads, arch.feedforward, dropout=0.0, batch_first=True
        )
        self.head = nn.Linear(arch.width, task.classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        patches = self.patches(images[:, None]).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(images), 1, -1), patches], 1) + self.positions
        z = self.encoder(x)[:, 0]
        return self.head(z), z


def plain_images(
    cell: Cell,
    batches: Iterator[tuple[Tensor, Tensor]],
    make: Callable[[Cell], nn.Module] = initial_network,
) -> Steps:
    network = make(cell)
    optimizer = adamw(network, cell)

    def step() -> int:
        images, labels = next(batches)
        logits, _ = network(images)
        targets = functional.one_hot(labels, cell.task.classes).float()
        loss = ((logits - targets) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return 1

    return step


def resident(cell: Cell) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw batches from images in memory; an epoch is a permutation."""
    task = cell.task
    images, labels = task.inputs[task.train], task.labels[task.train]
    while True:
        for rows in torch.randperm(len(images)).split(cell.config.batch_size or 0):
            yield images[rows], labels[rows]


class Images(Dataset[tuple[Tensor, int]]):
    """Converts one image at a time from bytes to a normalised tensor, as torchvision's MNIST,
    ToTensor and Normalize do."""

    def __init__(self, cell: Cell):
        task = cell.task
        pixels = (task.inputs[task.train] * 0.3081 + 0.1307) * 255
        self.pixels = pixels.round().to(torch.uint8)
        self.labels = task.labels[task.train]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.pixels[i].numpy())
        image = torch.from_numpy(np.array(picture, copy=True)).view(28, 28, 1)
        image = image.permute(2, 0, 1).contiguous().to(torch.float32).div(255).clone()
        mean, std = torch.as_tensor([0.1307]), torch.as_tensor([0.3081])
        return image.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1)), int(self.labels[i])


def loaded(cell: Cell) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(Images(cell), batch_size=cell.config.batch_size, shuffle=True)
    while True:
        yield from loader
