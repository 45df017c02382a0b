"""Snapshots: which steps, what is on disk, and what a damaged file says."""

import re
from pathlib import Path

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.launch.launcher import snapshot_bytes
from grokpipe.saved_run import load_run
from grokpipe.schedule import evaluation_steps, spaced_steps
from grokpipe.store import snapshots
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.cli import SERIAL, TINY, grokpipe
from tests.helpers.training import same


def test_weights_come_back_to_the_bit(cell, tmp_path: Path) -> None:
    pack = Pack([cell("seed=0"), cell("seed=1")])
    kept = {}
    for step in (0, 3):
        pack.advance(step - pack.step)
        kept[step] = pack.outputs(1).parameters
        snapshots.save(tmp_path, step, pack.cell_parameters(1))  # views of the stack
    pack.advance(5)
    assert snapshots.steps(tmp_path) == [0, 3]
    for step, expected in kept.items():
        found = snapshots.load(tmp_path, step)
        assert list(found) == list(expected)
        for name, parameter in found.items():
            assert torch.equal(parameter, expected[name])
            assert parameter.dtype == torch.float32
            assert parameter.untyped_storage().nbytes() == 4 * parameter.numel()


def test_files_are_as_large_as_foretold(cell, tmp_path: Path) -> None:
    one = cell("arch.width=200", "steps=10", "snapshots=log:4")
    pack = Pack([one, one])
    steps = spaced_steps(4, evaluation_steps("published", None, 10))
    for step in steps:
        snapshots.save(tmp_path, step, pack.cell_parameters(0))
    files = list((tmp_path / "snapshots").iterdir())
    assert len(files) == len(steps)
    on_disk = sum(file.stat().st_size for file in files)
    assert on_disk == pytest.approx(snapshot_bytes(one), rel=0.01)


def test_only_whole_snapshots_are_listed(tmp_path: Path) -> None:
    assert snapshots.steps(tmp_path) == []
    for step in (100, 9):
        snapshots.save(tmp_path, step, {"w": torch.ones(2)})
    (tmp_path / "snapshots" / ".200.pt.17.tmp").write_bytes(b"half")
    (tmp_path / "snapshots" / "notes.pt").write_bytes(b"")
    assert snapshots.steps(tmp_path) == [9, 100]


def test_a_snapshot_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        snapshots.save(tmp_path, 5, {"w": torch.full((2,), value)})
    assert torch.equal(snapshots.load(tmp_path, 5)["w"], torch.full((2,), 2.0))
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["5.pt"]


@pytest.mark.parametrize("left", [0, 10, 300, -20])
def test_a_damaged_snapshot_is_named(tmp_path: Path, left: int) -> None:
    snapshots.save(tmp_path, 5, {"w": torch.ones(200)})
    file = tmp_path / "snapshots" / "5.pt"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(InputError, match=r"snapshots/5\.pt: damaged"):
        snapshots.load(tmp_path, 5)


def test_a_missing_snapshot_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"snapshots/7\.pt: no such snapshot; valid: none"):
        snapshots.load(tmp_path, 7)
    for step in (0, 5):
        snapshots.save(tmp_path, step, {"w": torch.ones(2)})
    with pytest.raises(InputError, match="valid: 0, 5"):
        snapshots.load(tmp_path, 7)


def test_a_run_keeps_them_states_their_size_first_and_they_are_its_weights(tmp_path: Path) -> None:
    command = (*TINY, "seed=0,1", "eval={schedule: regular, every: 10}")
    ran = grokpipe("-m", SERIAL, *command, "snapshots=log:4", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    stated = re.match(r"snapshots=log:4: ([\d.]+) MB in outputs/default", ran.stdout)
    assert stated
    logs = sorted((tmp_path / "outputs/default/cells").iterdir())
    files = [path for log in logs for path in (log / "snapshots").iterdir()]
    assert sum(path.stat().st_size for path in files) == pytest.approx(
        1e6 * float(stated[1]), rel=0.2
    )
    for log in logs:
        assert snapshots.steps(log) == [0, 10, 20, 40]
        final = torch.load(log / "final.pt", weights_only=True)["parameters"]
        assert same(snapshots.load(log, 40), final)
        start = initial_network(load_run(log).cell).state_dict()
        assert same(snapshots.load(log, 0), dict(start))
    # the key does not depend on them: who asks later is told
    again = grokpipe("-m", SERIAL, *command, "seed=0,1,2", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    last = grokpipe("-m", SERIAL, *command, "seed=0,1,2", "snapshots=log:4", cwd=tmp_path)
    assert "1 cell is done without snapshots; force=true trains finished cells again" in last.stdout
    forced = grokpipe(*TINY, command[-1], "seed=2", "snapshots=log:4", "force=true", cwd=tmp_path)
    assert forced.returncode == 0, forced.stderr
    assert "1 run log moved to outputs/default/aside/" in forced.stdout
    (aside,) = (tmp_path / "outputs/default/aside").glob("*/cells/*")
    here = tmp_path / "outputs/default/cells" / aside.name
    assert snapshots.steps(here) == [0, 10, 20, 40] and not snapshots.steps(aside)
    assert (here / "curves.parquet").read_bytes() == (aside / "curves.parquet").read_bytes()
