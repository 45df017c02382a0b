"""CIFAR-10 (Krizhevsky 2009): colour images of ten kinds of things, in the published binary form.

Each file holds 10,000 images of 3,073 bytes: the label, then 1,024 pixels each of red, green and
blue, row by row.
"""

import hashlib
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pooch
import torch

from grokpipe.config.fields import scientific
from grokpipe.errors import InputError
from grokpipe.tasks import Task, fingerprint
from grokpipe.tasks._images import CACHE_VARIABLE, cache_folder

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
ARCHIVE, ARCHIVE_MD5 = URL.rpartition("/")[2], "c32a1d4ab5d03f1284b67883e8d87530"
FOLDER = "cifar-10-batches-bin"  # in the archive
TRAIN = {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
}
TEST = {"test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d"}
MD5 = TRAIN | TEST
"""MD5 of the unpacked files"""

CLASSES = 10
SHAPE = (3, 32, 32)
IMAGES = 10_000  # in each file
RECORD = 1 + 3 * 32 * 32  # bytes
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)
"""of red, green and blue"""


@dataclass(frozen=True)
class Config:
    """Configuration of CIFAR-10."""

    name: str = scientific()
    train_size: int = scientific(at_least=1)
    """number of training images, the first of the data set; 50,000 at most"""


def load(config: Config, split: torch.Generator) -> Task:
    """Load the first `train_size` training images and all test images, (n, 3, 32, 32), each colour
    normalised as (x/255 − mean)/std.

    The split is the published one, whatever the seed. Raises InputError for a larger `train_size`
    than the data set has, for a file that is not the published one, and if the files are neither on
    disk nor can be fetched.
    """
    return _load(config.train_size)


@lru_cache(maxsize=2)
def _load(train_size: int) -> Task:
    if train_size > len(TRAIN) * IMAGES:
        raise InputError(
            f"train_size={train_size}: must be ≤ {len(TRAIN) * IMAGES}, the training images of "
            "cifar10"
        )
    names = [*islice(TRAIN, -(-train_size // IMAGES)), *TEST]
    place, contents = _contents(names, f"task=cifar10 train_size={train_size}")
    *train, test = (_records(place, name, raw) for name, raw in zip(names, contents, strict=True))
    records = np.concatenate([np.concatenate(train)[:train_size], test])
    labels, images = records[:, 0], records[:, 1:].reshape(-1, *SHAPE)
    pixels = torch.from_numpy(images).to(torch.float32).div_(255)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    rows = torch.arange(len(records))
    return Task(
        inputs=pixels.sub_(mean).div_(std),
        labels=torch.from_numpy(labels.astype(np.int64)),
        train=rows[:train_size],
        test=rows[train_size:],
        classes=CLASSES,
        fingerprint=fingerprint(images, labels, np.array([train_size])),
    )


def _contents(names: list[str], need: str) -> tuple[Path, list[bytes]]:
    """Read these files, unpacked on disk or in the archive, which is fetched if it is not there.

    Returns the folder or archive that holds them, and their bytes.
    """
    cache = cache_folder() / "cifar10"
    for folder in (cache, cache / FOLDER):
        present = [name for name in names if (folder / name).is_file()]
        if present and len(present) < len(names):
            lacking = next(name for name in names if name not in present)
            raise InputError(
                f"{folder / lacking}: no such file beside {present[0]}; {need} needs "
                f"{', '.join(names)}"
            )
        if present:
            return folder, [(folder / name).read_bytes() for name in names]
    archive = cache / ARCHIVE
    if not archive.is_file():
        _fetch(archive, need)
    with archive.open("rb") as file:
        if hashlib.file_digest(file, "md5").hexdigest() != ARCHIVE_MD5:
            raise InputError(
                f"{archive}: not the published archive (its MD5 must be {ARCHIVE_MD5}); delete it "
                "to fetch it again"
            )
    with tarfile.open(archive) as members:
        files = [members.extractfile(f"{FOLDER}/{name}") for name in names]
        return archive, [file.read() for file in files if file is not None]


def _fetch(archive: Path, need: str) -> None:
    """Download the published archive, and nothing else."""
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            URL,
            known_hash=f"md5:{ARCHIVE_MD5}",
            fname=archive.name,
            path=archive.parent,
            downloader=pooch.HTTPDownloader(timeout=20),
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        failed = "could not be fetched" if isinstance(error, OSError) else "has another MD5 there"
        raise InputError(
            f"{need}: {URL} is needed and {failed}; put {archive.name}, or the files that it holds "
            f"({', '.join(MD5)}), into {archive.parent} (${CACHE_VARIABLE} sets its parent folder)"
        ) from error


def _records(place: Path, name: str, contents: bytes) -> np.ndarray:
    """Check a file's bytes, and cut them into the records of its images, (10,000, 3,073).

    Size and labels come before the checksum, because they say what is wrong.
    """
    if len(contents) != IMAGES * RECORD:
        raise InputError(
            f"{place / name}: {len(contents):,} bytes; must be {IMAGES * RECORD:,}, {IMAGES:,} "
            f"images of {RECORD:,} bytes"
        )
    records = np.frombuffer(contents, np.uint8).reshape(IMAGES, RECORD)
    wrong = np.flatnonzero(records[:, 0] >= CLASSES)
    if len(wrong):
        raise InputError(
            f"{place / name}: label {records[wrong[0], 0]} at byte {RECORD * wrong[0]:,}; must be "
            f"0 to {CLASSES - 1}"
        )
    if hashlib.md5(contents).hexdigest() != MD5[name]:
        raise InputError(f"{place / name}: not the published file (its MD5 must be {MD5[name]})")
    return records
