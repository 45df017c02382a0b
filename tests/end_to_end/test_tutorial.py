"""The tutorial's commands run, in its order, on smaller networks for a few steps; and what it shows
is what they print."""

import re
import sys
from pathlib import Path

import pytest

import grokpipe
from docs.tutorial_outputs import DOCUMENT, FIRST, LONGER, SHOWN, fenced, recording
from tests.helpers.cli import ROOT, SERIAL, run, typed

TEXT = DOCUMENT.read_text()
SMALL = "arch.width=8 arch.heads=2 arch.feedforward=8 batch_size=16 eval.every=10 threads=1"
SWEEP = "python -m grokpipe -m "
STEPS, MORE = 20, 40  # instead of 4,000 and 8,000


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.S)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.slow(seconds=40)
def test_the_commands_of_the_tutorial(tmp_path: Path, monkeypatch, capsys) -> None:
    printed = {}
    for line in commands():
        small = line
        if line.startswith("python -m grokpipe "):
            longer = f"steps={2 * FIRST}" in line
            small = line.replace(f" steps={2 * FIRST}", "") + f" {SMALL} "
            small += f"steps={MORE if longer else STEPS} {SERIAL * line.startswith(SWEEP)}"
        done = typed(small, tmp_path)
        assert done.returncode == 0, f"{small}\n{done.stdout}\n{done.stderr}"
        printed[line] = done.stdout + done.stderr
        for path in re.findall(r"outputs/tutorial/\S+\.png", line):
            assert (tmp_path / path).exists()
    cells = tmp_path / "outputs/tutorial/cells"
    assert len([*cells.iterdir()]) == 30 + 10 + 2 + 1  # as the four sweeps of the tutorial have
    again = printed["python -m analysis timescales outputs/tutorial"]
    assert "43 runs are 30 trajectories" in again
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)
    exec(block, {"grokpipe": grokpipe})
    assert capsys.readouterr().out.count("<run ") == 5


def test_the_site_is_built(tmp_path: Path) -> None:
    done = run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)], ROOT
    )
    assert done.returncode == 0, done.stderr
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages - {"index"} <= {path.name for path in tmp_path.iterdir()}
    page = (tmp_path / "tutorial" / "index.html").read_text()
    pictures = re.findall(r'<img [^>]*src="\.\./(\S+\.png)"', page)
    assert len(pictures) == 2
    assert all((tmp_path / picture).exists() for picture in pictures)


def test_the_tutorials_sweep_is_the_file() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.S)
    name, _, content = block.partition("\n")
    assert content == (ROOT / name.removeprefix("# ")).read_text()


def test_a_long_recording_is_shown_without_its_middle(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"line {n}  \n" for n in range(100)))
    lines = recording(path).splitlines()
    assert lines[:2] == ["```text", "line 0"]
    assert lines.count("…") == 1
    assert lines[-2:] == ["line 99", "```"]
    path.write_text("one\ntwo\n")
    assert recording(path) == fenced("one\ntwo") == "```text\none\ntwo\n```"


def test_every_output_of_the_tutorial_is_below_a_command() -> None:
    shown = [name for _, name in SHOWN.findall(TEXT)]
    assert shown == re.findall(r"<!-- (\w+): docs/stored_numbers.py -->", TEXT)
    assert LONGER in shown
    assert set(re.findall(r"\]\((\.\./outputs[^)]+)\)", TEXT)) == {
        f"../outputs/reference/tutorial/figures/{name}.png"
        for name in (
            "order_spectral_entropy_train_test_accuracy",
            "curves_test_accuracy_spectral_entropy_train_weight_decay_lr",
        )
    }
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (DOCUMENT.parent / target).exists(), target
