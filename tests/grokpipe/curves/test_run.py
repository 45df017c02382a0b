"""The curves of one run as events read them."""

import math

import pytest

from grokpipe.curves.events import Event
from grokpipe.curves.kinds import Crossing
from grokpipe.curves.run import Run

EVENTS = {"rises": Crossing("x", 0.5), "of_another_column": Crossing("y", 0.5)}


def run(**curves: list[float]) -> Run:
    return Run({"step": [0, 10, 20], **curves}, 0.1, 100, True, EVENTS)


def test_evaluations_without_a_value_are_not_known() -> None:
    steps, values = run(x=[0.0, math.nan, 1.0]).known("x")
    assert (steps.tolist(), values.tolist()) == ([0, 20], [0.0, 1.0])


def test_plateaus_are_those_of_the_known_values() -> None:
    first, final = run(x=[math.nan, 0.25, 0.25]).plateaus("x")
    assert (first, final) == (0.25, 0.25)


def test_a_run_without_the_column_of_an_event_does_not_have_it() -> None:
    assert run(x=[0.0, 0.4, 0.6]).time("rises") == Event(20, True, 10, 20, 100)
    assert run(x=[0.0, 0.4, 0.6]).time("of_another_column") is None


@pytest.mark.parametrize(("values", "logged"), [([math.nan] * 3, False), ([math.nan, 1, 1], True)])
def test_a_column_without_a_value_is_not_logged(values: list[float], logged: bool) -> None:
    assert run(x=values).logged("rises") == logged
    assert not run(x=values).logged("of_another_column")
