"""What README and docs say is what happens: commands run, numbers are the stored ones."""

import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from analysis.__main__ import main as analysis
from analysis.__main__ import parser as analysis_parser
from analysis.runs.tables import read_gathered
from docs import numerics_numbers, stored_numbers
from docs.reference import COLLAPSE, ZERO_LOSS
from tests.helpers import packages
from tests.helpers.cli import ROOT, SERIAL, run, typed

README = (ROOT / "README.md").read_text()
STATISTICS = (ROOT / "docs" / "statistics.md").read_text()
LOGS = (ROOT / "docs" / "logs.md").read_text()
EXTENDING = (ROOT / "docs" / "extending.md").read_text()
SMALL = "steps=2 train_size=64 batch_size=16 arch.width=12 threads=1"
PLANNED = ("experiment=tutorial", "experiment=collapse/weight_decay")
ORDER = "order_test_accuracy_collapse_rnc1"
SMALL_TOKENS = "steps=2 batch_size=16 arch.width=12 arch.feedforward=12 threads=1"


def commands(text: str) -> list[str]:
    """The lines of the shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.S)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def shell(command: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a line in bash, `python` being this one, so that quotes mean what a user's shell makes
    of them."""
    return run(
        ["bash", "-c", f'python() {{ "{sys.executable}" "$@"; }}; {command}'], cwd, **variables
    )


@pytest.mark.slow(seconds=70)
def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    """All of them in the order in which they stand, trained for two steps, in one process; sweeps
    that nothing here asks about are only planned. `make test` runs this very test, and what makes
    an environment is left to it."""
    done_lines = []
    for line in commands(README):
        if line.startswith("python -m grokpipe "):
            on_tokens = any(word in line for word in ("mod_add", "entropy", "tutorial"))
            planned = "hydra.launcher.dry_run=true" if line.split()[-1] in PLANNED else ""
            small = SMALL_TOKENS if on_tokens else SMALL
            done = typed(f"{line} {small} {SERIAL} {planned}", tmp_path)
        elif line.startswith(("python -m analysis", "python -m grokpipe.remeasure")):
            done = typed(line, tmp_path)
        else:
            continue
        nothing = " fit " in line  # after two steps
        assert done.returncode == 2 * nothing, f"{line}\n{done.stdout}\n{done.stderr}"
        assert not nothing or "observed in 0 of 40 runs; nothing to fit" in done.stderr
        done_lines.append(line)
    assert len(done_lines) == 19
    cells = {name: len(list((tmp_path / "outputs" / name / "cells").iterdir()))
             for name in ("default", "sums", "mixed", "kept", "entropy")}  # fmt: skip
    # the single cell (decay 0.1, seed 0) is one of the sweep's forty
    assert cells == {
        "default": 40, "sums": 1, "mixed": 20, "kept": 1, "entropy": 20,
    }  # fmt: skip
    half = "tau2_half_by_weight_decay"
    compared = f"{half}_baseline_0_1"
    written = {
        "tables": {
            "timescales", "events", f"compare_{compared}", f"compare_{compared}_tests", ORDER,
            f"{ORDER}_runs",
        },
        "figures": {
            "collapse_weight_decay", f"survival_{half}", f"differences_{compared}", ORDER,
            "curves_test_accuracy_weight_decay_where_weight_decay_gt_0_05_runs",
        },
    }  # fmt: skip
    for kind, names in written.items():
        found = {
            path.name.split(".")[0] for path in (tmp_path / "outputs/default" / kind).iterdir()
        }
        assert found == names
    assert list((tmp_path / "outputs/kept/cells").glob("*/remeasured.parquet"))


def test_the_readme_names_the_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), flags=re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(commands(README))))
    assert named <= targets
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {line.split()[0] for line in listed.splitlines()} == targets


def test_continuous_integration_runs_all_tests() -> None:
    targets = re.findall(r"^(test[a-z-]*):", (ROOT / "Makefile").read_text(), flags=re.M)
    ci = (ROOT / ".ci" / "run").read_text()
    made = re.findall(r"^(?:nice -n 19 )?make (\S+)", ci, flags=re.M)
    run = [target for target in made if target in targets]
    assert sorted(run) == sorted({*targets} - {"test-gpu"})
    expected = [f"make {target}" for target in run]
    said = {line for line in commands(README) if line.startswith("make test")}
    assert {"make test"} <= said <= {*expected}


@pytest.mark.parametrize("document", stored_numbers.BLOCKS)
def test_the_numbers_of_a_document_are_the_stored_ones(document: str) -> None:
    """If the stored files have changed: make readme."""
    assert stored_numbers.renewed(document) == (ROOT / document).read_text()


def zero_loss_curve(zeros, accuracies, norms) -> pd.DataFrame:
    """One run without weight decay, an evaluation every 100 steps, in no order."""
    curve = pd.DataFrame(
        {
            "step": range(0, 100 * len(zeros), 100),
            "logits/zero_gradient": zeros,
            "test_accuracy": accuracies,
            "weight_norm": norms,
            "train_loss": 0.0,
        }
    )
    return curve.iloc[::-1]


def test_the_rules_of_the_numerics_page() -> None:
    still = zero_loss_curve([0, 0.4, 0.5, 1], [0, 0.1, 0.2, 0.205], [1, 2, 10, 10.05])
    grows = zero_loss_curve([0, 0.9, 0.2, 0.8], [0, 0.1, 0.2, 0.1], [1, 10, 10, 10.2])
    never = zero_loss_curve([0, 0.1, 0.2, 0.49], [0, 0.1, 0.2, 1.0], [1, 1, 1, 1])
    first, second, third = (numerics_numbers.summary(run) for run in (still, grows, never))
    assert (first["collapse"], second["collapse"]) == (200, 100)
    assert (first["final"], second["largest"]) == (1, 0.9)
    assert first["accuracy_after"] == pytest.approx(0.005)
    assert second["norm_after"] == pytest.approx(0.02)
    assert math.isnan(third["collapse"])
    assert math.isnan(third["norm_after"])
    for chosen, answer in (([first], "stops"), ([second], "goes on"), ([first, second], "mixed")):
        assert numerics_numbers.stops(pd.DataFrame(chosen)) == answer
    assert numerics_numbers.stops(pd.DataFrame([])) == "–"
    assert [numerics_numbers.of_all(k, 5) for k in (0, 2, 5)] == [
        "no (0/5)",
        "some (2/5)",
        "yes (5/5)",
    ]
    ends = ((0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1), (math.nan, math.nan))
    found = [numerics_numbers.helps(*interval) for interval in ends]
    assert found == ["helps", "hurts", "undecided", "undecided"]


def test_the_commands_of_the_statistics_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """That they do what they say is tested with the commands; here, that they are spelled right."""
    lines = [line for line in commands(STATISTICS) if line.startswith("python -m analysis")]
    assert len(lines) == 9
    for line in lines:
        given = shlex.split(line)[3:]
        options = analysis_parser(given).parse_args(given)
        assert options.folder == Path("outputs/x")


def test_the_functions_of_the_statistics_run(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", STATISTICS, flags=re.S)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(block, names)
    assert "Interval(" in capsys.readouterr().out
    assert names["table"]["arm"].tolist() == ["0.3", "0.1", "0.03", "0.01", "0.003", "0.001"]


def test_the_examples_of_ones_own_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """Files are written, code is run and commands are given in the order in which they stand."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    medians: dict[str, list[float]] = {}
    (tmp_path / "runs.csv").write_text("run,step,loss\n0,0,1\n0,1,1\n")  # of the first command
    for kind, text in re.findall(r"```(\w+)\n(.*?)```", LOGS, flags=re.S):
        if kind == "yaml":
            (tmp_path / text.split()[1]).write_text(text)
        elif kind == "python":
            exec(text, names)
        for line in text.strip().splitlines() if kind == "sh" else []:
            arguments = shlex.split(line)[3:]
            if arguments[0] == "compare":  # tested with the commands
                analysis_parser(arguments).parse_args(arguments)
                continue
            assert analysis(arguments) == 0, f"{line}\n{capsys.readouterr().err}"
            events = tmp_path / arguments[3] / "tables" / "events.csv"
            if events.exists():
                rows = pd.read_csv(events).query("event == 't_grok'")
                of_arms = rows.groupby("weight_decay", sort=False)["step"].median()
                medians[arguments[3]] = sorted(of_arms)
    assert medians == {
        f"outputs/{name}": [400, 1100][: 1 if name == "archive" else 2]
        for name in ("table", "parquet", "mapped", "files", "archive", "events", "chart")
    }
    assert len(list((tmp_path / "events-of-table").iterdir())) == 6


def test_the_readmes_figure_and_links_exist() -> None:
    for target in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_figure_of_the_numerics_page_is_drawn_from_the_stored_tables() -> None:
    text = (ROOT / "docs" / "numerics.md").read_text()
    (target,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert (ROOT / "docs" / target).resolve() == ZERO_LOSS / "figures" / "zero_loss.png"
    assert (ZERO_LOSS / "figures" / "zero_loss.png").exists()
    figure = numerics_numbers.draw(read_gathered(ZERO_LOSS))
    assert {len(axis.lines) for axis in figure.axes} == {20, 24}  # the first has the legend's too
    plt.close(figure)


def test_figures_are_drawn_from_the_stored_tables(tmp_path: Path) -> None:
    """What `make figures` does, into a copy."""
    stored = tmp_path / "stored"
    shutil.copytree(COLLAPSE, stored, ignore=shutil.ignore_patterns("figures", "tables"))
    assert shell(f"python -m analysis figures {stored}", tmp_path).returncode == 0
    drawn = (stored / "figures" / "collapse_weight_decay.png").read_bytes()
    assert drawn[:4] == b"\x89PNG"
    assert len(drawn) > 50_000


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with the paper of docs/extending.md added; beside it, in `package` and
    `site`, the package as it is written and as pip installs it."""
    copy = tmp_path_factory.mktemp("extended")
    for package in ("grokpipe", "analysis", "hydra_plugins", "conf"):
        shutil.copytree(ROOT / package, copy / package)
    packages.documented(copy / "package")
    files = re.findall(
        r"```(?:python|yaml)\n# ((?:analysis|conf)/\S+)\n(.*?)```", EXTENDING, flags=re.S
    )
    assert len(files) == 4
    for path, text in files:
        assert not (copy / path).exists(), path
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(text)
    options = "-q --no-deps --no-build-isolation --no-index --target site ./package"
    done = run([sys.executable, "-m", "pip", "install", *options.split()], copy)
    assert done.returncode == 0, done.stderr
    return copy


@pytest.mark.slow(seconds=60)
def test_extending_by_a_package_and_a_paper(extended: Path) -> None:
    lines = [line for line in commands(EXTENDING) if not line.startswith("pip install")]
    assert len(lines) == 9
    paths = f"{extended}{os.pathsep}{extended / 'site'}"
    shutil.copy(extended / "package" / "test_parity.py", extended)
    for line in lines:
        command = line.replace("pytest", "python -m pytest -p no:cacheprovider")
        done = shell(command, extended, PYTHONPATH=paths)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    logs = list((extended / "outputs/default/cells").iterdir())
    assert len(logs) == 6
    for log in logs:
        assert "sparsity/active" in pd.read_parquet(log / "curves.parquet")
        provenance = json.loads((log / "provenance.json").read_text())
        assert provenance["packages"] == {"grokpipe-parity": {"version": "0.1"}}
        assert provenance["code"]
    verdicts = pd.read_csv(extended / "outputs/parity/report/verdicts.csv", index_col="id")
    assert verdicts["verdict"]["P1"] == "reproduced"
    assert "not run" not in set(verdicts["verdict"])
    assert (extended / "outputs/parity/report/figure_1.png").exists()
    (path,) = (extended / "outputs/default/tables").glob("timescales_t_begun_*.csv")
    table = pd.read_csv(path)
    named, condition = (of_event for _, of_event in table.groupby("event", sort=False))
    assert named["event"].iloc[0] == "t_begun"
    assert named["reached"].sum() > 0
    assert_frame_equal(*(table.drop(columns="event").reset_index(drop=True)
                         for table in (named, condition)))  # fmt: skip


def test_a_paper_is_short() -> None:
    """Three claims and a figure, the runs that they need included."""
    files = re.findall(
        r"```(?:python|yaml)\n# ((?:analysis|conf)/\S*parity/\S+)\n(.*?)```", EXTENDING, flags=re.S
    )
    assert len(files) == 4
    assert sum(text.count("\n") for _, text in files) <= 80


@pytest.mark.slow
def test_the_extended_schema_is_checked(extended: Path) -> None:
    line = "python -m grokpipe experiment=parity/short steps=2 task.bits=2"
    done = shell(line, extended, PYTHONPATH=f"{extended}{os.pathsep}{extended / 'site'}")
    assert done.returncode == 2
    assert "task.bits=2: must be ≥ 3" in done.stderr


def test_no_document_or_code_needs_this_machine() -> None:
    """Nothing that is committed names a path of the place where it was written."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a clone")
    home = str(ROOT.parent) + os.sep
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".json", ".csv", ".cff"}:
            assert home not in path.read_text(), name
