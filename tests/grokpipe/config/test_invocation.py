"""Messages repeat a command in the form in which the user started this one."""

import pytest

from grokpipe.config import invocation


@pytest.mark.parametrize(
    "started, argv, orig, called, command",
    [
        ("module", ["/a/grokpipe/__main__.py", "seed=1"], ["python3", "-m", "grokpipe", "seed=1"],
         "python -m analysis", "python -m grokpipe seed=1"),
        ("script", ["/venv/bin/grokpipe", "lr=1 2"], ["python3", "/venv/bin/grokpipe", "lr=1 2"],
         "grokpipe-analysis", "grokpipe 'lr=1 2'"),
        ("Windows", ["grokpipe-analysis.exe", "why", "x"], ["python", "grokpipe-analysis.exe"],
         "grokpipe-analysis", "grokpipe-analysis why x"),
    ],
)  # fmt: skip
def test_each_way_to_start_is_recognised(started, argv, orig, called, command, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", argv)
    monkeypatch.setattr("sys.orig_argv", orig)
    assert invocation.called("analysis") == called, started
    assert invocation.command_line() == command


def test_texts_keep_their_columns(monkeypatch) -> None:
    text = "  python -m grokpipe -m seed=0    a grid\nsee python -m analysis --help\n"
    assert invocation.as_called(text) == text
    monkeypatch.setattr("sys.argv", ["/venv/bin/grokpipe"])
    shown = "  grokpipe -m seed=0              a grid\nsee grokpipe-analysis --help\n"
    assert invocation.as_called(text) == shown
