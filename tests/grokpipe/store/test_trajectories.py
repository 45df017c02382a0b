"""Trajectories of baselines: their mean, and files that are what they are named by."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from grokpipe.errors import InputError
from grokpipe.store import trajectories
from grokpipe.store.trajectories import Trajectory


def test_a_trajectory_is_held_after_its_end_seed_by_seed() -> None:
    columns = ("step", "weight_norm", "logits/scale")
    runs = [
        {"step": [0, 10, 20], "weight_norm": [4.0, 6.0, 8.0], "logits/scale": [1.0, 1.0, 1.0]},
        {"step": [0, 10], "weight_norm": [2.0, 4.0], "logits/scale": [1.0, 3.0]},
    ]
    found = trajectories.mean([{c: run[c] for c in columns} for run in runs])
    assert found.steps == (0, 10, 20)
    assert found.weight_norm == (3.0, 5.0, 6.0)
    assert found.at(15).weight_norm == 5.5 and found.at(99).weight_norm == 6.0
    assert found.at(5).logit_scale == 1.5


def test_hash_is_of_the_content() -> None:
    one = Trajectory((0, 5), (1.0, 2.0), (0.5, 0.5))
    assert one.hash == dataclasses.replace(one).hash
    assert one.hash != dataclasses.replace(one, weight_norm=(1.0, 2.0000000000000004)).hash


def test_the_mean_is_that_of_the_interpolated_seeds() -> None:
    """Three seeds on grids of their own, by a loop over all steps."""
    draws = np.random.default_rng(0)
    runs = []
    for every in (2, 3, 5):
        steps = np.arange(0, 31, every)
        runs.append(
            {"step": steps, "weight_norm": draws.normal(size=len(steps)),
             "logits/scale": draws.normal(size=len(steps))}
        )  # fmt: skip
    found = trajectories.mean(runs)
    assert list(found.steps) == sorted({step for run in runs for step in run["step"].tolist()})
    for step in found.steps:
        values = []
        for run in runs:
            at, of = run["step"].tolist(), run["weight_norm"].tolist()
            before = max(i for i, s in enumerate(at) if s <= step)
            after = min(before + 1, len(at) - 1)
            share = (step - at[before]) / (at[after] - at[before]) if after > before else 0
            values.append(of[before] + share * (of[after] - of[before]))
        assert found.at(step).weight_norm == pytest.approx(sum(values) / 3)


def test_a_file_that_was_edited_is_refused(compose, tmp_path: Path) -> None:
    one = Trajectory((0, 5), (1.0, 2.0), (0.5, 0.5))
    config = compose(
        "task=mod_add", "intervention=norm_match", f"outputs={tmp_path}", "name=x",
    )  # fmt: skip
    config.intervention = dataclasses.replace(config.intervention, trajectory=one.hash)
    file = trajectories.trajectory_file(tmp_path / "x", one.hash)
    with pytest.raises(InputError, match=r"intervention\.trajectory=.*no such file"):
        trajectories.read_for(config)
    file.parent.mkdir(parents=True)
    file.write_text(one.text)
    assert trajectories.read_for(config) == one
    other = file.with_stem("0" * 16)
    other.write_text(json.dumps(json.loads(one.text)))
    config.intervention = dataclasses.replace(config.intervention, trajectory=other.stem)
    with pytest.raises(InputError, match="its content does not match the hash"):
        trajectories.read_for(config)
