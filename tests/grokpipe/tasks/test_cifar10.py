"""CIFAR-10 from made files: unpacked, from the archive on disk, fetched, or one line."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.tasks import cifar10 as module
from grokpipe.tasks.cifar10 import Config, load
from grokpipe.training.pack import Pack
from tests.helpers import made_cifar10


def loaded(train_size: int):
    module._load.cache_clear()
    return load(Config("cifar10", train_size), torch.Generator())


def archive(path: Path, patch: pytest.MonkeyPatch) -> None:
    """An archive of the made files, as if it were published."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as members:
        for name, raw in made_cifar10.contents().items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(raw)
            members.addfile(member, io.BytesIO(raw))
    patch.setattr(module, "ARCHIVE_MD5", hashlib.md5(path.read_bytes()).hexdigest())


def test_the_first_images_of_the_files_each_colour_normalised(cifar10: Path) -> None:
    task = loaded(50)
    assert task.inputs.shape == (70, 3, 32, 32)
    assert torch.equal(task.train, torch.arange(50))
    assert torch.equal(task.test, torch.arange(50, 70))
    third = (cifar10 / "data_batch_3.bin").read_bytes()
    assert task.labels[40:50].tolist() == [third[3073 * i] for i in range(10)]
    test = (cifar10 / "test_batch.bin").read_bytes()
    assert task.labels[50:].tolist() == [test[3073 * i] for i in range(20)]
    for colour, (mean, std) in enumerate([(0.4914, 0.2023), (0.4822, 0.1994), (0.4465, 0.2010)]):
        begins = 3073 * 7 + 1 + 1024 * colour
        pixels = np.array([*third[begins : begins + 1024]]).reshape(32, 32)
        expected = torch.from_numpy((pixels / 255 - mean) / std).float()
        torch.testing.assert_close(task.inputs[47, colour], expected)


def test_a_fingerprint_is_that_of_the_pixels_in_use(cifar10: Path) -> None:
    before = loaded(50).fingerprint
    assert loaded(49).fingerprint != before
    for name, changes in (("data_batch_4.bin", False), ("data_batch_3.bin", True)):
        raw = bytearray((cifar10 / name).read_bytes())
        raw[5] ^= 1  # a pixel of the first image
        (cifar10 / name).write_bytes(raw)
        module.MD5[name] = hashlib.md5(raw).hexdigest()
        assert (loaded(50).fingerprint != before) == changes


@pytest.mark.parametrize("how", ["unpacked by tar", "archive", "fetched"])
def test_wherever_the_files_are_they_are_the_same(cifar10: Path, how, monkeypatch) -> None:
    expected = loaded(100)
    inner = cifar10 / "cifar-10-batches-bin"
    inner.mkdir()
    for path in cifar10.glob("*.bin"):
        path.rename(inner / path.name)
    if how != "unpacked by tar":
        inner.rename(cifar10.parent / "elsewhere")
    if how == "archive":
        archive(cifar10 / "cifar-10-binary.tar.gz", monkeypatch)
    if how == "fetched":
        archive(cifar10.parent / "served.tar.gz", monkeypatch)
        served = (cifar10.parent / "served.tar.gz").read_bytes()

        def download(url, output_file, pooch) -> None:
            assert url == "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
            Path(output_file).write_bytes(served)

        monkeypatch.setattr("pooch.HTTPDownloader", lambda **_: download)
    found = loaded(100)
    assert torch.equal(found.inputs, expected.inputs) and torch.equal(found.labels, expected.labels)
    assert found.fingerprint == expected.fingerprint
    assert (cifar10 / "cifar-10-binary.tar.gz").is_file() == (how != "unpacked by tar")


def truncated(raw: bytes) -> bytes:
    return raw[:-10]


def with_label(raw: bytes) -> bytes:
    return raw[:3073] + b"\x0b" + raw[3074:]


def with_pixel(raw: bytes) -> bytes:
    return raw[:5] + bytes([raw[5] ^ 1]) + raw[6:]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (truncated, "61,450 bytes; must be 61,460, 20 images of 3,073 bytes"),
        (with_label, "label 11 at byte 3,073; must be 0 to 9"),
        (with_pixel, "not the published file (its MD5 must be "),
    ],
)
def test_a_wrong_file_is_named(cifar10: Path, damage, line) -> None:
    path = cifar10 / "data_batch_2.bin"
    path.write_bytes(damage(path.read_bytes()))
    assert len(loaded(20).train) == 20  # needs only the first file
    with pytest.raises(InputError) as refusal:
        loaded(21)
    assert str(refusal.value).startswith(f"{path}: {line}")
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_missing_among_others_is_named(cifar10: Path) -> None:
    (cifar10 / "data_batch_2.bin").unlink()
    with pytest.raises(InputError) as refusal:
        loaded(60)
    assert str(refusal.value) == (
        f"{cifar10 / 'data_batch_2.bin'}: no such file beside data_batch_1.bin; task=cifar10 "
        "train_size=60 needs data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, test_batch.bin"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("no network", "is needed and could not be fetched"), ("bytes", "has another MD5 there")],
)
def test_without_files_a_line_says_what_to_put_where(cifar10, wrong, said, monkeypatch) -> None:
    for path in cifar10.glob("*.bin"):
        path.unlink()

    def download(url, output_file, pooch) -> None:
        if wrong == "no network":
            raise ConnectionError("no route to host")
        Path(output_file).write_bytes(b"a page that asks to log in")

    monkeypatch.setattr("pooch.HTTPDownloader", lambda **_: download)
    with pytest.raises(InputError) as refusal:
        loaded(60)
    line = str(refusal.value)
    for part in (said, "cifar-10-binary.tar.gz", "test_batch.bin", str(cifar10), "GROKPIPE_DATA"):
        assert part in line
    assert "\n" not in line and not [*cifar10.iterdir()]


def test_another_archive_on_disk_is_named_not_replaced(cifar10: Path) -> None:
    for path in cifar10.glob("*.bin"):
        path.unlink()
    path = cifar10 / "cifar-10-binary.tar.gz"
    path.write_bytes(b"half of it")
    with pytest.raises(InputError, match=f"{path}: not the published archive .its MD5 must be c32"):
        loaded(60)
    assert path.read_bytes() == b"half of it"


def test_more_than_all_is_refused() -> None:
    with pytest.raises(InputError, match="train_size=50001: must be ≤ 50000"):
        loaded(50_001)


def test_an_mlp_takes_the_flattened_pixels(cell, cifar10: Path) -> None:
    one = cell("task=cifar10", "train_size=40")
    pack = Pack([one])
    assert pack.parameters["hidden.0.weight"].shape == (1, 12, 3072)
    before = pack.parameters["hidden.0.weight"].clone()
    pack.advance(1)
    assert (pack.parameters["hidden.0.weight"] != before).any()
    assert pack.outputs(0).logits.shape == (60, 10)
