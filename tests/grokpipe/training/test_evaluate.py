"""Evaluation: its independence of training, and golden numbers."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from grokpipe import measures
from grokpipe.cell import Cell
from grokpipe.measures import spectral
from grokpipe.measures.collapse import cdnv, class_statistics
from grokpipe.training.evaluate import Evaluator, InFloat64, network_outputs
from grokpipe.training.pack import Pack, initial_network
from tests.helpers.cells import network

EQUATIONS = ("arch.feedforward=12", "batch_size=8", "lr=0.01", "weight_decay=0")
GOLDEN = Path(__file__).parent / "golden.json"


def test_evaluation_changes_nothing_in_training(cell) -> None:
    one = cell()
    watched, alone = Pack([one]), Pack([one])
    evaluator = Evaluator.of(one.config, one.task)
    for _ in range(5):
        evaluator.row(watched.outputs(0))
        watched.advance(1)
        evaluator.row(watched.outputs(0))
    alone.advance(5)
    for name in alone.parameters:
        assert torch.equal(watched.parameters[name], alone.parameters[name])


def test_losses_are_means_over_samples_summed_over_classes(cell) -> None:
    one = cell()
    row = Evaluator.of(one.config, one.task).row(Pack([one]).outputs(0))
    task = one.task
    with torch.no_grad():
        logits, _ = initial_network(one)(task.inputs[task.test])
    targets = torch.nn.functional.one_hot(task.labels[task.test], 10)
    assert row["test_loss"] == pytest.approx(((logits - targets) ** 2).sum(1).mean().item(), 1e-5)
    right = (logits.argmax(1) == task.labels[task.test]).double().mean()
    assert row["test_accuracy"] == pytest.approx(right.item(), abs=1e-12)


def test_of_several_positions_all_count_and_measures_see_the_answer(compose) -> None:
    one = Cell.of(compose("task=equations", "task.p=5", "arch.width=8", "arch.heads=2", *EQUATIONS))
    task, pack = one.task, Pack([one])
    pack.advance(150)
    evaluator = Evaluator.of(one.config, task)
    row, snapshot = evaluator.row(pack.outputs(0)), evaluator.snapshot(pack.outputs(0))
    with torch.no_grad():
        logits, features = network(pack, 0)(task.inputs)
    for name in ("train", "test"):
        rows, of = getattr(task, name), getattr(snapshot, name)
        right = (logits[rows].argmax(-1) == task.labels[rows]).double()
        assert row[f"{name}_accuracy"] == pytest.approx(right.prod(1).mean().item(), abs=1e-12)
        losses = functional.cross_entropy(logits[rows].flatten(0, 1), task.labels[rows].flatten())
        assert row[f"{name}_loss"] == pytest.approx(losses.item(), rel=1e-5)
        for position, outputs in enumerate(of.positions):
            torch.testing.assert_close(outputs.features, features[rows, position])
            assert torch.equal(outputs.labels, task.labels[rows, position])
    assert 0 < right.prod(1).mean() < right[:, 1].mean()
    assert set(snapshot.train.labels.tolist()) == set(range(22, 27))  # no end of sequence
    assert row["collapse/cdnv"] == pytest.approx(
        cdnv(class_statistics(snapshot.train.features, task.labels[task.train, 0]))
    )


@pytest.mark.parametrize("rows", [1, 5, 999, 1000, 1001, 2000, 2300, 9409])
def test_slices_of_one_size_cover_the_table_once(rows: int) -> None:
    inputs = torch.arange(2.0 * rows).view(rows, 2)
    sizes = []

    def program(factor: torch.Tensor, part: torch.Tensor) -> list[torch.Tensor]:
        sizes.append(len(part))
        return [factor * part, part[:, :1]]

    table = network_outputs(program, {"factor": torch.tensor(3.0)}, inputs)
    assert torch.equal(table.logits, 3 * inputs)
    assert torch.equal(table.features, inputs[:, :1])
    assert len(set(sizes)) == 1
    assert sizes[0] <= 1000
    assert len(sizes) == -(-rows // 1000)
    assert sum(sizes) - rows < 16 * len(sizes)  # little is computed twice


def test_probes_are_fixed_samples_of_either_set(cell) -> None:
    one = cell()
    first, again = (Evaluator.of(one.config, one.task) for _ in range(2))
    assert torch.equal(first.train_probe, again.train_probe)
    assert len(first.train_probe) == 64  # all there are
    assert len(first.test_probe.unique()) == 512
    other = Evaluator.of(cell("seed=1").config, one.task)
    assert not torch.equal(first.test_probe, other.test_probe)


def test_what_no_measure_reads_is_not_computed(cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Base columns and collapse need neither log-probabilities, nor spectra, nor the body."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed for nobody")

    one = cell()
    pack = Pack([one])
    full = Evaluator.of(one.config, one.task)
    expected = full.row(pack.outputs(0))
    some = replace(full, measures={"collapse": full.measures["collapse"]})
    monkeypatch.setattr(measures, "log_probabilities", never)
    monkeypatch.setattr(spectral, "decomposition", never)
    converted = []
    read = InFloat64.__getitem__
    monkeypatch.setattr(
        InFloat64, "__getitem__", lambda self, name: converted.append(name) or read(self, name)
    )
    row = some.row(pack.outputs(0))
    assert row == {name: expected[name] for name in row}
    assert set(converted) == {"head.weight"}
    with pytest.raises(AssertionError, match="computed for nobody"):
        full.row(pack.outputs(0))


def test_parameters_are_converted_when_read() -> None:
    tensors = {"a": torch.ones(2), "b": torch.zeros(3)}
    converted = InFloat64(tensors)
    assert list(converted) == ["a", "b"] and len(converted) == 2
    assert converted["a"].dtype == torch.float64
    assert converted["a"] is converted["a"]
    assert [p.tolist() for p in converted.values()] == [[1, 1], [0, 0, 0]]
    with pytest.raises(KeyError):
        converted["c"]


COLUMNS = """train_accuracy test_accuracy train_loss test_loss weight_norm weight_norm_sum head_norm
balance/1 balance/2 logits/scale logits/margin logits/entropy logits/zero_loss logits/zero_gradient
collapse/rnc1 collapse/nc1 collapse/nc1_pinv collapse/cdnv collapse/nc2_cond collapse/equinorm
collapse/equiangular collapse/nc3 collapse/nc4_train collapse/nc4_test collapse/rnc1_test
collapse/cdnv_test collapse/rnc1_sup collapse/rnc1_sup_test spectral/entropy_train
spectral/entropy_test spectral/effective_rank flatness/kappa flatness/kappa_surrogate""".split()


def test_golden_metrics_after_one_step(cell) -> None:
    """Every column of the default measures after one step of the default network.

    If a change of numbers is meant (and its reason stands in the commit), renew them with
        python -m tests.grokpipe.training.test_evaluate
    """
    found = golden_row(cell("arch.width=200", "train_size=1000", "batch_size=100"))
    expected = json.loads(GOLDEN.read_text())
    assert list(found) == COLUMNS
    assert found == pytest.approx(expected, rel=2e-4), golden_advice()


def golden_advice() -> str:
    renew = "python -m tests.grokpipe.training.test_evaluate"
    return f"if these numbers are meant to change, renew {GOLDEN.name}: {renew}"


def golden_row(one) -> dict[str, float]:
    pack = Pack([one])
    pack.advance(1)
    return Evaluator.of(one.config, one.task).row(pack.outputs(0))


def test_one_class_of_data_gives_nan_where_undefined_and_goes_on(cell) -> None:
    one = cell("train_size=1", "batch_size=1")
    row = golden_row(one)
    undefined = {name for name, value in row.items() if math.isnan(value)}
    assert undefined == {
        "collapse/nc1", "collapse/nc1_pinv", "collapse/cdnv", "collapse/nc2_cond",
        "collapse/equinorm", "collapse/equiangular", "collapse/nc3", "collapse/nc4_train",
        "collapse/nc4_test", "spectral/entropy_train", "spectral/effective_rank",
    }  # fmt: skip


if __name__ == "__main__":
    from hydra import compose, initialize_config_dir

    from grokpipe.cell import Cell
    from grokpipe.config.resolving import resolve
    from grokpipe.config.schema import register
    from tests.helpers.cells import CONF

    register()
    torch.set_num_threads(1)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        row = golden_row(Cell.of(resolve(compose("config", ["arch.depth=2", "steps=20"]))))
    GOLDEN.write_text(json.dumps(row, indent=2) + "\n")
