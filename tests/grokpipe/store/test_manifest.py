"""Requests for cells, and how far each cell is."""

from pathlib import Path

import pandas as pd

from grokpipe.store import manifest, run_log
from grokpipe.store.run_log import RunLog


def test_networks_whose_keys_of_one_name_have_other_types_are_requested(tmp_path: Path) -> None:
    """arch.embedding is a width of one network and a word of the other (entropy/e7_mlp)."""
    rows = [{"key": "a", "arch.embedding": 128}, {"key": "b", "arch.embedding": "unit"}]
    manifest.record_asked(tmp_path, rows)
    assert manifest.read_asked(tmp_path)["arch.embedding"].tolist() == ["128", "unit"]


def test_a_key_may_be_null_throughout_a_request(tmp_path: Path) -> None:
    """init_scale has no effect with task=equations; pandas warned of it, between a user's lines."""
    for scale in (None, 8.0):
        rows = [{"key": str(scale), "experiment": "demo", "init_scale": scale}]
        manifest.record_asked(tmp_path, rows)
    asked = manifest.read_asked(tmp_path)["init_scale"]
    assert asked.isna().tolist() == [True, False] and asked.tolist()[1] == 8.0


def test_every_request_is_kept_with_its_time(tmp_path: Path) -> None:
    assert manifest.read_asked(tmp_path).empty
    before = pd.Timestamp.now("UTC").floor("s")
    manifest.record_asked(tmp_path, [{"key": "a", "experiment": None, "seed": 0}])
    manifest.record_asked(
        tmp_path,
        [
            {"key": "b", "experiment": "demo", "seed": 1},
            {"key": "a", "experiment": "demo", "lr": 0.1},
        ],
    )
    asked = manifest.read_asked(tmp_path)
    assert asked["key"].tolist() == ["a", "b", "a"]
    assert asked["experiment"].tolist()[1:] == ["demo", "demo"]
    assert asked["seed"].tolist()[:2] == [0, 1] and asked["lr"].tolist()[2] == 0.1
    times = pd.to_datetime(asked["asked"])
    assert ((before <= times) & (times <= pd.Timestamp.now("UTC"))).all()


def test_states_of_run_logs(tmp_path: Path) -> None:
    for state in ("interrupted", "done", "diverged", "failed"):
        log = RunLog(manifest.cells_folder(tmp_path) / state)
        log.start({"seed": 1}, {})
        if state == "failed":
            log.fail("ValueError: no", "a trace")
        elif state != "interrupted":
            log.append({"step": 0})
            log.finish(state, 0, "reached its steps", 1.0)
    keys = ["missing", "interrupted", "done", "diverged", "failed"]
    assert manifest.states(tmp_path, keys) == {key: key for key in keys}
    assert manifest.all_ended(tmp_path, keys[2:])
    assert not manifest.all_ended(tmp_path, keys[1:])
    assert not manifest.all_ended(tmp_path, keys[:1])
    (manifest.cells_folder(tmp_path) / "done" / run_log.RESULT).unlink()
    assert manifest.states(tmp_path, ["done"]) == {"done": "interrupted"}
