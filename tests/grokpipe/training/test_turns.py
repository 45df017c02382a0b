"""Cells in turns, and whole steps compiled, against the plain lockstep."""

import copy
from pathlib import Path
from threading import Event

import pytest
import torch

from grokpipe.errors import Interrupted
from grokpipe.optimizers import adamw
from grokpipe.testing.training import check_whole_step
from grokpipe.training.execution import Execution
from grokpipe.training.loop import train
from grokpipe.training.pack import Pack
from grokpipe.training.programs import compiling
from tests.helpers.training import quiet, run_logs, same

TURNS = Execution("turns")
INTERVENTIONS = [
    [],
    ["intervention=mixing", "intervention.alpha=0.3"],
    ["intervention=noise", "intervention.alpha=0.3"],
    ["intervention=norm_freeze", "intervention.from_step=4", "intervention.from_event=null"],
    ["optimizer=sgd", "lr=0.05", "optimizer.momentum=0.9"],
    ["optimizer=sgd", "lr=0.05"],
    ["lr_warmup=5"],
]


def cells(make, overrides=(), count=3):
    """Cells that differ in seed and decay, trained in float64."""
    own = ("dtype=float64", *overrides)
    return [make(f"seed={i // 2}", f"weight_decay={i}", *own) for i in range(count)]


def assert_close(one: dict, two: dict) -> None:
    for name, parameter in one.items():
        torch.testing.assert_close(two[name], parameter, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("overrides", INTERVENTIONS, ids=lambda own: " ".join(own[:1]) or "plain")
def test_turns_are_lockstep_in_another_order(token_cell, overrides) -> None:
    both = cells(token_cell, overrides)
    lockstep, turns = Pack(both), Pack(both, execution=TURNS)
    for steps in (3, 6):
        lockstep.advance(steps)
        turns.advance(steps)
    assert turns.members == lockstep.members
    assert_close(lockstep.parameters, turns.parameters)
    for i in range(3):
        assert_close(lockstep.cell_parameters(i), turns.cell_parameters(i))
        assert torch.equal(lockstep.streams[i].take(2), turns.streams[i].take(2))


@pytest.mark.parametrize("overrides", INTERVENTIONS, ids=lambda own: " ".join(own[:1]) or "plain")
def test_a_whole_step_is_the_plain_one(token_cell, overrides) -> None:
    """As a function, before it is compiled."""
    check_whole_step(cells(token_cell, overrides), "made")


def test_a_whole_step_that_differs_is_seen(token_cell, monkeypatch) -> None:
    monkeypatch.setattr(adamw.Stacked, "update", staticmethod(lambda p, g, s, c: (p - 1e-3 * g, s)))
    with pytest.raises(AssertionError, match="made: the step as it is compiled"):
        check_whole_step(cells(token_cell), "made")


def test_the_length_of_a_turn_changes_no_bit(token_cell, monkeypatch) -> None:
    found = []
    for seconds in (1e-9, 1e9):  # a step a turn; all steps in one turn
        monkeypatch.setattr("grokpipe.training.pack.ROUND", seconds)
        pack = Pack(cells(token_cell), execution=TURNS)
        pack.advance(9)
        found.append(pack.state_dict())
    assert same(*found)


def test_a_state_fits_both_orders(token_cell) -> None:
    """What one order has trained, the other goes on with; and a member that leaves takes nothing
    with it."""
    both = cells(token_cell, ["intervention=noise", "intervention.alpha=0.3"])
    whole = Pack(both)
    whole.advance(4)
    turns = Pack(both, execution=TURNS)
    turns.load_state_dict(whole.state_dict())
    back = Pack(both)
    back.load_state_dict(turns.state_dict())
    assert same(back.state_dict(), whole.state_dict())
    turns.keep([0, 2])
    for pack in (whole, turns):
        pack.advance(5)
    assert turns.members == [0, 2]
    for cell in (0, 2):
        assert_close(whole.cell_parameters(cell), turns.cell_parameters(cell))


def test_turns_resume_to_the_bit(token_cell, tmp_path: Path, monkeypatch) -> None:
    """Stopped between two evaluations, and with cells that end at different steps."""
    monkeypatch.setattr("grokpipe.training.pack.ROUND", 1e-9)  # a step a turn
    rules = ["stop.event=t_mem", "stop.margin=0", "eval.every=2", "steps=40", "lr=0.01"]
    both = [token_cell(f"seed={i}", f"weight_decay={i}", *rules) for i in range(3)]
    ends = []
    for name, stops in (("whole", ()), ("stopped", (7, 13))):
        logs = run_logs(both, tmp_path / name)
        for at in (*stops, None):
            pack, stop = Pack(both, execution=TURNS), Event()
            if at is not None:
                stepped = pack._advance_round

                def counted(rows, pack=pack, stop=stop, stepped=stepped, at=at):
                    stepped(rows)
                    if pack.step >= at:
                        stop.set()

                monkeypatch.setattr(pack, "_advance_round", counted)
            try:
                train(pack, logs, tmp_path / f"{name}.pt", quiet(), stop, Event())
            except Interrupted:
                assert at is not None
        ends.append([torch.load(log.folder / "final.pt", weights_only=True) for log in logs])
        ends[-1].append([(log.folder / "curves.parquet").read_bytes() for log in logs])
    assert same(*ends)


RELEASED = [
    "loss=cross_entropy", "intervention=regularise", "intervention.measure=kappa_surrogate",
    "intervention.beta=-0.01", "intervention.unit_features=true", "intervention.head=cap",
    "intervention.bound=3", "intervention.from_step=2", "intervention.until.step=5",
    "intervention.until.lr_factor=3",
]  # fmt: skip
COMPILED = [
    ("lockstep", RELEASED),
    ("turns", ["intervention=noise", "intervention.alpha=0.3"]),
    (
        "lockstep",
        ["intervention=norm_freeze", "intervention.from_step=4", "intervention.from_event=null"],
    ),
    ("turns", ["optimizer=sgd", "lr=1e-4", "optimizer.momentum=0.9", "lr_warmup=5"]),
]


@pytest.mark.slow(seconds=30)
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("order", "overrides"), COMPILED)
def test_a_compiled_step_is_the_plain_one(cell, order, overrides) -> None:
    """Gradients, the optimiser's update with each cell's coefficients, the intervention's."""
    if compiling._missing_compiler("cpu"):
        pytest.skip("no C++ compiler on this machine")
    three = cells(cell, ["arch.depth=1", *overrides])
    plain, compiled = Pack(three), Pack(three, execution=Execution(order, compiled=True))
    assert all(stack.compiled for stack in compiled.stacks)
    for steps in (2, 7):
        plain.advance(steps)
        compiled.advance(steps)
    assert_close(plain.parameters, compiled.parameters)
    own, others = (copy.deepcopy(pack.state_dict()) for pack in (plain, compiled))
    for name in own["optimizer"]:
        for one, two in zip(own["optimizer"][name], others["optimizer"][name]):
            torch.testing.assert_close(two, one, rtol=1e-8, atol=1e-11)
    plain.load_state_dict(others)  # and each goes on from the other's state
    compiled.load_state_dict(own)
    for pack in (plain, compiled):
        pack.advance(2)
    assert_close(plain.parameters, compiled.parameters)
