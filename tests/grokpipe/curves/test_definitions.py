"""The registry: what can be asked for by name, what is refused, and what a task shows."""

import re

import numpy as np
import pytest

from grokpipe.config import registry
from grokpipe.curves import definitions
from grokpipe.curves.definitions import (
    EVENTS,
    SHOWN,
    TASKS,
    canonical,
    columns,
    complaint,
    definition_of,
    is_ratio,
    run_events,
    shown,
)
from grokpipe.curves.kinds import Crossing, Fall
from grokpipe.errors import InputError

NAMES = (
    "tau1 tau2_rise tau2_half tau2_arrive tau2_most t_mem t_grok tau_rnc1@0.2 tau_rnc1@0.1 "
    "tau_rnc1@0.05 tau_rnc1@0.01 t_grok_sustained tau_rnc1_half t_collapse t_collapse_last t_cross "
    "t_entropy_half tau2_rise/tau1 tau2_half/tau1 tau2_arrive/tau1"
).split()


def test_the_names_and_their_order_are_those_of_stored_tables() -> None:
    assert list(EVENTS) == NAMES


def test_columns_include_those_of_the_events_that_an_event_refers_to() -> None:
    assert columns() == (
        "train_accuracy", "test_accuracy", "collapse/rnc1", "spectral/entropy_train"
    )  # fmt: skip
    assert columns(["t_cross"]) == ("spectral/entropy_train", "test_accuracy")
    assert columns(["t_collapse_last"]) == columns(["t_cross"])
    assert columns(["tau2_half/tau1"]) == ("test_accuracy", "train_accuracy")
    assert columns(["sustained(weight_norm<3, 2)"]) == ("weight_norm",)


def test_an_entry_and_a_condition_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENTS, "t_flat", Crossing("kappa", 0.5, rising=False))
    run = {"step": np.arange(4) * 10, "kappa": np.array([0.9, 0.5, 0.4, 0.6])}
    found = run_events(run, 0.1, 30, True)
    assert list(found) == ["t_flat"]  # nothing else was measured
    assert run_events(run, 0.1, 30, True, names=["kappa<=0.5"]) == {"kappa<=0.5": found["t_flat"]}
    names = ["t_flat", "kappa<0.5", "t_grok"]
    assert {n: e.step for n, e in run_events(run, 0.1, 30, True, names=names).items()} == {
        "t_flat": 10, "kappa<0.5": 20
    }  # fmt: skip
    assert "kappa" in columns() and complaint("t_flat") is None


def test_a_name_or_one_spelling() -> None:
    for name in EVENTS:
        assert canonical(f" {name} ") == name
        assert definition_of(name) is EVENTS[name]
    assert canonical("test_accuracy >= 0.90") == "test_accuracy>=0.9"
    # a condition that means what a name means is no other spelling of the name
    assert canonical("train_accuracy>=1") == "train_accuracy>=1"
    with pytest.raises(InputError, match=r"t_grock: no such event; valid: tau1, .*test_accuracy>="):
        canonical("t_grock")
    with pytest.raises(InputError, match="x=1: not a condition; valid: column>=number"):
        canonical("x=1")


def test_training_can_wait_for_what_it_can_know() -> None:
    valid = [name for name in EVENTS if complaint(name) is None]
    assert valid == [
        "tau1", "tau2_rise", "t_mem", "t_grok", "tau_rnc1@0.2", "tau_rnc1@0.1", "tau_rnc1@0.05",
        "tau_rnc1@0.01", "t_grok_sustained", "t_collapse",
    ]  # fmt: skip
    reasons = {
        "tau2_half": "the final value", "tau2_arrive": "the final value",
        "tau2_most": "the final value",
        "t_cross": "a level learned from other runs", "tau2_half/tau1": "the ratio of two times",
        "t_collapse_last": "whether another fall comes before t_grok",
    }  # fmt: skip
    for name, reason in reasons.items():
        why = complaint(name)
        assert why and f"training cannot know {reason}; must be one of tau1, tau2_rise" in why
        assert why.count("\n") == 0
    assert "must be one of tau1" in (complaint("tau3") or "")
    assert "valid: column>=number" in (complaint("test_accuracy>>1") or "")
    assert complaint("sustained(test_accuracy>=0.99, 5)") is None


def test_what_a_task_shows() -> None:
    assert shown(["mnist"]) == shown(["mnist", "fashion_mnist"]) == SHOWN["images"]
    assert shown(["cifar10"]) == shown(["sentences", "mnist"]) == SHOWN["images"]
    assert "tau2_most" not in SHOWN["images"]  # when it is asked for
    assert not [name for name in SHOWN["images"] if name == "t_cross" or name.startswith("t_grok")]
    assert all(name.startswith("t_") for name in shown(["mod_add"]))
    both = [name for name in EVENTS if name in {*SHOWN["images"], *SHOWN["tokens"]}]
    assert list(shown(["mnist", "symmetric"])) == both
    assert list(shown(["a_task_of_ones_own"])) == both
    assert {name for names in SHOWN.values() for name in names} <= EVENTS.keys()


@pytest.mark.parametrize("task", registry.names("tasks"))
def test_the_kind_of_a_task_is_that_of_its_inputs(token_cell, cell, task, request) -> None:
    if task in ("fashion_mnist", "cifar10"):
        request.getfixturevalue(task)
    if TASKS[task] == "text":
        assert SHOWN["text"] == SHOWN["images"]
        return  # one paper's, whatever the inputs
    make = cell if TASKS[task] == "images" else token_cell
    choice = {"symmetric": "s5"}.get(task, task)
    assert make(f"task={choice}").tokens == (TASKS[task] != "images")


def test_ratios_are_told_from_conditions_on_columns_with_a_slash() -> None:
    assert [name for name in EVENTS if is_ratio(name)] == NAMES[-3:]
    assert not is_ratio("spectral/entropy_train<=0.5")
    assert not is_ratio("sustained(collapse/rnc1<0.1, 2)")


def test_the_fall_of_the_registry_is_that_of_the_guide() -> None:
    """Phases (grokpipe/curves/phases.py) and t_collapse speak of one fall."""
    fall = EVENTS["t_collapse"]
    assert isinstance(fall, Fall) and (fall.by, fall.window) == (0.05, 5)


def test_the_documented_events_are_those_of_the_registry() -> None:
    from tests.helpers.cli import ROOT

    text = (ROOT / "docs" / "statistics.md").read_text()
    section = text[text.index("## Events") : text.index("## Medians")]
    named = set(re.findall(r"`((?:tau|t_)[\w@.]*)`", section))
    assert {n for n in EVENTS if "@" not in n and not is_ratio(n)} <= named
    assert definitions.__name__.replace(".", "/") in section


def test_a_run_that_did_not_measure_collapse_has_no_such_event() -> None:
    curves = {"step": [0, 10], "train_accuracy": [0.1, 1.0], "test_accuracy": [0.1, 0.1]}
    found = run_events({name: np.array(values) for name, values in curves.items()}, 0.1, 320, True)
    assert "tau1" in found and not any("rnc1" in name for name in found)
