"""Train the autoencoder whose codes of the test images stand for X in the compression columns.

    python -m grokpipe.measures.information.autoencoder mnist

The network and its settings are those of Sakamoto & Sato's released code: an encoder to 4 numbers,
a mirrored decoder, codes times (1 + 0.1 ε) in training, mean absolute error on normalised pixels,
Adam at 1e-3, batches of 256, 200 epochs of the 60,000 training images. Padding 1 and the slope of
LeakyReLU are PyTorch's usual ones, since they are not published.

Writes to `data/` beside this file <name>.npz (`codes` (10,000, 4) float32 and the encoder's weights
in float16, from which the codes are computed) and <name>.json (settings, images used, loss by
epoch, SHA-256 of the .npz and of the test images). 200 epochs take 17 to 40 minutes of one core.
"""

import argparse
import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn

from grokpipe.config import registry
from grokpipe.errors import InputError
from grokpipe.measures.information.codes import DATA, DIMENSIONS, image_digest
from grokpipe.tasks import Task

SEED = 0
CHANNELS = (8, 16, 32)
HIDDEN = 128
DROPOUT = 0.1
NOISE = 0.1
LR = 1e-3
BATCH = 256
EPOCHS = 200
TRAINING_IMAGES = 60_000


class Encoder(nn.Sequential):
    """Map images (n, 1, 28, 28) to codes (n, 4)."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Dropout(DROPOUT), nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU()]
        layers += [nn.Flatten(), nn.Linear(CHANNELS[-1] * 16, HIDDEN), nn.LeakyReLU()]
        super().__init__(*layers, nn.Linear(HIDDEN, DIMENSIONS))


class Decoder(nn.Sequential):
    """Map codes (n, 4) to images (n, 1, 28, 28)."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [nn.Linear(DIMENSIONS, HIDDEN), nn.LeakyReLU()]
        layers += [nn.Linear(HIDDEN, CHANNELS[-1] * 16), nn.LeakyReLU()]
        layers += [nn.Unflatten(1, (CHANNELS[-1], 4, 4))]
        downwards = (*CHANNELS[::-1], 1)
        for before, after, extra in zip(downwards, downwards[1:], (0, 1, 1), strict=False):
            layers += [
                nn.Dropout(DROPOUT),
                nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=extra),
                nn.LeakyReLU(),
            ]
        super().__init__(*layers[:-1])  # pixels have no bounds after normalisation


def encode(encoder: Encoder, images: Tensor) -> Tensor:
    """Codes (n, 4) of images (n, 28, 28), without dropout and noise."""
    encoder.eval()
    with torch.no_grad():
        return torch.cat([encoder(part[:, None]) for part in images.split(1000)])


def train(
    images: Tensor, epochs: int, minutes: float, progress: Progress
) -> tuple[Encoder, Decoder, list[float]]:
    """Train on images (n, 28, 28) for `epochs`, or until an epoch ends after `minutes`.

    Returns encoder, decoder and the mean loss of each epoch.
    """
    torch.manual_seed(SEED)
    encoder, decoder = Encoder(), Decoder()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], LR)
    losses: list[float] = []
    end = time.monotonic() + 60 * minutes
    for _ in progress.track(range(epochs), description="epochs"):
        total = 0.0
        for rows in torch.randperm(len(images)).split(BATCH):
            batch = images[rows][:, None]
            codes = encoder(batch)
            codes = codes * (1 + NOISE * torch.randn_like(codes))
            loss = nn.functional.l1_loss(decoder(codes), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / len(images))
        if time.monotonic() > end:
            break
    return encoder, decoder, losses


def load_encoder(arrays: dict[str, np.ndarray]) -> Encoder:
    """Build the encoder from its stored weights."""
    encoder = Encoder()
    encoder.load_state_dict(
        {name: torch.from_numpy(arrays[name]).float() for name in encoder.state_dict()}
    )
    return encoder


def store(name: str, task: Task, epochs: int, minutes: float, folder: Path) -> None:
    """Train on the training images of `task` and write <name>.npz and <name>.json to `folder`."""
    images, test = task.inputs[task.train], task.inputs[task.test]
    started = time.monotonic()
    with Progress() as progress:
        encoder, decoder, losses = train(images, epochs, minutes, progress)
    seconds = time.monotonic() - started
    arrays = {n: w.numpy().astype(np.float16) for n, w in encoder.state_dict().items()}
    encoder = load_encoder(arrays)  # codes by the weights as they are stored
    codes = encode(encoder, test)
    decoder.eval()
    with torch.no_grad():
        errors = [
            (decoder(part)[:, 0] - image).abs().mean(dim=(1, 2))
            for part, image in zip(codes.split(1000), test.split(1000), strict=True)
        ]
    path = folder / f"{name}.npz"
    np.savez_compressed(path, codes=codes.numpy(), **arrays)
    log = {
        "data": name,
        "training_images": len(images),
        "epochs": len(losses),
        "epochs_published": EPOCHS,
        "images": image_digest(test),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "test_loss": torch.cat(errors).mean().item(),
        "train_loss": losses,
        "settings": {
            "channels": CHANNELS,
            "hidden": HIDDEN,
            "dropout": DROPOUT,
            "noise": NOISE,
            "lr": LR,
            "batch": BATCH,
            "seed": SEED,
        },
        "seconds": round(seconds),
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
    (folder / f"{name}.json").write_text(json.dumps(log, indent=1) + "\n")
    print(f'codes.py: SHIPPED["{log["images"]}"] = Shipped("{name}", "{log["sha256"]}")')


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit code 0, or 2 with one line for wrong input."""
    parser = argparse.ArgumentParser(
        prog="python -m grokpipe.measures.information.autoencoder",
        description=(__doc__ or "").partition("\n")[0],
    )
    parser.add_argument("name", choices=("mnist", "fashion_mnist"))
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after the epoch that ends later"
    )
    parser.add_argument("--images", type=int, default=TRAINING_IMAGES, help="training images")
    parser.add_argument("--folder", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        module = registry.module("tasks", options.name, "task")
        task = module.load(module.Config(options.name, options.images), torch.Generator())
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    store(options.name, task, options.epochs, options.minutes, options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
