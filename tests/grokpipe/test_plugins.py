"""Packages found by their entry points: their names, folders, sources, and what is wrong."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from grokpipe import plugins
from grokpipe.errors import InputError
from tests.helpers import packages


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A folder on Python's path; what is written there is installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    with packages.on_path(folder):
        yield folder


def test_names_are_those_of_the_entry_points_and_nothing_is_imported(site: Path) -> None:
    packages.write(site, "one", {"one.py": "1 / 0"}, {"tasks": "b = one\na = one"})
    assert plugins.names("tasks") == ["a", "b"]
    assert plugins.names("archs") == []
    assert plugins.find("tasks", "c", "task") is None
    entry = plugins.find("tasks", "a", "task")
    with pytest.raises(
        InputError,
        match=r"^entry point a=one \(grokpipe.tasks\) of one 1.0: ZeroDivisionError: division by z",
    ):
        plugins.load(entry)


def test_a_name_of_two_packages_is_refused_with_both(site: Path) -> None:
    for name in ("one", "two"):
        packages.write(site, name, {}, {"tasks": "same = x\n" + f"of_{name} = x"}, version="0.3")
    with pytest.raises(InputError, match=r"^task=same: several packages .*: one 0.3 and two 0.3;"):
        plugins.find("tasks", "same", "task")
    with pytest.raises(InputError, match=r"^task=of_one: .*: grokpipe and one 0.3;"):
        plugins.find("tasks", "of_one", "task", ours=True)
    assert plugins.find("tasks", "of_two", "task").value == "x"


def test_the_folder_of_configurations_is_found_without_an_import(site: Path) -> None:
    packages.write(
        site,
        "one",
        {"one/__init__.py": "1 / 0", "one/conf/task/x.yaml": "name: x"},
        {"conf": "good = one.conf\nlost = one.gone\nnowhere = two.conf"},
    )
    assert [folder for _, folder in plugins.conf_folders()] == [site / "one" / "conf"]
    assert plugins.lost_conf_folders() == [
        "entry point lost=one.gone (grokpipe.conf) of one 1.0: no such folder",
        "entry point nowhere=two.conf (grokpipe.conf) of one 1.0: no such folder",
    ]


def test_sources_are_all_python_files_of_the_packages_that_bring_code(site: Path) -> None:
    files = {"one/__init__.py": "", "one/deep/x.py": "", "one/data.txt": "", "single.py": ""}
    packages.write(site, "one", files, {"tasks": "x = one.deep.x", "measures": "y = single"})
    packages.write(site, "conf_only", {"two/__init__.py": ""}, {"conf": "two = two"})
    assert plugins.sources() == {
        "one/__init__.py": site / "one/__init__.py",
        "one/deep/x.py": site / "one/deep/x.py",
        "single.py": site / "single.py",
    }


def test_dictionaries_are_merged_and_what_cannot_be_read_is_told(site: Path) -> None:
    text = "A = {'x': 1}\nB = {'x': 2}\nC = {'y': 3}\nD = [1]\nE = {'known': 1}\nF = {'z': '1'}"
    lines = "a = one:A\nb = one:B\nc = one:C\nd = one:D\ne = one:E\nf = one:F\ng = gone:A"
    packages.write(site, "one", {"one.py": text}, {"columns": lines})
    merged, complaints = plugins.declared("columns", known={"known": 0}, kinds=int)
    assert merged == {"x": 1, "y": 3}
    assert [line.partition("of one 1.0: ")[2] for line in complaints] == [
        "x: declared twice",
        "names a list, not a dict",
        "known: declared twice",
        "z: of another type",
        "ModuleNotFoundError: No module named 'gone'",
    ]


def test_the_commit_of_an_editable_install_in_a_repository(site: Path, tmp_path: Path) -> None:
    packages.write(site, "one", {}, {"tasks": "a = one"})
    (entry,) = plugins.entry_points("tasks")
    assert plugins.origin(entry) == {"version": "1.0"}
    clone = tmp_path / "a clone"
    clone.mkdir()
    git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x"]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    url = {"url": clone.as_uri(), "dir_info": {"editable": True}}
    record = site / "one-1.0.dist-info" / "direct_url.json"
    record.write_text(json.dumps(url))
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    clean = {"version": "1.0", "commit": head.stdout.strip(), "dirty": False}
    assert plugins.origin(entry) == clean
    (clone / "new.py").touch()
    assert plugins.origin(entry) == {**clean, "dirty": True}
    record.write_text(json.dumps({"url": "https://x", "vcs_info": {"commit_id": "abc"}}))
    assert plugins.origin(entry) == {"version": "1.0", "commit": "abc"}
