"""Followed evaluation by evaluation, an event is the one that the whole curve has."""

import math

import numpy as np
import pytest

from grokpipe.curves.definitions import EVENTS, columns, run_events
from grokpipe.curves.follower import Follower

FOLLOWED = [name for name, definition in EVENTS.items() if not definition.afterwards]
CONDITIONS = ["test_accuracy>0.6", "sustained(test_accuracy>=0.6, 3)", "collapse/rnc1<0.3"]


def random_run(draws: np.random.Generator) -> dict[str, np.ndarray]:
    n = int(draws.integers(1, 40))
    rising = np.linspace(0, 1.3, n)[None] + draws.normal(0, 0.2, (2, n))
    falling = np.linspace(1, 0, n)[None] + draws.normal(0, 0.1, (2, n))
    values = [*rising.clip(0, 1).round(2), *falling.clip(0, 1).round(2)]
    if draws.random() < 0.5:
        for value in values:
            value[draws.random(n) < 0.3] = math.nan
    names = ("train_accuracy", "test_accuracy", "collapse/rnc1", "spectral/entropy_train")
    return {"step": np.cumsum(draws.integers(1, 9, n)), **dict(zip(names, values, strict=True))}


@pytest.mark.parametrize("name", [*FOLLOWED, *CONDITIONS])
def test_it_is_the_event_of_the_whole_curve(name: str) -> None:
    draws, observed = np.random.default_rng(4), 0
    for _ in range(150):
        run = random_run(draws)
        expected = run_events(run, 0.1, 999, False, names=[name])[name]
        follower, cut = Follower(name, chance=0.1), int(draws.integers(40))
        for place in range(len(run["step"])):
            if place == cut:  # continued from what was kept of it
                kept, follower = follower.state_dict(), Follower(name, chance=0.1)
                follower.load_state_dict(kept)
            follower.observe({column: float(values[place]) for column, values in run.items()})
        assert follower.event == (expected.step if expected.observed else None)
        observed += expected.observed
    assert observed > 10
    assert columns([name]) == (follower.column,)


def test_rows_of_rows() -> None:
    """Three evaluations in a row that each begin five are seven."""
    for rows, first in ((1, 10), (3, 10), (4, None)):
        follower = Follower("sustained(x>=1, 5)", rows=rows)
        for step in range(30):
            follower.observe({"step": step, "x": float(10 <= step < 17)})
        assert follower.event == first
