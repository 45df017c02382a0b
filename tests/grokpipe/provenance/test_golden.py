"""The golden trajectory: the same numbers in any surroundings, which it leaves alone."""

import pytest
import torch

from grokpipe.provenance import golden
from grokpipe.provenance.fingerprint import canonical, quantised
from tests.helpers.cells import ADD


@pytest.mark.parametrize("task", ["mnist", "mod_add"])
def test_the_golden_cell_learns_and_every_measure_is_defined(compose, task) -> None:
    config = canonical(compose(f"task={task}"))
    for one in (config, canonical(compose(f"task={task}", "optimizer=sgd"))):
        first, last = golden.evaluations(one)
        assert last["train_loss"] < first["train_loss"]
        assert all(abs(value) < 1e5 for row in (first, last) for value in row.values())


def test_an_excerpt_is_the_first_rows_of_either_set(compose, monkeypatch) -> None:
    monkeypatch.setattr(golden, "ROWS", 10)
    one = golden.Excerpt.of(compose(*ADD))
    whole, part = super(golden.Excerpt, one).task, one.task
    for rows, places in ((whole.train, part.train), (whole.test, part.test)):
        assert torch.equal(part.inputs[places], whole.inputs[rows[:10]])
        assert torch.equal(part.labels[places], whole.labels[rows[:10]])
    assert len(part.inputs) == 20


@pytest.mark.parametrize("override", ["batch_size=16", "batch_size=5000"])
def test_a_batch_larger_than_the_excerpt_is_cut(compose, monkeypatch, override) -> None:
    monkeypatch.setattr(golden, "ROWS", 15)
    first, last = golden.evaluations(canonical(compose(*ADD, override)))
    assert first != last


def state() -> list[object]:
    switch = torch.backends.mkldnn.matmul.fp32_precision
    flags = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), switch
    return [torch.get_rng_state().tolist(), *flags]


@pytest.mark.parametrize("task", ["mnist", "mod_add"])
def test_threads_and_products_change_nothing_nor_are_they_changed(compose, task) -> None:
    config = canonical(compose(f"task={task}"))
    switch, threads = torch.backends.mkldnn.matmul, torch.get_num_threads()
    before = switch.fp32_precision
    found = []
    try:
        for precision, number in (("none", 1), ("bf16", 1), ("none", 2)):
            switch.fp32_precision = precision
            torch.set_num_threads(number)
            surroundings = state()
            found.append([quantised(row) for row in golden.evaluations(config)])
            assert state() == surroundings
    finally:
        switch.fp32_precision = before
        torch.set_num_threads(threads)
    assert found[0] == found[1] == found[2]
