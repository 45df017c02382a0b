"""Commands inside this process: what a refused one says, and what an obeyed one prints."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from grokpipe.__main__ import main
from grokpipe.launch import launcher


def command(arguments: Sequence[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run `python -m grokpipe …` in `folder`; return its exit code."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    monkeypatch.setattr("sys.argv", ["grokpipe", *arguments])
    monkeypatch.setattr(launcher, "failures", [])
    GlobalHydra.instance().clear()
    return main()


def refused(
    arguments: Sequence[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> str:
    """The one line of a command that exits with 2 and leaves nothing in the folder."""
    before = sorted(folder.rglob("*"))
    assert command(arguments, folder, monkeypatch) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1, printed.err
    assert sorted(folder.rglob("*")) == before
    return printed.err


def experiment(folder: Path, text: str, name: str = "mine") -> str:
    """Write an experiment file; return the override that lets it be found."""
    path = folder / "conf" / "experiment" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("latin-1"))
    return f"hydra.searchpath=[file://{folder}/conf]"
