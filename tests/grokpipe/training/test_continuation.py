"""A longer budget goes on: rows and weights as of a run from the start, to the bit."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from grokpipe.cell import Cell
from grokpipe.training.continuation import schedule
from tests.helpers.longer import assert_equal_to_the_bit, log_of, provenance, result, sweep

Make = Callable[..., list[Cell]]
SEEDS = 3


@pytest.fixture
def arm(token_cell, tmp_path: Path) -> Make:
    """arm("steps=100", …, name="x") → cells that differ by seed, and each by the override of its
    number in `own`."""

    def make(*overrides: str, name: str = "parts", own: tuple[str, ...] = ("",) * SEEDS):
        given = (f"outputs={tmp_path}", f"name={name}", "progress=false", "threads=1")
        return [
            token_cell(*given, *overrides, *filter(None, [each]), f"seed={seed}")
            for seed, each in enumerate(own)
        ]

    return make


REGULAR = ("eval.schedule=regular", "eval.every=20")
PUBLISHED = ("eval.schedule=published", "eval.every=null")
ON_EVENT = ("intervention=norm_freeze", "intervention.from_step=null", *REGULAR)
VARIANTS = {
    "AdamW": REGULAR,
    "SGD": (*REGULAR, "optimizer=sgd", "optimizer.momentum=0.9"),
    "the last evaluation off the grid": ("eval.schedule=regular", "eval.every=30"),
    "the whole training set": (*REGULAR, "batches=full", "batch_size=null"),
    "replacement": (*REGULAR, "batches=replacement"),
    "published, coarser": PUBLISHED,
    "noise": (*REGULAR, "intervention=noise", "intervention.alpha=0.3"),
    "a norm held from before": (
        *ON_EVENT, "intervention.from_event='train_accuracy>=0.02'", "weight_decay=0",
    ),
    "a norm held from later on": (
        *ON_EVENT, "intervention.from_event='sustained(train_accuracy>=0.2, 2)'", "lr=0.01",
    ),
}  # fmt: skip


@pytest.mark.parametrize("variant", VARIANTS)
def test_equal_to_the_bit_to_a_run_from_the_start(arm: Make, variant: str) -> None:
    short, long = ("steps=160", *VARIANTS[variant]), ("steps=320", *VARIANTS[variant])
    parents = arm(*short)
    sweep(parents)
    before = [{p.name: p.read_bytes() for p in log_of(c).glob("*.*")} for c in parents]
    continued, whole = arm(*long), arm(*long, name="whole")
    sweep(continued)
    sweep(whole)
    assert_equal_to_the_bit(continued, whole)
    for parent, child, kept in zip(parents, continued, before, strict=True):
        said = provenance(child)["parent"]
        assert (said["key"], said["step"]) == (parent.key, 160)
        assert (said["equal"], said["differs"]) == ("to the bit", [])
        assert "parent" not in provenance(parent)
        assert {p.name: p.read_bytes() for p in log_of(parent).glob("*.*")} == kept


def test_the_published_schedule_keeps_the_grid_of_the_shorter_run(arm: Make) -> None:
    sweep(parents := arm("steps=301", *PUBLISHED))
    (one, *_), (other, *_) = arm("steps=700", *PUBLISHED), arm("steps=700", *PUBLISHED)
    assert one.key == other.key
    long = ("steps=700", "eval.budget=301", *PUBLISHED)
    sweep(continued := arm(*long))
    sweep(whole := arm(*long, name="whole"))
    assert_equal_to_the_bit(continued, whole)
    steps = pd.read_parquet(log_of(continued[0]) / "curves.parquet")["step"].to_list()
    theirs = pd.read_parquet(log_of(parents[0]) / "curves.parquet")["step"].to_list()
    assert theirs[-2:] == [300, 301]  # the last is off the grid, and dropped
    assert steps[: len(theirs) - 1] == theirs[:-1] and 301 not in steps
    assert steps == schedule(continued[0].config)
    assert provenance(continued[0])["parent"]["step"] == 301


STOP = (*REGULAR, "weight_decay=0", "stop={event: t_mem, sustained: 2, margin: 40}")
RATES = tuple(f"lr={rate}" for rate in (0.03, 0.003, 0.01, 0.005, 0.012))


def test_a_stop_rule_counts_on_from_the_rows(arm: Make) -> None:
    """Some cells end before the shorter budget, some after it, and the width changes with them."""
    sweep(parents := arm("steps=160", *STOP, own=RATES))
    continued, whole = (arm("steps=600", *STOP, own=RATES, name=n) for n in ("parts", "whole"))
    sweep(continued)
    sweep(whole)
    ends = [result(cell)["steps"] for cell in whole]
    assert min(ends) < 160 < max(ends) < 600, ends  # else nothing was tested
    assert_equal_to_the_bit(continued, whole)
    for parent, child in zip(parents, continued, strict=True):
        assert provenance(child)["parent"]["key"] == parent.key
        if result(child)["steps"] < 160:
            assert provenance(child)["parent"]["step"] == result(parent)["steps"]
