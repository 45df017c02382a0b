"""Codes of test images: four numbers an image, from an autoencoder (autoencoder.py)."""

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from grokpipe.errors import InputError

DATA = Path(__file__).parent / "data"
DIMENSIONS = 4
"""numbers in a code, and principal components of the features beside it"""


class Shipped(NamedTuple):
    """One file of codes, data/<name>.npz."""

    name: str
    sha256: str


SHIPPED = {
    "010c0c13f96d5658bae4c04d605aa85a9ac8bc6ce619f5cb5f05aeb402f41514": Shipped(
        "mnist", "0c0d4dc17e343b4e4c65d20473d395a5c3433f9e2809f71935a30c488150f5da"
    ),
    "3194b88e5a57832ccf9bc8ffc11e1c3d7ccf2c411d27352dcfbfc4afa29c2ce5": Shipped(
        "fashion_mnist", "eb1aea646d1a6a3d15b87002e42475fdeddfda514eeff0082bce8a4b91f24b5c"
    ),
}
"""by `image_digest`; here rather than beside the files, so that measures taken with other codes
count as taken by other code"""


def image_digest(images: Tensor) -> str:
    """Identify images by content: SHA-256 of their grey levels, 0 to 255, however normalised.

    The darkest of all pixels counts as 0 and the brightest as 255, which both occur among the
    10,000 images of a test set.
    """
    pixels = images.double()
    darkest, brightest = pixels.min(), pixels.max()
    shares = ((pixels - darkest) / (brightest - darkest)).nan_to_num_()
    levels = shares.mul_(255).round_().to(torch.uint8)
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    digest.update(levels.numpy().tobytes())
    return digest.hexdigest()


def codes_of(images: Tensor) -> Tensor | None:
    """Look up the shipped codes (n, 4) float32 of these test images; None if there are none.

    Raises InputError for a shipped file that is missing or not the one described in `SHIPPED`.
    """
    if not images.is_floating_point() or (found := SHIPPED.get(image_digest(images))) is None:
        return None
    path = DATA / f"{found.name}.npz"
    contents = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(contents).hexdigest() != found.sha256:
        raise InputError(
            f"{path}: missing or damaged (SHA-256 must be {found.sha256}); install grokpipe again"
        )
    with np.load(io.BytesIO(contents), allow_pickle=False) as arrays:
        return torch.from_numpy(arrays["codes"])
