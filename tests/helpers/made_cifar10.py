"""Made files in the format of CIFAR-10, with few images, that count as the published ones."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from grokpipe.tasks import cifar10

IMAGES = 20  # in each file


def contents() -> dict[str, bytes]:
    """Bytes by file name: noise, brighter in one third of the rows by the label."""
    draws = np.random.default_rng(0)
    files = {}
    for name in cifar10.MD5:
        labels = draws.integers(0, 10, IMAGES, dtype=np.uint8)
        pixels = draws.integers(0, 128, (IMAGES, 3, 32, 32), dtype=np.uint8)
        for image, label in zip(pixels, labels, strict=True):
            image[label % 3, 3 * label : 3 * label + 4] += 120
        files[name] = np.column_stack([labels, pixels.reshape(IMAGES, -1)]).tobytes()
    return files


def put(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)


def published(data: Path, patch: pytest.MonkeyPatch) -> Path:
    """Write them below `data`, $GROKPIPE_DATA, as if they were published; returns the folder."""
    files = contents()
    put(data / "cifar10", files)
    patch.setenv("GROKPIPE_DATA", str(data))
    patch.setattr(cifar10, "IMAGES", IMAGES)
    patch.setattr(cifar10, "MD5", {n: hashlib.md5(raw).hexdigest() for n, raw in files.items()})
    cifar10._load.cache_clear()
    return data / "cifar10"
