"""Shared libraries that a killed compiler left, cut from one that is whole."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from grokpipe.training.programs import leftovers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("g++") is None, reason="needs g++ on Linux"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("library")
    (folder / "one.cpp").write_text('extern "C" int one() { return 1; }\n')
    subprocess.run(["g++", "-shared", "-fPIC", "one.cpp", "-o", "one.so"], cwd=folder, check=True)
    return (folder / "one.so").read_bytes()


def test_a_library_is_whole_to_its_last_byte_alone(library: bytes, tmp_path: Path) -> None:
    path = tmp_path / "one.so"
    path.write_bytes(library)
    assert leftovers.whole(path)
    for length in (0, 1, 63, 64, len(library) // 2, len(library) - 1):
        path.write_bytes(library[:length])
        assert not leftovers.whole(path), length
    path.write_bytes(bytes(len(library)))
    assert not leftovers.whole(path)


def test_the_damaged_go_and_the_whole_stay(library: bytes, tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    kept, empty, half = (tmp_path / "ab" / name for name in ("kept.so", "empty.so", "half.main.so"))
    kept.write_bytes(library)
    empty.touch()
    half.write_bytes(library[: len(library) // 2])
    for path in (empty, half):
        os.utime(path, (1, 1))
    assert leftovers.remove_damaged(tmp_path) == [empty, half]
    assert [*tmp_path.rglob("*.so")] == [kept]


def test_one_that_is_being_written_is_waited_for(
    library: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "QUIET", 1.0)
    path = tmp_path / "linked.so"
    path.write_bytes(library[:100])

    def link() -> None:
        time.sleep(0.2)
        with path.open("ab") as file:
            file.write(library[100:])

    linker = threading.Thread(target=link)
    linker.start()
    assert leftovers.remove_damaged(tmp_path) == []
    linker.join()
    assert path.read_bytes() == library
