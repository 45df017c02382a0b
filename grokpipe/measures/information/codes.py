"""Codes of test images: four numbers an image, from an autoencoder (autoencoder.py)."""

import hashlib
import io
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
DIMENSIONS = 4
"""numbers in a code, and principal components of the features beside it"""


def image_digest(images: Tensor) -> str:
    """Identify normalised images by content: SHA-256 of their values in thousandths.

    Thousandths, because the last bits depend on how a processor divides; two neighbouring grey
    levels are 11 thousandths or more apart.
    """
    thousandths = (images.float() * 1000).round_().to(torch.int16).contiguous()
    digest = hashlib.sha256(repr(tuple(images.shape)).encode())
    digest.update(thousandths.numpy().tobytes())
    return digest.hexdigest()


def codes_of(images: Tensor) -> Tensor | None:
    """Look up the shipped codes (n, 4) float32 of these test images; None if there are none.

    Raises ValueError if a shipped file is not the one that its log describes.
    """
    digest = image_digest(images)
    folder = files("grokpipe.measures.information") / "data"
    for log in folder.iterdir():
        if log.name.endswith(".json"):
            found = json.loads(log.read_text())
            if found["images"] == digest:
                contents = (folder / log.name.replace(".json", ".npz")).read_bytes()
                if hashlib.sha256(contents).hexdigest() != found["sha256"]:
                    raise ValueError(f"{found['data']}.npz: not the file that {log.name} describes")
                with np.load(io.BytesIO(contents), allow_pickle=False) as arrays:
                    return torch.from_numpy(arrays["codes"])
    return None
