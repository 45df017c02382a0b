"""Lines on how half-changes were read, from runs of each kind."""

import numpy as np

from analysis.runs.tables import Tables
from analysis.times import half_changes
from analysis.times.timescales import events, undefined
from tests.helpers.made_curves import ENTROPY, RNC1, jump, made

FALLS, HALF = jump(9, 0.8, 0.2), f"half({ENTROPY})"
NAMES = [HALF, "tau_rnc1_half", "t_grok"]


def lines(*runs: dict[str, object]) -> list[str]:
    tables = made(*runs)
    return half_changes.notes(events(tables, [HALF]), NAMES)


def test_each_way_of_reading_is_counted() -> None:
    plain = {ENTROPY: FALLS, RNC1: FALLS, "train_accuracy": jump(3, 0.1, 1.0)}
    assert lines(plain, plain) == []
    both = f"{HALF}, tau_rnc1_half"
    never = plain | {"train_accuracy": np.full(20, 0.5)}
    assert lines(plain, never, never) == [
        f"note: 2 of 3 runs: {both} not observed, as t_mem was not; half(column, first) needs none"
    ]
    unlogged = plain | {"train_accuracy": np.full(20, np.nan)}
    assert lines(plain, unlogged) == [
        f"note: 1 of 2 runs: {both} counted from the first value, without t_mem"
    ]
    early = plain | {RNC1: jump(2, 0.8, 0.2)}
    assert lines(early, plain) == [
        "note: 1 of 2 runs: tau_rnc1_half lies anywhere before t_mem, as it was over by then"
    ]
    # right after it is not before it
    assert lines(plain | {RNC1: jump(4, 0.8, 0.2)}) == []
    # one that is still training may memorise yet
    assert lines(plain, never | {"state": "running"}) == []


def test_runs_without_training_accuracy_are_read_from_the_first_value() -> None:
    adopted = {ENTROPY: FALLS, RNC1: FALLS}
    assert lines(adopted) == [
        f"note: 1 of 1 runs: {HALF}, tau_rnc1_half counted from the first value, without t_mem"
    ]
    found = events(made(adopted)).set_index("event").loc["tau_rnc1_half"]
    assert (found["step"], found["lower"], found["observed"]) == (900, 800, True)


def test_every_command_says_so() -> None:
    tables: Tables = made({ENTROPY: FALLS, RNC1: FALLS})
    long = events(tables)
    assert undefined(long, tables, ["weight_decay"], ["t_entropy_half"]) == [
        "note: 1 of 1 runs: t_entropy_half counted from the first value, without t_mem"
    ]
    assert undefined(long, tables, ["weight_decay"], ["tau_rnc1@0.1"]) == []
