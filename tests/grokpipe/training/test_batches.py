"""Batches: what is drawn, and that nothing depends on how the steps are cut into calls."""

import pytest
import torch

from grokpipe.randomness import generator
from grokpipe.training.batches import Epochs, Full, Replacement, stream

KINDS = (Epochs, Replacement)


def draws():
    return generator(3, "batch")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_batches_however_they_are_taken(kind) -> None:
    rows = torch.arange(100, 130)
    whole = kind(rows, 7, draws()).take(30)
    parts = kind(rows, 7, draws())
    assert torch.equal(whole, torch.cat([parts.take(n) for n in (1, 4, 25)]))
    assert set(whole.flatten().tolist()) == set(rows.tolist())


def test_epochs_show_every_sample_once() -> None:
    rows = torch.arange(100, 130)
    epochs = Epochs(rows, 7, draws()).take(30).flatten().view(7, 30)
    assert all(torch.equal(epoch.sort().values, rows) for epoch in epochs)
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 7


def test_with_replacement_samples_repeat_as_chance_has_it() -> None:
    """Distinct samples in a batch of n from n: n(1 − (1 − 1/n)ⁿ), about 0.63 n."""
    n = 200
    batches = Replacement(torch.arange(n), n, draws()).take(300)
    distinct = sum(len(batch.unique()) for batch in batches) / 300 / n
    assert distinct == pytest.approx(1 - (1 - 1 / n) ** n, abs=0.01)
    counts = batches.flatten().bincount(minlength=n)
    assert counts.double().std().item() == pytest.approx(300**0.5, rel=0.2)


def test_a_batch_with_replacement_may_be_larger_than_the_set() -> None:
    assert Replacement(torch.arange(5), 64, draws()).take(2).shape == (2, 64)


def test_full_is_the_training_set_in_every_step() -> None:
    rows = torch.tensor([4, 1, 7])
    assert torch.equal(Full(rows).take(2), torch.stack([rows, rows]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_continues_it(kind) -> None:
    first = kind(torch.arange(10), 4, draws())
    first.take(2)
    state = first.state_dict()
    expected = first.take(5)
    other = kind(torch.arange(10), 4, generator(99, "batch"))
    other.load_state_dict(state)
    assert torch.equal(other.take(5), expected)


@pytest.mark.parametrize(
    ("overrides", "kind", "size"),
    [
        (["batches=epochs"], Epochs, 24),
        (["batches=replacement"], Replacement, 24),
        (["batches=full", "batch_size=null"], Full, 60),
    ],
)
def test_the_configuration_chooses(token_cell, overrides, kind, size) -> None:
    one = token_cell(*overrides)
    made = stream(one.config, one.task.train)
    assert type(made) is kind
    assert made.take(3).shape == (3, size)
