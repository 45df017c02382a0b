"""Image data: embedded, on disk zipped or not, from a mirror, or a line on what to put where."""

import gzip
import hashlib
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.tasks import _images, mnist

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "data" / "mnist"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="needs the four published MNIST files beside the checkout"
)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GROKPIPE_DATA", str(tmp_path / "data"))
    _images.load.cache_clear()
    return tmp_path / "data"


def small_data_set(mirrors: tuple[str, ...] = (), images: int = 20) -> tuple[_images.DataSet, dict]:
    """A data set of four tiny IDX files: its description, and the contents by file name."""
    draws = np.random.default_rng(0)
    contents = {}
    for part, n in (("train", images), ("t10k", 5)):
        pixels = draws.integers(0, 256, (n, 4, 3), dtype=np.uint8)
        labels = draws.integers(0, 10, n, dtype=np.uint8)
        header = b"\0\0\x08\x03" + b"".join(k.to_bytes(4, "big") for k in pixels.shape)
        contents[f"{part}-images-idx3-ubyte"] = header + pixels.tobytes()
        contents[f"{part}-labels-idx1-ubyte"] = (
            b"\0\0\x08\x01" + n.to_bytes(4, "big") + labels.tobytes()
        )
    md5 = {name: hashlib.md5(raw).hexdigest() for name, raw in contents.items()}
    return _images.DataSet("tiny", mirrors, md5, mean=0.5, std=0.25), contents


def put(folder: Path, contents: dict[str, bytes], zipped: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in contents.items():
        path = folder / (name + ".gz" if zipped else name)
        path.write_bytes(gzip.compress(raw) if zipped else raw)


@pytest.fixture
def mirror(tmp_path: Path):
    """A folder and the address at which it is served."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_embedded_mnist_is_normalised_and_split_as_published() -> None:
    task = mnist.load(mnist.Config("mnist", 1000), torch.Generator())
    assert task.inputs.shape == (11_000, 28, 28)
    assert task.classes == 10
    assert torch.equal(task.train, torch.arange(1000))
    assert torch.equal(task.test, torch.arange(1000, 11_000))
    assert task.labels[:5].tolist() == [5, 0, 4, 1, 9]  # the first training images
    assert task.labels[1000:1005].tolist() == [7, 2, 1, 0, 4]  # the first test images
    low, high = (0 - 0.1307) / 0.3081, (1 - 0.1307) / 0.3081
    assert task.inputs.min().item() == pytest.approx(low)
    assert task.inputs.max().item() == pytest.approx(high)


@needs_published
def test_embedded_is_the_head_of_the_published_files(empty_cache: Path) -> None:
    embedded = mnist.load(mnist.Config("mnist", 10_000), torch.Generator())
    shutil.copytree(PUBLISHED, empty_cache / "mnist")
    full = mnist.load(mnist.Config("mnist", 20_000), torch.Generator())
    assert len(full.train) == 20_000
    assert torch.equal(full.inputs[:10_000], embedded.inputs[:10_000])
    assert torch.equal(full.inputs[full.test], embedded.inputs[embedded.test])
    assert torch.equal(full.labels[full.test], embedded.labels[embedded.test])
    assert full.fingerprint != embedded.fingerprint


@pytest.mark.parametrize("zipped", [True, False])
def test_files_on_disk_need_no_network(empty_cache: Path, zipped: bool) -> None:
    data_set, contents = small_data_set(mirrors=("http://127.0.0.1:9/",))
    put(empty_cache / "tiny", contents, zipped)
    task = _images.load(data_set, 20)
    pixels = np.frombuffer(contents["train-images-idx3-ubyte"][16:], np.uint8).reshape(20, 4, 3)
    expected = torch.from_numpy((pixels / 255 - 0.5) / 0.25).float()
    torch.testing.assert_close(task.inputs[:20], expected)


def test_fetched_from_the_first_mirror_that_has_the_right_bytes(empty_cache: Path, mirror) -> None:
    folder, address = mirror
    data_set, contents = small_data_set(
        ("http://127.0.0.1:9/", address + "bad/", address + "good/")
    )
    put(folder / "good", contents)
    put(folder / "bad", {name: raw + b"!" for name, raw in contents.items()})
    task = _images.load(data_set, 20)
    assert len(task.labels) == 25
    kept = sorted(path.name for path in (empty_cache / "tiny").iterdir())
    assert kept == sorted(name + ".gz" for name in contents)
    shutil.rmtree(folder)
    _images.load.cache_clear()
    assert torch.equal(_images.load(data_set, 20).inputs, task.inputs)  # now from the cache


def test_neither_network_nor_files_says_what_to_put_where(empty_cache: Path) -> None:
    data_set, _ = small_data_set(mirrors=("http://127.0.0.1:9/",))
    with pytest.raises(InputError) as error:
        _images.load(data_set, 20)
    assert str(empty_cache / "tiny") in str(error.value)
    assert "train-images-idx3-ubyte.gz" in str(error.value)
    assert "GROKPIPE_DATA" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", [lambda raw: raw[:-7], lambda raw: b"other bytes"])
def test_damaged_file_on_disk_is_named_not_used(empty_cache: Path, damage) -> None:
    data_set, contents = small_data_set()
    put(empty_cache / "tiny", contents)
    path = empty_cache / "tiny" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=str(path)):
        _images.load(data_set, 20)


def test_more_than_all_is_refused() -> None:
    with pytest.raises(InputError, match="train_size=60001: must be ≤ 60000"):
        mnist.load(mnist.Config("mnist", 60_001), torch.Generator())


def test_debians_fashion_mnist(cell, fashion_mnist: None) -> None:
    task = cell("task=fashion_mnist").task
    assert task.labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert len(task.test) == 10_000
