"""MNIST handwritten digits (LeCun, Cortes & Burges): the collapse paper's task."""

from dataclasses import dataclass

import torch

from grokpipe.config.fields import scientific
from grokpipe.tasks import Task, _images

DATA_SET = _images.DataSet(
    name="mnist",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    md5={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    mean=0.1307,
    std=0.3081,
    embedded="mnist_10k.npz",
)


@dataclass(frozen=True)
class Config:
    """Configuration of MNIST."""

    name: str = scientific()
    train_size: int = scientific(at_least=1)
    """number of training images, the first of the data set; 60,000 at most, of which 10,000 ship
    with the package"""


def load(config: Config, split: torch.Generator) -> Task:
    """Load the first `train_size` training images and all test images, (x/255 − 0.1307)/0.3081.

    The split is the published one, whatever the seed.
    """
    return _images.load(DATA_SET, config.train_size)
