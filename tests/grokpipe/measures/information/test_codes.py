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


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
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


def test_the_encoder_reproduces_the_codes_of_fashion_mnist(request) -> None:
    request.getfixturevalue("fashion_mnist")  # skips where the files are not
    task = fashion_mnist.load(fashion_mnist.Config("fashion_mnist", 1), torch.Generator())
    test = task.inputs[task.test]
    found = codes.codes_of(test)
    encoder = autoencoder.load_encoder(stored("fashion_mnist"))
    torch.testing.assert_close(autoencoder.encode(encoder, test[::500]), found[::500])


@pytest.mark.parametrize("data", [mnist.DATA_SET, fashion_mnist.DATA_SET])
def test_a_digest_does_not_hang_on_the_last_bits(data) -> None:
    """No grey level lies where thousandths round either way."""
    levels = 1000 * (np.arange(256) / 255 - data.mean) / data.std
    assert np.abs(levels % 1 - 0.5).min() > 1e-3
    assert len(set(np.round(levels))) == 256


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
