"""Each contender of the packs' benchmark trains, and the summary compares medians."""

import os

import pooch
import pytest
import torch

from benchmarks import packs
from benchmarks.contenders import plain, products
from benchmarks.packs import CORES, contenders, summary
from grokpipe.training.execution import Execution
from grokpipe.training.programs import compiling


@pytest.mark.parametrize("which", ["mlp", "transformer_two_layers"])
def test_each_contender_trains(small, which, monkeypatch) -> None:
    monkeypatch.setattr(packs, "chosen", lambda *_: (Execution(), None))
    monkeypatch.setattr(packs, "missing_jax", lambda: "jax")
    monkeypatch.setattr(products, "TRIAL_SECONDS", 1e-6)
    for name, value in {"WIDTHS": (1,), "ALL": 2, "MANY": 3}.items():
        monkeypatch.setattr(packs, name, value)
    found = {}
    for contender in contenders(which):
        built = contender.build()
        found[contender.name, contender.processes] = built.turn(0)
    assert all(rate > 0 for rate in found.values())
    names = {name for name, _ in found}
    shared = {"pack of 1", "pack of 2", "pack of 3", "pack of 2, eager", "pack of 2, evaluated",
              "products alone, cell by cell",
              "products alone, stacks of 4"}  # fmt: skip
    own = {
        "mlp": {"plain: data resident", "plain: DataLoader",
                "products and AdamW alone, cell by cell", "products and AdamW alone, stacks of 4"},
        "transformer_two_layers": {"plain: TransformerEncoder"},
    }  # fmt: skip
    assert names == shared | own[which]
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("which", ["cnn", "image_transformer", "causal_transformer"])
def test_other_networks_are_compared_with_plain_loops(small, which) -> None:
    """Neither JAX nor bare products take part. The Transformer's loop has PyTorch's own layers."""
    names = {contender.name.partition(":")[0] for contender in contenders(which)}
    assert names == {
        "plain", *(f"pack of {width}" for width in (*packs.WIDTHS, packs.MANY)),
        f"pack of {packs.ALL}, eager", f"pack of {packs.ALL}, evaluated",
    }  # fmt: skip
    (cell,) = packs.cells(which, 1)
    make = plain.PatchNetwork if which == "image_transformer" else plain.initial_network
    assert sum(p.numel() for p in make(cell).parameters()) == cell.parameters
    if which == "causal_transformer":
        steps = plain.plain_equations(cell)
        assert [steps() for _ in range(4)] == [1] * 4  # beyond an epoch, whose last batch is short
        return
    assert plain.plain_images(cell, plain.resident(cell), make)() == 1


def test_jax_takes_part_where_it_is_installed(monkeypatch) -> None:
    monkeypatch.setattr(packs, "missing_jax", lambda: None)
    with_jax = [c for c in contenders("mlp") if c.name.startswith("JAX")]
    assert [(c.name, c.processes, c.bound) for c in with_jax] == [
        ("JAX, 1 a process", CORES, True),
        ("JAX, 4 a process", CORES, True),
    ]
    monkeypatch.undo()
    monkeypatch.setattr(packs, "find_spec", lambda name: None)
    assert packs.missing_jax() == "jax and optax"


def test_choices_are_made_anew_and_compiled_code_is_kept(monkeypatch) -> None:
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    usual = pooch.os_cache("grokpipe")
    with packs.fresh_choices():
        assert pooch.os_cache("grokpipe") != usual
        assert compiling._folder() == usual / "compiled"
    assert pooch.os_cache("grokpipe") == usual
    assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ


def test_the_summary(small) -> None:
    rates = {
        ("plain: data resident", 1): 50, ("plain: data resident", CORES): 80,
        ("plain: DataLoader", CORES): 10, ("JAX, 1 a process", CORES): 100,
        ("JAX, 4 a process", CORES): 90, ("pack of 10, evaluated", CORES): 110,
        ("products alone, cell by cell", CORES): 150, ("products alone, stacks of 4", CORES): 120,
        ("products and AdamW alone, cell by cell", CORES): 125, ("pack of 64", 1): 40,
    }  # fmt: skip
    rows = [
        {"name": name, "processes": processes, "threads": 1, "seed_steps_per_second": rate}
        for (name, processes), rate in rates.items()
    ]
    rows += [
        {"name": "pack of 10", "processes": 1, "threads": 1, "seed_steps_per_second": 60},
        {"name": "pack of 10", "processes": CORES, "threads": 1, "seed_steps_per_second": 120},
    ]
    if CORES == 1:
        rows.pop(-2)
    found = summary("mlp", rows)
    assert found["over JAX"] == 1.2
    assert found["over plain"] == 1.5
    assert found["share of products"] == 0.8
    assert found["share of products and AdamW"] == 0.96
    assert found["evaluations"] == pytest.approx(120 / 110 - 1, abs=1e-3)
    if CORES > 1:
        assert found["cost of 64 over 10"] == 9.6  # 64/40 over 10/60
    others = [row for row in rows if not row["name"].startswith(("JAX", "products"))]
    without = summary("cnn", others)  # nothing but plain loops to compare with
    assert {*found} - {*without} == {
        "over JAX", "share of products", "share of products and AdamW", "gflops of products",
        "megaflop of a seed-step",
    }  # fmt: skip
    assert without["over plain"] == 1.5
