"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): MNIST's format, ten kinds of clothing."""

from dataclasses import dataclass

import torch

from grokpipe.config.fields import scientific
from grokpipe.tasks import Task, _images

DATA_SET = _images.DataSet(
    name="fashion_mnist",
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    md5={
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    mean=0.2860,
    std=0.3530,
    system_folder="/usr/share/datasets/fashion-mnist",
)


@dataclass(frozen=True)
class Config:
    """Configuration of Fashion-MNIST."""

    name: str = scientific()
    train_size: int = scientific(at_least=1)
    """number of training images, the first of the data set; 60,000 at most"""


def load(config: Config, split: torch.Generator) -> Task:
    """Load the first `train_size` training images and all test images, (x/255 − 0.2860)/0.3530.

    The split is the published one, whatever the seed.
    """
    return _images.load(DATA_SET, config.train_size)
