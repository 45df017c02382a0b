"""When a cell ends: by its rule, counted in evaluations and steps, or because it diverges."""

import math

import pytest

from grokpipe.config.schema import StopConfig
from grokpipe.training.early_stopping import EarlyStopping


def ends(accuracies: list[float], sustained: int, margin: int, every: int = 10) -> int | None:
    """The step at which a run with these test accuracies ends, as loop.py asks for it: an
    evaluation is observed after the question at its own step."""
    stopping = EarlyStopping(StopConfig("t_grok", sustained, margin))
    for i, accuracy in enumerate(accuracies):
        if stopping.ends(every * i):
            return every * i
        stopping.observe({"step": every * i, "train_loss": 1.0, "test_accuracy": accuracy})
    return None


@pytest.mark.parametrize(
    ("accuracies", "sustained", "margin", "end"),
    [
        ([0, 1, 1, 1, 1, 1, 1, 1, 1], 1, 0, 20),  # known one evaluation later
        ([0, 1, 1, 1, 1, 1, 1, 1, 1], 3, 0, 40),
        ([0, 1, 1, 1, 1, 1, 1, 1, 1], 3, 50, 60),  # margin from the first of the three
        ([0, 1, 1, 1, 1, 1, 1, 1, 1], 3, 55, 70),
        ([0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0], 3, 50, 110),  # un-grokking after it is no matter
        ([0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0], 3, 0, None),
        ([0.98] * 9, 1, 0, None),
    ],
)
def test_the_rule(accuracies, sustained, margin, end) -> None:
    assert ends(accuracies, sustained, margin) == end


def test_without_a_rule_nothing_ends() -> None:
    stopping = EarlyStopping(StopConfig())
    for step in range(9):
        stopping.observe({"step": step, "train_loss": 0.0, "test_accuracy": 1.0})
        assert stopping.ends(step) is None


@pytest.mark.parametrize("row", [{"train_loss": math.nan}, {"weight_norm": math.inf}])
def test_the_first_evaluation_that_is_not_finite_is_remembered(row) -> None:
    stopping = EarlyStopping(StopConfig())
    for step in (10, 20, 30):
        stopping.observe({"step": step, "train_loss": 1.0, **(row if step > 10 else {})})
    assert stopping.diverged == 20


def test_the_state_continues_it() -> None:
    first, second = (EarlyStopping(StopConfig("t_grok", 3, 50)) for _ in range(2))
    for step in (10, 20):
        first.observe({"step": step, "train_loss": 1.0, "test_accuracy": 1.0})
    second.load_state_dict(first.state_dict())
    second.observe({"step": 30, "train_loss": 1.0, "test_accuracy": 1.0})
    assert (second.event, second.ends(59), bool(second.ends(60))) == (10, None, True)


@pytest.mark.parametrize("event", ["test_accuracy>=0.9", "sustained(test_accuracy>=0.9, 1)"])
def test_a_condition_is_a_rule_like_a_name(event: str) -> None:
    stopping = EarlyStopping(StopConfig(event, 2, 15))
    for step, accuracy in ((0, 0.1), (10, 0.9), (20, math.nan), (30, 0.95), (40, 0.1)):
        assert stopping.ends(step) is None or step == 40
        stopping.observe({"step": step, "train_loss": 1.0, "test_accuracy": accuracy})
    # an evaluation with NaN counts for nothing, so that 10 and 30 are two in a row
    assert stopping.ends(24) is None
    assert stopping.ends(25) == f"{event} at 10, and 15 steps"


def test_a_level_that_depends_on_the_classes() -> None:
    for chance, expected in ((0.1, 20), (0.01, 10)):
        stopping = EarlyStopping(StopConfig("tau2_rise", 1, 0), chance)
        for step, accuracy in ((0, 0.1), (10, 0.15), (20, 0.3), (30, 0.3), (40, 0.3)):
            stopping.observe({"step": step, "train_loss": 1.0, "test_accuracy": accuracy})
        assert stopping.event == expected


def test_the_state_has_the_keys_of_older_checkpoints() -> None:
    assert (
        EarlyStopping(StopConfig()).state_dict()
        == EarlyStopping(StopConfig("t_grok", 3, 50)).state_dict()
        == {"since": None, "count": 0, "event": None, "diverged": None}
    )
    older = {"since": 10, "count": 2, "event": None, "diverged": None}
    for rule in (StopConfig("t_grok", 3, 50), StopConfig("t_collapse", 3, 50), StopConfig()):
        stopping = EarlyStopping(rule)
        stopping.load_state_dict(older)
        assert stopping.event is None
