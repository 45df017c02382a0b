"""The listed products are those that PyTorch counts in a step of the network that packs train."""

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.contenders import products
from benchmarks.contenders.networks import NETWORKS, cells
from benchmarks.contenders.products import LAYOUTS, Bare, WithAdamW, arithmetic, faster_library
from grokpipe.cell import Cell
from grokpipe.training.pack import initial_network, shortcut_network


def counted(cell: Cell) -> int:
    """Operations of the products of one step, counted as they are called."""
    task, batch = cell.task, cell.config.batch_size
    parameters = {
        n: p.detach().requires_grad_() for n, p in initial_network(cell).named_parameters()
    }
    with FlopCounterMode(display=False) as counter:
        inputs, labels = task.inputs[:batch], task.labels[:batch]
        logits, _ = functional_call(shortcut_network(cell), parameters, (inputs,))
        functional.cross_entropy(logits, labels).backward()
    return counter.get_total_flops()


@pytest.mark.parametrize("which", [name for name, one in NETWORKS.items() if one.compared])
def test_as_many_operations_as_pytorch_counts(small, which) -> None:
    (cell,) = cells(which, 1)
    assert arithmetic(cell) == counted(cell)


@pytest.mark.parametrize("count", LAYOUTS.values())
def test_products_and_adamw_of_all_parameters(small, count, monkeypatch) -> None:
    monkeypatch.setattr(products, "TRIAL_SECONDS", 1e-6)
    (cell,) = cells("mlp_four_layers", 1)
    bare, update = Bare(cell, count), WithAdamW(cell, count)
    assert bare() == update() == count
    multiplied = sum(out.numel() for out in bare.outputs)
    assert multiplied == count * sum(m * n for m, _, n in products.products(cell))
    assert sum(p.numel() for p in update.parameters) == count * cell.parameters
    before = [p.clone() for p in update.parameters]
    update()
    assert all((a != b).any() for a, b in zip(before, update.parameters))


def test_the_library_of_the_faster_call_is_chosen_and_the_switch_put_back(monkeypatch) -> None:
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    monkeypatch.setattr(products, "accurate", lambda: True)
    clock = [0.0]
    monkeypatch.setattr(products.time, "perf_counter", lambda: clock[0])

    def call() -> None:
        clock[0] += 1 if switch.fp32_precision == "bf16" else 2

    assert faster_library(call) == "onednn"
    monkeypatch.setattr(products, "accurate", lambda: False)
    assert faster_library(call) == "default"
    assert switch.fp32_precision == before
