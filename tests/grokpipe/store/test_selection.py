"""Run logs chosen by their configuration, held to a plain loop over it."""

import random
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from grokpipe.errors import InputError
from grokpipe.store import lease, manifest
from grokpipe.store.run_log import RunLog
from grokpipe.store.selection import select

GRID = [
    (decay, seed, name) for decay in (1.0, 0.1) for seed in (10, 9, 2) for name in ("none", "x")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve runs, the keys of which are in no order of their configuration; one is unfinished."""
    folder = tmp_path_factory.mktemp("selection")
    keys = random.Random(0).sample(range(10**6), len(GRID))
    for key, (decay, seed, name) in zip(keys, GRID):
        log = RunLog(manifest.cells_folder(folder) / f"{key:06d}")
        config = {
            "intervention": {"name": name}, "weight_decay": decay, "seed": seed,
            "flag": name == "x", "batch_size": None if name == "x" else 16,
            "measures": {"names": ["weights", "logits"]},
            "outputs": "o", "name": "n",
        }  # fmt: skip
        log.start(config, {})
        log.append({"step": 0})
        if (decay, seed, name) != GRID[0]:
            log.finish("done", 0, "reached its steps", 1.0)
    return folder


def grid(folder: Path, **wanted: object) -> list[tuple]:
    configs = [OmegaConf.load(log / "config.yaml") for log in select(folder, wanted)]
    return [(c.weight_decay, c.seed, c.intervention.name) for c in configs]


@pytest.mark.parametrize(
    "wanted, matches",
    [
        ({}, lambda d, s, n: True),
        ({"weight_decay": 1}, lambda d, s, n: d == 1.0),
        ({"seed": [2, 10]}, lambda d, s, n: s in (2, 10)),
        ({"seed": range(3)}, lambda d, s, n: s == 2),
        ({"intervention": "x", "seed": 9}, lambda d, s, n: (n, s) == ("x", 9)),
        ({"intervention.name": ["none"]}, lambda d, s, n: n == "none"),
        ({"batch_size": None}, lambda d, s, n: n == "x"),
        ({"batch_size": [None, 16]}, lambda d, s, n: True),
        ({"flag": True}, lambda d, s, n: n == "x"),
        ({"measures.names": [["weights", "logits"]]}, lambda d, s, n: True),
        ({"state": "interrupted"}, lambda d, s, n: (d, s, n) == GRID[0]),
        ({"state": ["done", "diverged"]}, lambda d, s, n: (d, s, n) != GRID[0]),
    ],
)  # fmt: skip
def test_those_that_match_come_in_order(folder: Path, wanted: dict, matches) -> None:
    """Of the configuration's keys in their order, numbers by size; the seed last."""
    expected = sorted((n, d, s) for d, s, n in GRID if matches(d, s, n))
    assert grid(folder, **wanted) == [(d, s, n) for n, d, s in expected]


def test_a_cell_in_training_is_running(folder: Path) -> None:
    (log,) = select(folder, {"state": "interrupted"})
    (folder / "packs").mkdir()
    (folder / "packs/a.json").write_text(f'{{"keys": ["{log.name}"]}}')
    with lease.held(folder / "packs/a.claim"):
        assert select(folder, {"state": "running"}) == [log]


@pytest.mark.parametrize(
    "wanted, told",
    [
        ({"weight_decy": 1.0}, "weight_decy: no such key; nearest: weight_decay, "),
        ({"outputs": "o"}, "outputs: no such key"),
        ({"weight_decay": 0.5}, "no run has weight_decay = 0.5; there are: 0.1, 1.0"),
        ({"weight_decay": "0.1"}, "no run has weight_decay = '0.1'; there are: 0.1, 1.0"),
        ({"batch_size": [8, 32]}, "no run has batch_size = 8 or 32; there are: 16, null"),
        ({"flag": 1}, "no run has flag = 1; there are: false, true"),
        ({"seed": []}, "no run has seed = one of no values; there are: 2, 9, 10"),
        ({"batch_size": None, "intervention": "none"},
         "no run has all of batch_size = None, intervention.name = 'none'"),
    ],
)  # fmt: skip
def test_what_matches_nothing_is_told_with_what_is_there(folder: Path, wanted, told) -> None:
    with pytest.raises(InputError) as refused:
        select(folder, wanted)
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_folders_without_run_logs_and_broken_ones_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no run logs .* valid: "):
        select(folder / "nowhere", {})
    log = next(manifest.cells_folder(folder).iterdir())
    text = (log / "config.yaml").read_text()
    (log / "config.yaml").write_text("seed: [1\n")
    with pytest.raises(InputError, match=f"{log}/config.yaml: cannot be read"):
        select(folder, {})
    (log / "config.yaml").write_text(text)
