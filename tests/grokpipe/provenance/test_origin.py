"""Commit of the code that trains a cell, and whether it was changed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from grokpipe.provenance import origin


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with one commit, taken for this one's clone."""
    (tmp_path / "code.py").write_text("1\n")
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs/stored.json").write_text("{}\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    origin.commit.cache_clear()
    yield tmp_path
    origin.commit.cache_clear()


@pytest.mark.parametrize(
    ("changed", "dirty"),
    [
        (None, False),
        ("outputs/stored.json", False),  # `make figures` draws stored figures again
        ("outputs/default/tables/new.csv", False),
        ("code.py", True),
        ("new.py", True),
    ],
)
def test_results_are_no_change_of_the_code(clone: Path, changed: str | None, dirty: bool) -> None:
    if changed:
        (clone / changed).parent.mkdir(parents=True, exist_ok=True)
        (clone / changed).write_text("2\n")
    head = subprocess.run(
        ["git", "-C", str(clone), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert origin.commit() == (head, dirty)


def test_a_folder_within_another_repository_has_no_commit(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin, "ROOT", clone / "outputs")
    origin.commit.cache_clear()
    assert origin.commit() == (None, None)
