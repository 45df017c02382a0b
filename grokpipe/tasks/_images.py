"""Image data sets in MNIST's IDX format: read from disk, fetched with checksums, or embedded."""

import gzip
import hashlib
import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pooch
import torch

from grokpipe.errors import InputError
from grokpipe.tasks import Task, fingerprint

CACHE_VARIABLE = "GROKPIPE_DATA"
CLASSES = 10
TRAINING_IMAGES = 60_000


@dataclass(frozen=True, eq=False)
class DataSet:
    """Sources of a data set, and how its pixels are normalised."""

    name: str
    mirrors: tuple[str, ...]
    md5: dict[str, str]
    """MD5 of the unzipped contents by file name: mirrors and distributions compress differently"""
    mean: float
    std: float
    embedded: str | None = None
    """an .npz in grokpipe/tasks/data with the first training images and all test images"""
    system_folder: str | None = None
    """folder in which a Linux distribution's package installs the files"""


@lru_cache(maxsize=2)
def load(data_set: DataSet, train_size: int) -> Task:
    """Load the first `train_size` training images and all test images as one table.

    Raises InputError for a larger `train_size` than the data set has, and if the files are neither
    on disk nor can be fetched.
    """
    if train_size > TRAINING_IMAGES:
        raise InputError(
            f"train_size={train_size}: must be ≤ {TRAINING_IMAGES}, the training images of "
            f"{data_set.name}"
        )
    train_images, train_labels, test_images, test_labels = _raw(data_set, train_size)
    images = np.concatenate([train_images[:train_size], test_images])
    labels = np.concatenate([train_labels[:train_size], test_labels])
    pixels = torch.from_numpy(images).to(torch.float32) / 255
    rows = torch.arange(len(images))
    return Task(
        inputs=(pixels - data_set.mean) / data_set.std,
        labels=torch.from_numpy(labels.astype(np.int64)),
        train=rows[:train_size],
        test=rows[train_size:],
        classes=CLASSES,
        fingerprint=fingerprint(images, labels, np.array([train_size])),
    )


def _raw(data_set: DataSet, train_size: int) -> tuple[np.ndarray, ...]:
    if data_set.embedded is not None:
        resource = files("grokpipe.tasks") / "data" / data_set.embedded
        with as_file(resource) as path, np.load(path, allow_pickle=False) as arrays:
            if train_size <= len(arrays["train_labels"]):
                names = ("train_images", "train_labels", "test_images", "test_labels")
                return tuple(arrays[name] for name in names)
            shipped = f" (the package contains {len(arrays['train_labels'])} training images)"
    else:
        shipped = ""
    need = f"task={data_set.name} train_size={train_size}{shipped}"
    return tuple(_idx(_contents(data_set, name, need)) for name in data_set.md5)


def cache_folder() -> Path:
    """Folder for fetched data: $GROKPIPE_DATA, or the user's cache folder."""
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("grokpipe"))


def _contents(data_set: DataSet, name: str, need: str) -> bytes:
    """Read the unzipped bytes of one file from disk, or fetch them from a mirror."""
    cache = cache_folder() / data_set.name
    folders = [cache] + ([Path(data_set.system_folder)] if data_set.system_folder else [])
    for path in [folder / (name + end) for folder in folders for end in (".gz", "")]:
        if path.is_file():
            contents = _read(path)
            if contents is None or hashlib.md5(contents).hexdigest() != data_set.md5[name]:
                raise InputError(
                    f"{path}: not the published {name} (MD5 of the unzipped contents must be "
                    f"{data_set.md5[name]}); delete it to fetch it again"
                )
            return contents
    for mirror in data_set.mirrors:
        contents = _fetch(mirror + name + ".gz", cache / (name + ".gz"), data_set.md5[name])
        if contents is not None:
            return contents
    raise InputError(
        f"{need}: needs {name}.gz, which is not on disk and could not be fetched; put "
        f"{', '.join(file + '.gz' for file in data_set.md5)}, or the unzipped files, into {cache} "
        f"(${CACHE_VARIABLE} sets its parent folder)"
    )


def _fetch(url: str, path: Path, md5: str) -> bytes | None:
    """Download to `path` and return the unzipped bytes; None if the mirror fails or sends other
    contents."""
    incoming = path.name + ".incoming"
    pooch.get_logger().setLevel("WARNING")
    try:
        downloader = pooch.HTTPDownloader(timeout=20)
        pooch.retrieve(url, None, fname=incoming, path=path.parent, downloader=downloader)
    except (OSError, ValueError):  # requests' errors are OSErrors
        return None
    contents = _read(path.with_name(incoming))
    if contents is None or hashlib.md5(contents).hexdigest() != md5:
        path.with_name(incoming).unlink()
        return None
    path.with_name(incoming).replace(path)
    return contents


def _read(path: Path) -> bytes | None:
    """Read the unzipped bytes of a file, zipped or not; None if its gzip stream is broken."""
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError):
        return None


def _idx(contents: bytes) -> np.ndarray:
    """Parse an IDX file of unsigned bytes: 0, 0, 8, number of dimensions, dimensions, data."""
    dimensions = contents[3]
    shape = struct.unpack(f">{dimensions}I", contents[4 : 4 + 4 * dimensions])
    return np.frombuffer(contents, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
