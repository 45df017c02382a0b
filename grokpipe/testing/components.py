"""One check for each kind of component."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from grokpipe.cell import Cell
from grokpipe.config import blame, registry
from grokpipe.config.schema import Config
from grokpipe.errors import InputError
from grokpipe.interventions import _checks as interventions
from grokpipe.measures import Outputs, Snapshot
from grokpipe.measures._checks import checked
from grokpipe.randomness import generator
from grokpipe.tasks import Task
from grokpipe.tasks import _checks as tasks
from grokpipe.testing import cells as small
from grokpipe.testing.training import (
    check_gradients,
    check_narrowing,
    check_training,
    check_whole_step,
    global_seed,
)
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack


def check_intervention(name: str, *overrides: str) -> None:
    """Check draws that depend on the cell only, resuming to the bit, and gradients.

    Args:
        name: name of the intervention in a configuration.
        overrides: of the configuration; `intervention.…` sets its values.
    """
    label = f"intervention={name}"
    chosen = [label, *overrides]
    with _told(label, chosen):
        cells = small.cells(chosen)
        interventions.check(Pack(cells).intervention, name, len(cells))
        _check_steps(cells, label)


def check_optimizer(name: str, *overrides: str) -> None:
    """Check that each cell has its own coefficients and state, and that training resumes to the
    bit. Arguments as of `check_intervention`."""
    label = f"optimizer={name}"
    chosen = [label, *overrides]
    with _told(label, chosen):
        cells = small.cells(chosen)
        _check_steps(cells, label)


def check_arch(name: str, *overrides: str) -> None:
    """Check a network's outputs, its gradients in a pack, and that training resumes to the bit.

    Arguments as of `check_intervention`. Buffers, such as the running statistics of batch norm, are
    held to those of a plain loop, and resume with the parameters. A faster module
    (`build_shortcut`) is held to the plain one.
    """
    label = f"arch={name}"
    chosen = [label, *overrides]
    with _told(label, chosen):
        cells = small.cells(chosen)
        _check_steps(cells, label)


def check_task(name: str, *overrides: str, other: str | None = None) -> None:
    """Check the table, its split and its fingerprint, and train on it.

    Args:
        name: name of the task in a configuration.
        overrides: of the configuration; `task.…` sets its values.
        other: an override that makes another table, such as `task.p=11`; its fingerprint must
            differ.
    """
    label = f"task={name}"
    chosen = [label, *overrides]
    with _told(label, chosen):
        config = small.config(chosen)
        first, again = _loaded(config, 0, seed=1), _loaded(config, 0, seed=2)
        tasks.check(first, name)
        assert _same_task(first, again), (
            f"{label}: loaded twice from one generator it differs: it draws from elsewhere; draw "
            "the split from the generator that load is given, and the table from a fixed seed"
        )
        for seed in small.SEEDS[1:]:
            of_seed = _loaded(config, seed, seed=1)
            same = torch.equal(first.inputs, of_seed.inputs) and torch.equal(
                first.labels, of_seed.labels
            )
            assert same and first.fingerprint == of_seed.fingerprint, (
                f"{label}: the table or its fingerprint differs between seeds, but cells of a pack "
                "share one; draw only train and test from the generator of the split"
            )
        if other is not None:
            table = _loaded(small.config([*chosen, other]), 0, seed=1)
            changed = not (
                _equal(first.inputs, table.inputs) and _equal(first.labels, table.labels)
            )
            assert changed, f"{label}: {other} does not change the table"
            assert first.fingerprint != table.fingerprint, (
                f"{label}: {other} changes the table but not its fingerprint; hash the raw arrays "
                "with grokpipe.tasks.fingerprint"
            )
        check_training(small.cells(chosen), label)


def check_measure(name: str, *overrides: str) -> None:
    """Check that a measure is a pure function to floats, defined or NaN on any input.

    Arguments as of `check_intervention`. The snapshots are of a network before and after training,
    and degenerate ones: constant features, one class, zero weights, values that are not finite.
    """
    label = f"measure {name}"
    chosen = [*overrides, f"measures.names=[{name}]"]
    with _told(label, chosen):
        measure = registry.module("measures", name, "measures.names").measure
        columns: list[str] | None = None
        for what, snapshot in _snapshots(small.config(chosen)):
            before = _copied(snapshot)
            try:
                with global_seed(1):
                    row = checked(measure(snapshot), name)
                with global_seed(2):
                    again = checked(measure(snapshot), name)
            except InputError:
                raise
            except Exception as error:
                raise AssertionError(
                    f"{label}: on {what} it raises {blame.brief(error)}; what is undefined is NaN"
                ) from error
            assert str(row) == str(again), (
                f"{label}: on {what} two calls differ: it must be a pure function of the snapshot"
            )
            assert _same(before, _copied(snapshot)), (
                f"{label}: on {what} it changes its input; work on copies"
            )
            assert columns in (None, [*row]), (
                f"{label}: on {what} it has columns {', '.join(row)}, else "
                f"{', '.join(columns or [])}; what is undefined is NaN, not left out"
            )
            columns = [*row]


def _check_steps(cells: Sequence[Cell], label: str) -> None:
    """Check gradients, training, and a pack that others leave: the most telling first."""
    pack = Pack(cells)
    check_gradients(pack, label)
    check_training(cells, label)
    check_narrowing(pack, label)
    check_whole_step(cells, label)


@contextlib.contextmanager
def _told(label: str, chosen: list[str]) -> Iterator[None]:
    """Turn whatever the component raises into an AssertionError of one line."""
    try:
        yield
    except AssertionError:
        raise
    except InputError as error:
        raise AssertionError(str(error)) from error
    except Exception as error:
        line = blame.line(error, small.config(chosen)) or f"{label}: {blame.brief(error)}"
        raise AssertionError(line) from error


def _loaded(config: Config, split: int, seed: int) -> Any:
    """The task as its module loads it, its table not checked."""
    with global_seed(seed):
        load = registry.module("tasks", config.task.name, "task").load
        return load(config.task, generator(split, "split"))


def _same_task(one: Task, other: Task) -> bool:
    tensors = ("inputs", "labels", "train", "test")
    return one.fingerprint == other.fingerprint and all(
        _equal(getattr(one, name), getattr(other, name)) for name in tensors
    )


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)


def _snapshots(config: Config) -> Iterator[tuple[str, Snapshot]]:
    """Snapshots of a small network, with a description."""
    cell = Cell.of(config)
    pack = Pack([cell])
    evaluator = Evaluator.of(
        replace(config, measures=replace(config.measures, names=[])), cell.task
    )
    first = evaluator.snapshot(pack.outputs(0))
    yield "a new network", first
    pack.advance(small.STEPS)
    yield "a trained network", evaluator.snapshot(pack.outputs(0))
    constant = {"features": torch.ones_like, "logits": torch.zeros_like, "labels": torch.zeros_like}
    for what, change in (
        ("constant features", {"features": constant["features"]}),
        ("equal logits", {"logits": constant["logits"]}),
        ("labels of one class", {"labels": constant["labels"]}),
        ("features that are NaN", {"features": lambda t: torch.full_like(t, torch.nan)}),
        ("infinite logits", {"logits": lambda t: torch.full_like(t, torch.inf)}),
    ):
        yield what, _changed(first, change)
    zeros = {n: torch.zeros_like(p) for n, p in first.parameters.items()}
    yield "weights of zero", replace(first, parameters=zeros)


def _changed(snapshot: Snapshot, change: dict[str, Any]) -> Snapshot:
    """Change features, logits or labels of both sets, and the probes with them."""

    def outputs(of: Outputs) -> Outputs:
        return replace(of, **{name: change[name](getattr(of, name)) for name in change})

    features = change.get("features", lambda t: t)
    labels = change.get("labels", lambda t: t)
    assert snapshot.train_probe_labels is not None
    return replace(
        snapshot,
        train=outputs(snapshot.train),
        test=outputs(snapshot.test),
        train_probe=features(snapshot.train_probe),
        test_probe=features(snapshot.test_probe),
        train_probe_labels=labels(snapshot.train_probe_labels),
    )


def _copied(snapshot: Snapshot) -> list[Tensor]:
    """Copies of all tensors of a snapshot."""
    values = [getattr(snapshot, item.name) for item in fields(snapshot)]
    tensors = [value for value in values if isinstance(value, Tensor)]
    for outputs in (snapshot.train, snapshot.test):
        tensors += [outputs.features, outputs.logits, outputs.labels]
    return [tensor.clone() for tensor in [*tensors, *snapshot.parameters.values()]]


def _same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(
        torch.equal(a.nan_to_num(0), b.nan_to_num(0)) and torch.equal(a.isnan(), b.isnan())
        for a, b in zip(one, other, strict=True)
    )
