"""A launcher and a sweeper hold however they are chosen: by flag, by key, by an experiment file."""

from pathlib import Path

import pytest

from tests.helpers.cli import SERIAL, TINY, grokpipe
from tests.helpers.refused import command, experiment, refused

DRY = "hydra.launcher.dry_run=true"
SLURM_FILE = """# @package _global_
defaults:
  - override /hydra/launcher: slurm
hydra: {launcher: {partition: low, dry_run: true}}
"""


@pytest.fixture
def printed(tmp_path: Path, monkeypatch, capfd):
    """printed(…) → what a command that succeeds prints; it leaves nothing in the folder."""

    def run(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert command([*TINY, *arguments], tmp_path, monkeypatch) == 0
        out, err = capfd.readouterr()
        assert err == ""
        assert sorted(tmp_path.rglob("*")) == before
        return out

    return run


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ((), "in this process"),  # as it would be trained
        (("hydra/launcher=serial",), "in this process"),
        (("hydra/launcher=local",), "on this machine, 1 process"),
        (("hydra.launcher.wait=false",), "on this machine, 1 process"),
        (("hydra/launcher=slurm",), "as 1 SLURM job in the default partition"),
        (("hydra/launcher=slurm", "hydra.launcher.partition=low"), "SLURM job in partition low"),
    ],
)
def test_a_launcher_holds_for_one_cell(printed, arguments, where: str) -> None:
    out = printed(DRY, *arguments)
    assert "would train 1 cell," in out and where in out
    assert "nothing was submitted" in out


def test_what_slurm_refuses_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch, capfd
) -> None:
    """Neither the request nor its packs, none of which any job will train."""
    work, programs = tmp_path / "work", tmp_path / "programs"
    work.mkdir()
    programs.mkdir()
    refusal = "sbatch: error: invalid partition specified: nope"
    lines = {"sbatch": f"echo '{refusal}' >&2; exit 1", "squeue": "", "scontrol": "", "srun": ""}
    for name, line in lines.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    sweep = [*TINY, "-m", "seed=0,1", "hydra/launcher=slurm", "hydra.launcher.partition=nope"]
    for more in ((), ("hydra.launcher.wait=false",)):
        line = refused([*sweep, *more], work, monkeypatch, capfd)
        assert f"hydra/launcher=slurm: {refusal}" in line


def test_a_folder_of_earlier_releases_is_cleared_of_what_submitit_left(
    tmp_path: Path, monkeypatch, capfd
) -> None:
    literal = tmp_path / "outputs/default/jobs/%j"
    literal.mkdir(parents=True)
    assert command([*TINY, "steps=10"], tmp_path, monkeypatch) == 0
    left = {path.name for path in literal.parents[1].iterdir()}
    assert left == {"asked", "cells", "jobs", "packs"} and not literal.exists()
    literal.mkdir()
    (literal / "log").touch()
    assert command([*TINY, "steps=10"], tmp_path, monkeypatch) == 0
    assert (literal / "log").exists()


def test_one_cell_goes_to_the_launcher_that_was_chosen(tmp_path: Path, monkeypatch, capfd) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    line = refused([*TINY, "hydra/launcher=slurm"], tmp_path, monkeypatch, capfd)
    assert "sbatch is not on this machine" in line
    ran = grokpipe(*TINY, "hydra/launcher=local", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "test accuracy" in ran.stdout
    left = {path.name for path in (tmp_path / "outputs/default").iterdir()}
    assert left == {"asked", "cells", "packs"}


@pytest.mark.parametrize("sweep", [(), ("-m", "seed=0,1")])
def test_an_experiment_file_chooses_the_launcher(printed, tmp_path: Path, sweep) -> None:
    find = experiment(tmp_path, SLURM_FILE)
    out = printed(find, "experiment=mine", *sweep)
    assert "SLURM job in partition low" in out
    out = printed(find, "experiment=mine", "hydra.launcher.partition=high", *sweep)
    assert "SLURM job in partition high" in out


def test_the_command_line_wins_over_the_file(printed, tmp_path: Path) -> None:
    find = experiment(tmp_path, SLURM_FILE.replace("partition: low, ", ""))
    out = printed(find, "experiment=mine", SERIAL, "-m", "seed=0,1")
    assert "in this process" in out


def test_launchers_of_several_files_at_once_are_refused(tmp_path: Path, monkeypatch, capfd) -> None:
    find = experiment(tmp_path, SLURM_FILE)
    experiment(tmp_path, "# @package _global_\nseed: 3\n", "other")
    arguments = [*TINY, find, "experiment=mine,other", "-m"]
    line = refused(arguments, tmp_path, monkeypatch, capfd)
    assert "experiment=mine: its file sets the launcher" in line


def test_a_swept_experiment_composes_keys_of_its_own_groups(printed, tmp_path: Path) -> None:
    text = "# @package _global_\ndefaults: [override /arch: mlp_pairs, override /task: mod_add]\n"
    groups = f"{text}train_size: null\ntask: {{p: 7}}\nbatch_size: 8\n"
    find = experiment(tmp_path, groups)
    experiment(tmp_path, groups.replace("p: 7", "p: 11"), "other")
    own = ("train_size=null", "batch_size=8", "arch.embedding=4")
    assert "2 missing" in printed(find, "experiment=mine,other", *own, "-m", DRY)


def test_a_sweeper_holds(printed, tmp_path: Path, monkeypatch, capfd) -> None:
    for params in ('{seed:"0,1,2"}', '{seed:"range(3)"}'):
        assert "3 missing" in printed("-m", f"hydra.sweeper.params={params}", DRY)
    assert "2 missing" in printed("-m", 'hydra.sweeper.params.seed="0,1"', DRY)
    find = experiment(
        tmp_path,
        "# @package _global_\ndefaults: [override /hydra/sweeper: basic]\n"
        'hydra: {sweeper: {params: {seed: "0,1"}}}\n',
    )
    arguments = [*TINY, find, "experiment=mine", "-m", DRY]
    assert command(arguments, tmp_path, monkeypatch) == 0
    assert "2 missing" in capfd.readouterr().out
    assert (tmp_path / "outputs/default/multirun.yaml").exists()  # which Hydra's own writes


def test_a_range_gives_the_cell_of_its_decimal(tmp_path: Path, monkeypatch, capfd) -> None:
    base = [*TINY, "steps=2", "measures.names=[weights]", SERIAL]
    sweep = [*base, "-m", "weight_decay=range(0.1,0.4,0.1)"]
    assert command(sweep, tmp_path, monkeypatch) == 0
    assert len([*tmp_path.glob("outputs/default/cells/*")]) == 3
    for typed, cells in (("0.3", 3), ("3e-1", 3), ("0.30000000000000004", 4)):
        assert command([*base, f"weight_decay={typed}"], tmp_path, monkeypatch) == 0
        assert len([*tmp_path.glob("outputs/default/cells/*")]) == cells


def test_equal_grid_points_are_one_cell_and_a_line_counts_them(printed) -> None:
    out = printed("-m", "seed=0,0,1", "weight_decay=0.3,0.30,3e-1", "lr=1e-3,0.001", DRY)
    assert "16 of 18 grid points repeat another; each cell runs once" in out
    assert "2 missing" in out
    assert "repeat" not in printed("-m", "weight_decay=1,2", "lr=1,0.1", DRY)
    assert "1 of 2 grid points" in printed("-m", "weight_decay=1,1.0", DRY)
