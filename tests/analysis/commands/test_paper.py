"""`python -m analysis paper`: the commands that only one paper has."""

from pathlib import Path

import pytest

from analysis.__main__ import main


def test_without_a_command_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "entropy"]) == 0
    assert capsys.readouterr().out.startswith("settings  which setting comes nearest")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["entrpy"], "entrpy: no such paper; valid: collapse, entropy, flatness"),
        (["entropy", "setings"], "entropy setings: no such command; valid: settings"),
        (["entropy", "settings", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["paper", *arguments]) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


def test_a_paper_without_commands_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", "collapse"]) == 0
    assert capsys.readouterr().out == "collapse: no commands of its own\n"
