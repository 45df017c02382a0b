"""A longer budget goes on: rows and weights as of a run from the start, to the bit."""

import os
import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from grokpipe.cell import Cell
from grokpipe.errors import Interrupted
from grokpipe.launch.pack_plan import on_disk
from grokpipe.store import snapshots
from grokpipe.store.run_log import RunLog
from grokpipe.training.continuation import _sparse_elsewhere, schedule
from grokpipe.training.evaluate import sparse_evaluations
from grokpipe.training.progress import RunProgress
from tests.helpers.longer import assert_equal_to_the_bit, log_of, provenance, result, sweep
from tests.helpers.training import same

Make = Callable[..., list[Cell]]
SEEDS = 2


@pytest.fixture
def arm(token_cell, tmp_path: Path) -> Make:
    """arm("steps=100", …, name="x") → cells that differ by seed, and each by the override of its
    number in `own`."""

    def make(*overrides: str, name: str = "parts", own: tuple[str, ...] = ("",) * SEEDS):
        given = (
            f"outputs={tmp_path}", f"name={name}", "progress=false", "threads=1",
            "measures.names=[weights]",
        )  # fmt: skip
        return [
            token_cell(*given, *overrides, *filter(None, [each]), f"seed={seed}")
            for seed, each in enumerate(own)
        ]

    return make


REGULAR = ("eval.schedule=regular", "eval.every=20")
PUBLISHED = ("eval.schedule=published", "eval.every=null")
HELD = ("intervention=norm_freeze", "intervention.from_step=null", *REGULAR)
PENALTY = (
    *REGULAR, "intervention=regularise", "intervention.measure=uncertainty",
    "intervention.beta=-0.1", "intervention.head=cap", "intervention.bound=2",
    "intervention.until.step=100", "intervention.until.lr_factor=3",
)  # fmt: skip
VARIANTS = {
    "AdamW": REGULAR,
    "SGD": (*REGULAR, "optimizer=sgd", "optimizer.momentum=0.9"),
    "a norm held from the end of the shorter run on": (
        *HELD, "intervention.from_event='sustained(train_accuracy>=0.2, 2)'", "lr=0.003",
        "weight_decay=0",
    ),
    "a norm held from before": (*HELD, "intervention.from_event='train_accuracy>=0.02'"),
    "a penalty that ends in the rest": (*PENALTY, "intervention.from_step=30"),
    "a penalty from an event on": (*PENALTY, "intervention.from_event='train_accuracy>=0.02'"),
    "noise": (*REGULAR, "intervention=noise", "intervention.alpha=0.3"),
    "the last evaluation off the grid": ("eval.schedule=regular", "eval.every=30"),
    "the whole training set": (*REGULAR, "batches=full", "batch_size=null"),
    "replacement": (*REGULAR, "batches=replacement"),
}  # fmt: skip
FAST = [*VARIANTS][:3]


@pytest.mark.parametrize(
    "variant", [v if v in FAST else pytest.param(v, marks=pytest.mark.slow) for v in VARIANTS]
)
def test_equal_to_the_bit_to_a_run_from_the_start(arm: Make, variant: str) -> None:
    short, long = ("steps=80", *VARIANTS[variant]), ("steps=140", *VARIANTS[variant])
    sweep(parents := arm(*short))
    before = [{p.name: p.read_bytes() for p in log_of(c).glob("*.*")} for c in parents]
    sweep(continued := arm(*long))
    sweep(whole := arm(*long, name="whole"))
    assert_equal_to_the_bit(continued, whole)
    for parent, child, kept in zip(parents, continued, before, strict=True):
        said = provenance(child)["parent"]
        assert (said["key"], said["step"]) == (parent.key, 80)
        assert (said["equal"], said["differs"]) == ("to the bit", [])
        assert "parent" not in provenance(parent)
        assert {p.name: p.read_bytes() for p in log_of(parent).glob("*.*")} == kept


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["the same grid", "a coarser grid"])
def test_the_published_schedule(arm: Make, kept: bool) -> None:
    sparse = ("measures.sparse=[logits]", "measures.sparse_at=log:9") if kept else ()
    sweep(parents := arm("steps=601", *PUBLISHED, *sparse))
    long = ("steps=1202", *PUBLISHED, *sparse, *(["eval.budget=601"] if kept else []))
    sweep(continued := arm(*long))
    sweep(whole := arm(*long, name="whole"))
    assert_equal_to_the_bit(continued, whole)
    steps, theirs = (
        pd.read_parquet(log_of(cells[0]) / "curves.parquet")["step"].to_list()
        for cells in (continued, parents)
    )
    assert steps == schedule(continued[0].config)
    assert theirs[-2:] == [600, 601]  # the last is off the grid, and dropped
    assert 601 not in steps
    if kept:
        assert steps[: len(theirs) - 1] == theirs[:-1]
        curves = pd.read_parquet(log_of(continued[0]) / "curves.parquet").set_index("step")
        measured = curves.index[curves["logits/scale"].notna()]
        assert {*measured} == sparse_evaluations(continued[0].config)
        assert measured[0] == 0 and measured[-1] == 1202 and 9 <= len(measured) < 15
    assert provenance(continued[0])["parent"]["step"] == 601


@pytest.mark.slow
def test_a_warm_up_goes_on_in_the_longer_run(arm: Make) -> None:
    """It ends before, or after, the end of the shorter run, or there is none."""
    own = ("lr_warmup=0", "lr_warmup=50", "lr_warmup=120")
    sweep(arm("steps=80", *REGULAR, own=own))
    sweep(continued := arm("steps=140", *REGULAR, own=own))
    sweep(whole := arm("steps=140", *REGULAR, own=own, name="whole"))
    assert_equal_to_the_bit(continued, whole)
    assert [provenance(one)["parent"]["equal"] for one in continued] == ["to the bit"] * 3


def test_sparse_measures_at_other_steps_begin_anew(arm: Make) -> None:
    sparse = ("measures.sparse=[logits]", "measures.sparse_at=log:3")
    (parent, *_), (child, *_) = (
        arm(f"steps={steps}", "eval.schedule=regular", "eval.every=10", *sparse)
        for steps in (40, 80)
    )
    log = RunLog(log_of(parent))
    log.start(asdict(parent.config), {})
    due = schedule(child.config)[:5]  # 0, 10, …, 40
    assert sparse_evaluations(parent.config) == {0, 10, 40}
    assert sparse_evaluations(child.config) == {0, 10, 80}
    assert _sparse_elsewhere(child.config, log.folder, due)
    assert not _sparse_elsewhere(child.config, log.folder, due[:4])


@pytest.mark.slow
def test_a_parent_too_short_to_be_measured(arm: Make) -> None:
    """Its steps are computed as by default, those of the longer run as was measured: what differs
    is named, and equal to the bit is said only where it is."""
    sweep(parents := arm("steps=301", *PUBLISHED))
    sweep(continued := arm("steps=602", *PUBLISHED))
    sweep(whole := arm("steps=602", *PUBLISHED, name="whole"))
    for cell, parent in zip(continued, parents):
        own, theirs = provenance(cell), provenance(parent)
        differs = [name for name in ("order", "compiled", "products") if own[name] != theirs[name]]
        assert own["parent"]["step"] == 301
        assert sorted(own["parent"]["differs"]) == sorted(differs)
        assert own["parent"]["equal"] == ("to rounding" if differs else "to the bit")
    if not differs:
        assert_equal_to_the_bit(continued, whole)
    for cell, other in zip(continued, whole):
        ours, others = (pd.read_parquet(log_of(c) / "curves.parquet") for c in (cell, other))
        assert ours["step"].to_list() == others["step"].to_list() == schedule(cell.config)
        columns = ["train_loss", "weight_norm"]
        pd.testing.assert_frame_equal(ours[columns], others[columns], rtol=1e-2)


STOP = (
    *REGULAR, "weight_decay=0", "stop.event='train_accuracy>=0.9'", "stop.sustained=2",
    "stop.margin=20",
)  # fmt: skip
RATES = tuple(f"lr={rate}" for rate in (0.03, 0.003, 0.01, 0.005, 0.012))


def test_a_stop_rule_counts_on_from_the_rows(arm: Make) -> None:
    """Some cells end before the shorter budget, some after it, and the width changes with them."""
    sweep(parents := arm("steps=200", *STOP, own=RATES))
    sweep(continued := arm("steps=320", *STOP, own=RATES))
    sweep(whole := arm("steps=320", *STOP, own=RATES, name="whole"))
    assert [len(plan.keys) for plan in on_disk(continued[0].folder)] == [5, 5]
    ends = [result(cell)["steps"] for cell in whole]
    assert min(ends) < 200 < max(ends) < 320, ends  # else nothing was tested
    assert_equal_to_the_bit(continued, whole)
    for parent, child in zip(parents, continued, strict=True):
        said = provenance(child)["parent"]
        assert (said["key"], said["step"]) == (parent.key, result(parent)["steps"])
        assert said["equal"] == "to the bit"


def test_killed_on_the_way_it_goes_on_from_its_own_checkpoint(arm: Make, monkeypatch) -> None:
    """A real SIGTERM twice; after the first, there is no checkpoint, as when a process is killed
    before it writes one."""
    sweep(arm("steps=80", *REGULAR))
    continued = arm("steps=200", *REGULAR)
    for number in (1, 2):
        seen: list[int] = []

        def evaluated(self, cell: int, row: dict, seen=seen, number=number) -> None:
            seen.append(cell)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(RunProgress, "evaluated", evaluated)
        with pytest.raises(Interrupted):
            sweep(continued)
        checkpoints = [*continued[0].folder.glob("packs/*.pt")]
        assert len(checkpoints) == 1
        if number == 1:
            checkpoints[0].unlink()
    monkeypatch.undo()
    sweep(continued)
    sweep(whole := arm("steps=200", *REGULAR, name="whole"))
    assert_equal_to_the_bit(continued, whole)
    sessions = provenance(continued[0])
    assert len(sessions["resumed"]) == 2
    assert sessions["parent"] == sessions["resumed"][1]["parent"]


def test_snapshots_are_those_of_the_shorter_run_and_of_the_rest(arm: Make) -> None:
    sweep(parents := arm("steps=80", *REGULAR, "snapshots=log:3"))
    sweep(continued := arm("steps=140", *REGULAR, "snapshots=log:3"))
    theirs, ours = (snapshots.steps(log_of(cells[0])) for cells in (parents, continued))
    assert (theirs, ours) == ([0, 20, 80], [0, 20, 80, 140])
    for step in theirs:
        old, new = (snapshots.load(log_of(cells[0]), step) for cells in (parents, continued))
        assert same(old, new)


def test_a_run_that_diverged_is_not_trained_again(arm: Make) -> None:
    ill = (*REGULAR, "optimizer=sgd")
    own = ("lr=1e30", "lr=0.01")
    sweep(arm("steps=80", *ill, own=own))
    sweep(continued := arm("steps=140", *ill, own=own))
    sweep(whole := arm("steps=140", *ill, own=own, name="whole"))
    for ours, theirs in zip(continued, whole, strict=True):
        assert result(ours) == result(theirs)
        rows = [pd.read_parquet(log_of(c) / "curves.parquet") for c in (ours, theirs)]
        pd.testing.assert_frame_equal(*rows, check_exact=True)
    assert [result(cell)["state"] for cell in whole] == ["diverged", "done"]


def test_a_parent_of_a_parent(arm: Make) -> None:
    for steps in (40, 80, 140):
        sweep(continued := arm(f"steps={steps}", *REGULAR))
    sweep(whole := arm("steps=140", *REGULAR, name="whole"))
    assert_equal_to_the_bit(continued, whole)
    said = provenance(continued[0])["parent"]
    assert (said["step"], said["equal"]) == (80, "to the bit")
    (alone,) = arm("steps=200", *REGULAR)[:1]
    sweep([alone])
    said = provenance(alone)["parent"]
    assert (said["step"], said["equal"], said["differs"]) == (140, "to rounding", ["pack"])
