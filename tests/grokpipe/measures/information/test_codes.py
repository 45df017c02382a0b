"""The shipped codes are those of the shipped encoder, of the images that they say; the script makes
such files."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.measures.information import autoencoder, codes
from grokpipe.tasks import fashion_mnist, mnist

NAMES = [shipped.name for shipped in codes.SHIPPED.values()]


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_files_are_those_that_code_and_log_describe(name: str) -> None:
    log = json.loads((codes.DATA / f"{name}.json").read_text())
    digest = hashlib.sha256((codes.DATA / f"{name}.npz").read_bytes()).hexdigest()
    assert log["sha256"] == codes.SHIPPED[log["images"]].sha256 == digest
    assert codes.SHIPPED[log["images"]].name == log["data"] == name
    assert len(log["train_loss"]) == log["epochs"] <= log["epochs_published"] == 200
    assert log["train_loss"][-1] < 0.8 * log["train_loss"][0]
    assert log["test_loss"] < log["train_loss"][-1]  # without dropout and noise


def stored(name: str) -> dict[str, np.ndarray]:
    with np.load(codes.DATA / f"{name}.npz") as arrays:
        return dict(arrays)


def test_the_encoder_reproduces_the_codes_of_mnist() -> None:
    task = mnist.load(mnist.Config("mnist", 1), torch.Generator())
    test = task.inputs[task.test]
    found = codes.codes_of(test)
    assert found.shape == (10_000, codes.DIMENSIONS)
    assert found.dtype == torch.float32
    assert codes.codes_of(test.double()) is not None  # as in training in float64
    encoder = autoencoder.load_encoder(stored("mnist"))
    torch.testing.assert_close(autoencoder.encode(encoder, test[::500]), found[::500])
    assert codes.codes_of(test.flip(0)) is None


@pytest.mark.skipif("fashion_mnist" not in NAMES, reason="its codes do not ship")
def test_the_encoder_reproduces_the_codes_of_fashion_mnist(request) -> None:
    request.getfixturevalue("fashion_mnist")  # skips where the files are not
    task = fashion_mnist.load(fashion_mnist.Config("fashion_mnist", 1), torch.Generator())
    test = task.inputs[task.test]
    found = codes.codes_of(test)
    encoder = autoencoder.load_encoder(stored("fashion_mnist"))
    torch.testing.assert_close(autoencoder.encode(encoder, test[::500]), found[::500])


def test_a_digest_is_of_the_grey_levels() -> None:
    """Not of the normalisation, nor of the last bits, which depend on how a processor divides."""
    levels = torch.arange(256).reshape(4, 8, 8)
    expected = hashlib.sha256(b"(4, 8, 8)" + bytes(range(256))).hexdigest()
    for data in (mnist.DATA_SET, fashion_mnist.DATA_SET):
        images = (levels.float() / 255 - data.mean) / data.std
        assert codes.image_digest(images) == codes.image_digest(images * (1 + 1e-6)) == expected
    assert codes.image_digest(images.flip(1)) != expected
    assert codes.codes_of(torch.full((9, 28, 28), 0.5)) is None


def test_a_file_that_is_another_is_refused(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "mine.npz").write_bytes(b"something else")
    images = torch.zeros(2, 28, 28)
    shipped = {codes.image_digest(images): codes.Shipped("mine", "0" * 64)}
    monkeypatch.setattr(codes, "SHIPPED", shipped)
    monkeypatch.setattr(codes, "DATA", tmp_path)
    with pytest.raises(InputError, match=r"mine\.npz: missing or damaged"):
        codes.codes_of(images)


def test_the_script_makes_such_files(cell, tmp_path: Path, monkeypatch) -> None:
    small = cell().task
    task = replace(small, train=small.train[:40], test=small.test[:30])
    autoencoder.store("mnist", task, 2, float("inf"), tmp_path)
    log = json.loads((tmp_path / "mnist.json").read_text())
    assert (log["training_images"], log["epochs"], len(log["train_loss"])) == (40, 2, 2)
    test = task.inputs[task.test]
    shipped = {log["images"]: codes.Shipped("mnist", log["sha256"])}
    monkeypatch.setattr(codes, "SHIPPED", shipped)
    monkeypatch.setattr(codes, "DATA", tmp_path)
    with np.load(tmp_path / "mnist.npz") as arrays:
        encoder = autoencoder.load_encoder(dict(arrays))
    torch.testing.assert_close(codes.codes_of(test), autoencoder.encode(encoder, test))
    autoencoder.store("mnist", task, 5, 0.0, tmp_path)
    assert json.loads((tmp_path / "mnist.json").read_text())["epochs"] == 1


def test_data_that_cannot_be_had_are_one_line(monkeypatch, tmp_path: Path, capsys) -> None:
    assert autoencoder.main(["mnist", "--images", "60001", "--folder", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: train_size=60001: must be ≤ 60000, the training images of mnist"
