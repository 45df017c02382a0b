"""Packs in training: known by a lease that a living process holds, and nowhere else."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.runs import gather
from analysis.runs.status import status
from grokpipe.store import lease, running
from tests.helpers.made_runs import key


@contextmanager
def trained(folder: Path, keys: list[str], name: str = "a") -> Iterator[Path]:
    """A pack of these cells, of which this process holds the lease."""
    pack = folder / "packs" / f"{name}.json"
    pack.parent.mkdir(exist_ok=True)
    pack.write_text(json.dumps({"keys": keys}))
    with lease.held(pack.with_suffix(".claim")) as held:
        assert held is not None
        yield pack.with_suffix(".claim")


def test_packs_are_those_of_living_holders(sweep: Path) -> None:
    assert list(running.packs(sweep)) == []
    with trained(sweep, ["x", "y"]) as claim, trained(sweep, ["z"], "b"):
        assert [(pack.id, pack.keys) for pack in running.packs(sweep)] == [
            ("a", ["x", "y"]), ("b", ["z"]),
        ]  # fmt: skip
        assert running.keys(sweep) == {"x", "y", "z"}
        content = json.loads(claim.read_text())
        claim.write_text(json.dumps({**content, "started": "another process of that number"}))
        assert running.keys(sweep) == {"z"}
        claim.with_suffix(".json").unlink()  # as of planning, which has no pack
        claim.write_text(json.dumps(content))
        assert running.keys(sweep) == {"z"}


def test_what_is_said_of_states_is_what_status_says(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ended cells of a pack in training have ended; of the others each is running."""
    pack = [key(0.3, 0), key(0.3, 4), key(0.3, 5), key(0.01, 1)]  # the last has no run log yet
    with trained(sweep, pack):
        tables = gather.read(sweep)
        states = tables.cells["state"].value_counts()
        found = status(sweep).states
        assert (states["running"], states["interrupted"]) == (2, found["interrupted"]) == (2, 5)
        assert found["running"] == 3
        assert main(["timescales", str(sweep)]) == 0
        told = capsys.readouterr().err
        assert re.search(r"note: .*\b5 interrupted\b", told) and "2 running" in told
        events = pd.read_csv(sweep / "tables" / "events.csv", dtype={"key": str})
        assert set(events.loc[events["state"] == "running", "key"]) <= set(pack)
        stored = pd.read_parquet(sweep / "cells.parquet")
        assert set(stored.loc[stored["state"] == "running", "key"]) == set(pack[1:3])
    # the process has ended
    assert set(gather.read(sweep).cells["state"]) == {"done", "diverged", "failed", "interrupted"}
    stored = pd.read_parquet(sweep / "cells.parquet")
    assert "running" not in set(stored["state"])
