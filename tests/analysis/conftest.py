"""A small folder of run logs with made-up curves, in the format that training writes."""

from pathlib import Path

import pytest

from grokpipe.store.run_log import RunLog
from tests.helpers.made_runs import DECAYS, SEEDS, ask, key, two_decays, write_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two decays, three seeds each; with the smaller one, one run never groks."""
    return two_decays(tmp_path / "runs")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two submissions that share cells; cells in every state but running."""
    folder = tmp_path / "sweep"
    keys = [key(decay, seed) for decay in DECAYS for seed in range(SEEDS)]
    ask(folder, keys[: 2 * SEEDS])
    ask(folder, keys[SEEDS:], loss="cross_entropy")
    for seed in range(4):
        write_run(folder, seed, 0.3, 100)
        write_run(folder, seed, 0.1, 100, state="diverged" if seed else "done")
    for seed in range(4, 7):
        write_run(folder, seed, 0.3, 100, state=None)
        write_run(folder, seed, 0.01, 100, state=None)
    RunLog(write_run(folder, 7, 0.3, 100, state=None)).fail("ValueError: seven", "a trace")
    write_run(folder, 99, 0.3, 100)  # nobody asked for these two
    write_run(folder, 98, 0.3, 100, state=None)
    return folder
