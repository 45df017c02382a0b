"""The batch that an intervention sees, of one supervised position and of several."""

import pytest
import torch
from torch.nn import functional

from grokpipe.losses import PER_SAMPLE
from grokpipe.training.programs.step import batch_of

N, POSITIONS, D, C = 7, 3, 4, 5


def outputs() -> tuple[torch.Tensor, ...]:
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(N, POSITIONS, D, generator=draws, dtype=torch.float64)
    weight = torch.randn(C, D, generator=draws, dtype=torch.float64)
    labels = torch.randint(C, (N, POSITIONS), generator=draws)
    return features @ weight.T, features, labels, weight


@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_the_loss_is_the_mean_over_positions(loss: str) -> None:
    logits, features, labels, weight = outputs()
    batch = batch_of(loss, logits, features, labels, weight)
    losses = PER_SAMPLE[loss](logits.flatten(0, 1), labels.flatten()).view(N, POSITIONS).mean(1)
    expected = losses.sum() if loss == "squared_error" else losses.mean()
    torch.testing.assert_close(batch.loss(batch.logits), expected)


def test_interventions_see_the_answer_and_leave_the_others_alone() -> None:
    logits, features, labels, weight = outputs()
    batch = batch_of("cross_entropy", logits, features, labels, weight)
    assert torch.equal(batch.features, features[:, 0])
    assert torch.equal(batch.labels, labels[:, 0])
    torch.testing.assert_close(batch.head(batch.features), batch.logits)
    changed = torch.cat([2 * logits[:, :1], logits[:, 1:]], 1)
    given = (labels[:, 0] + 1) % C
    targets = torch.cat([given[:, None], labels[:, 1:]], 1)
    expected = functional.cross_entropy(changed.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(batch.loss(2 * batch.logits, given), expected)


def test_of_one_position_it_is_the_plain_loss() -> None:
    logits, features, labels, weight = (t[:, 0] if t.dim() > 2 else t for t in outputs())
    batch = batch_of("cross_entropy", logits, features, labels[:, 0], weight)
    assert batch.logits is logits and batch.features is features
    expected = functional.cross_entropy(logits, labels[:, 0])
    torch.testing.assert_close(batch.loss(batch.logits), expected)
