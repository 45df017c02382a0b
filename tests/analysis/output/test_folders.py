"""Folders that take no file are one line that names them; files are replaced whole or not."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from analysis.output import folders
from analysis.output.tables import write_table
from grokpipe.errors import InputError
from tests.helpers.machine import mounted
from tests.helpers.made_curves import jump, made


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "tables"):
        for fails in (folders.check, lambda folder: folders.writing(folder).__enter__()):
            with pytest.raises(InputError) as error:
                fails(folder)
            assert str(error.value) == (
                f"{folder}: cannot be written to (a file is in the way); name another folder by "
                "--to FOLDER"
            )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    with mounted(folder, "--bind", str(folder)):  # root ignores modes
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        with pytest.raises(InputError, match=f"{folder}: .*Read-only file system.*--to FOLDER"):
            folders.check(folder)
        with (
            pytest.raises(InputError, match=f"{folder}: .*Read-only file system.*--to FOLDER"),
            folders.writing(folder),
        ):
            (folder / "x").write_text("")


def test_on_a_full_disk_the_older_table_stays(tmp_path: Path) -> None:
    disk, shown = tmp_path / "disk", made({"test_accuracy": jump(5, 0.1, 1.0)})
    table = pd.DataFrame({"a": range(100)})
    with mounted(disk, "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        folders.check(disk / "tables")
        assert list(disk.iterdir()) == []  # nothing is left behind
        write_table(shown, disk / "tables", "x", table)
        before = {path.name: path.read_bytes() for path in (disk / "tables").iterdir()}
        with open(disk / "filler", "wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(4096))
        for fails in (
            lambda: folders.check(disk / "tables"),
            lambda: write_table(shown, disk / "tables", "x", pd.concat([table] * 1000)),
        ):
            with pytest.raises(InputError, match=r"No space left on device.*--to FOLDER"):
                fails()
        assert {path.name: path.read_bytes() for path in (disk / "tables").iterdir()} == before


def test_what_is_wrong_in_the_block_is_not_blamed_on_the_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyError), folders.writing(tmp_path / "new"):
        raise KeyError("x")
    assert (tmp_path / "new").is_dir()
    folders.check(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
