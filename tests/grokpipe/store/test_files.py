"""Files are written whole or not at all."""

import errno
import threading
from pathlib import Path

import pytest

from grokpipe.store import files


def test_replacing_leaves_the_old_file_when_it_fails(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path, texts = tmp_path / "file", {letter * 100_000 for letter in "ab"}
    path.write_text("a" * 100_000)
    done = threading.Event()

    def write() -> None:
        for _ in range(20):
            for text in texts:
                files.write_text(path, text)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert path.read_text() in texts
    writer.join()
    assert list(tmp_path.iterdir()) == [path]


def test_json_comes_back_and_is_readable(tmp_path: Path) -> None:
    value = {"λ": [1, 2.5, None, "τ"], "nested": {"b": True}}
    files.write_json(tmp_path / "x.json", value)
    assert files.read_json(tmp_path / "x.json") == value
    assert "λ" in (tmp_path / "x.json").read_text()


def test_only_temporary_files_of_that_name_are_leftovers(tmp_path: Path) -> None:
    names = [".a.pt.17.tmp", ".a.pt.previous.18.tmp", ".b.pt.17.tmp", "a.pt", ".hidden", "x.tmp"]
    for name in names:
        (tmp_path / name).touch()
    files.remove_leftovers(tmp_path, "a.pt")
    assert {path.name for path in tmp_path.iterdir()} == {*names[2:]}
    files.remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*names[3:]}


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (OSError(errno.EDQUOT, "quota"), True),
        (OSError(errno.EROFS, "read-only"), True),
        (OSError(errno.EISDIR, "a folder"), False),
        (PermissionError(errno.EACCES, "not allowed"), False),
        (RuntimeError("no space left on device"), False),
    ],
)
def test_which_errors_are_the_disks(error: Exception, fault: bool) -> None:
    assert files.is_disk_fault(error) == fault


def test_folders_go_again_unless_something_is_in_them(tmp_path: Path) -> None:
    """Those that the block was made for, whatever ends it; those that were there stay."""
    (tmp_path / "old" / "empty").mkdir(parents=True)
    wanted = [tmp_path / "a/b/packs", tmp_path / "a/b/asked", tmp_path / "old/empty"]
    with pytest.raises(KeyboardInterrupt), files.folders(*wanted):
        assert all(folder.is_dir() for folder in wanted)
        raise KeyboardInterrupt
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "old", tmp_path / "old/empty"]
    with files.folders(*wanted):
        (wanted[0] / "plan").touch()
    assert (wanted[0] / "plan").exists() and not wanted[1].exists()
    assert wanted[2].is_dir()


def test_an_empty_folder_is_removed_and_no_other(tmp_path: Path) -> None:
    full = tmp_path / "full"
    (full / "inside").mkdir(parents=True)
    for folder in (full, full / "inside", tmp_path / "nowhere"):
        files.remove_if_empty(folder)
    assert [*tmp_path.rglob("*")] == [full]
