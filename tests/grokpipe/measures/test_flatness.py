"""Relative flatness against the Hessian that autograd gives, and its invariances."""

from dataclasses import replace

import mpmath
import pytest
import torch
from torch.nn import functional

from grokpipe.cell import Cell
from grokpipe.losses import PER_SAMPLE
from grokpipe.measures import Outputs, Snapshot, flatness
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack

N, D, C = 12, 5, 4
SEED = 0  # of the released network, the experiment's first


def problem(seed: int) -> tuple[torch.Tensor, ...]:
    draws = torch.Generator().manual_seed(seed)
    features = torch.randn(N, D, generator=draws, dtype=torch.float64)
    head = torch.randn(C, D, generator=draws, dtype=torch.float64)
    bias = torch.randn(C, generator=draws, dtype=torch.float64)
    labels = torch.randint(C, (N,), generator=draws)
    return features, head, bias, labels


def kappa_by_hessian(loss, head: torch.Tensor) -> float:
    """Σ_{s,s'} ⟨w_s, w_s'⟩ Tr H_{s,s'} (Definition 3.2), H from autograd."""
    hessian = torch.autograd.functional.hessian(loss, head)  # (C, D, C, D)
    traces = torch.einsum("sdtd->st", hessian)
    return ((head @ head.T) * traces).sum().item()


@pytest.mark.parametrize("seed", range(4))
def test_cross_entropy_agrees_with_the_hessian(seed: int) -> None:
    features, head, bias, labels = problem(seed)
    expected = kappa_by_hessian(
        lambda w: functional.cross_entropy(features @ w.T + bias, labels), head
    )
    found = flatness.kappa_cross_entropy(features, (features @ head.T + bias).log_softmax(1), head)
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_squared_error_agrees_with_the_hessian(seed: int) -> None:
    features, head, bias, labels = problem(seed)
    targets = functional.one_hot(labels, C).double()
    expected = kappa_by_hessian(
        lambda w: (features @ w.T + bias - targets).square().sum(1).mean(), head
    )
    assert flatness.kappa_squared_error(features, head) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scale", [0.3, 1, 10])
def test_stablemax_agrees_with_the_hessian(seed: int, scale: float) -> None:
    features, head, bias, labels = problem(seed)
    head = scale * head
    loss = PER_SAMPLE["stablemax"]
    expected = kappa_by_hessian(lambda w: loss(features @ w.T + bias, labels).mean(), head)
    found = flatness.kappa_stablemax(features, features @ head.T + bias, labels, head)
    assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("loss", PER_SAMPLE)
def test_each_loss_has_its_own_kappa_and_probabilities(loss: str) -> None:
    features, head, bias, labels = problem(1)
    logits = features @ head.T + bias
    outputs = Outputs(features, logits, labels)
    nothing = torch.zeros(1, D)
    parameters = {"head.weight": head, "head.bias": bias}
    found = flatness.measure(Snapshot(outputs, outputs, nothing, nothing, parameters, C, loss))
    expected = kappa_by_hessian(
        lambda w: PER_SAMPLE[loss](features @ w.T + bias, labels).mean(), head
    )
    assert found["flatness/kappa"] == pytest.approx(expected, rel=1e-10)
    p = logits.softmax(1)
    if loss == "stablemax":
        s = torch.where(logits >= 0, logits + 1, 1 / (1 - logits))
        p = s / s.sum(1, keepdim=True)
    surrogate = (head.norm() ** 2 * (1 - p.square().sum(1)) * features.square().sum(1)).mean()
    assert found["flatness/kappa_surrogate"] == pytest.approx(surrogate.item())


@pytest.mark.parametrize("scale", [0.1, 1, 8, 15, 40, 100])
def test_the_surrogate_keeps_its_digits_at_large_logits(scale: float) -> None:
    """Each sample against 400 digits: 1 − p of the largest p is not read from log p, which has lost
    it. The mean would show the least confident sample alone."""
    features, head, bias, _ = problem(2)
    logits = scale * (features @ head.T + bias)
    squares = head.square().sum().item()
    for z, row in zip(features, logits):
        with mpmath.workdps(400):
            weights = [mpmath.exp(value) for value in row.tolist()]
            expected = squares * float(1 - sum((x / sum(weights)) ** 2 for x in weights))
        found = flatness.kappa_surrogate(z[None], row[None].log_softmax(1), head)
        assert found == pytest.approx(expected * z.square().sum().item(), rel=1e-10, abs=0)


def test_confident_outputs_do_not_cancel() -> None:
    """With a margin of 40 nats p is one-hot up to 1e-17; κ keeps its digits all the same."""
    features, head = torch.ones(1, 1, dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    head[0] = 40.0
    log_p = (features @ head.T).log_softmax(1)
    p = torch.tensor(-40.0, dtype=torch.float64).exp().item()
    found = flatness.kappa_cross_entropy(features, log_p, head)
    assert found == pytest.approx(40.0**2 * p, rel=1e-9, abs=0)
    surrogate = flatness.kappa_surrogate(features, log_p, head)
    assert surrogate == pytest.approx(40.0**2 * 2 * p, rel=1e-9, abs=0)


@pytest.mark.parametrize("seed", range(4))
def test_surrogate_bounds_kappa_and_is_its_formula(seed: int) -> None:
    features, head, bias, _ = problem(seed)
    log_p = (features @ head.T + bias).log_softmax(1)
    p = log_p.exp()
    expected = (head.norm() ** 2 * (1 - p.square().sum(1)) * features.square().sum(1)).mean()
    surrogate = flatness.kappa_surrogate(features, log_p, head)
    assert surrogate == pytest.approx(expected.item())
    assert surrogate >= flatness.kappa_cross_entropy(features, log_p, head)


def test_invariances_of_kappa() -> None:
    features, head, _, _ = problem(0)
    log_p = (features @ head.T).log_softmax(1)
    kappa = flatness.kappa_cross_entropy(features, log_p, head)
    rescaled = flatness.kappa_cross_entropy(features * 7, log_p, head / 7)
    rotation = torch.linalg.qr(torch.randn(D, D, dtype=torch.float64)).Q
    rotated = flatness.kappa_cross_entropy(features @ rotation, log_p, head @ rotation)
    shift = torch.arange(D, dtype=torch.float64)
    shifted = flatness.kappa_cross_entropy(features, log_p, head + shift)
    assert [rescaled, rotated, shifted] == pytest.approx([kappa] * 3, rel=1e-10)
    unshifted = flatness.kappa_surrogate(features, log_p, head)
    assert flatness.kappa_surrogate(features, log_p, head + shift) > 1.1 * unshifted


def test_collapsed_features_have_surrogate_over_kappa_of_classes_minus_one() -> None:
    """Under exact collapse with centred head rows (a simplex)."""
    rows = torch.eye(C, dtype=torch.float64) - 1 / C
    log_p = (rows @ rows.T).log_softmax(1)
    ratio = flatness.kappa_surrogate(rows, log_p, rows) / flatness.kappa_cross_entropy(
        rows, log_p, rows
    )
    assert ratio == pytest.approx(C - 1)


def test_the_released_formula_sample_by_sample() -> None:
    features, head, bias, labels = problem(3)
    other = features.flip(0) * 1.5
    answer, eos = (Outputs(z, z @ head.T + bias, labels) for z in (features, other))
    expected = 0.0
    for i in range(len(labels)):
        p = (answer.logits[i] * eos.logits[i]).softmax(0)
        lengths = answer.features[i].norm() ** 2 + eos.features[i].norm() ** 2
        expected += float((p * (1 - p)).sum() * lengths) * float(head.norm() ** 2) / len(labels)
    assert flatness.kappa_released(answer, eos, head) == pytest.approx(expected, rel=1e-10)


def test_it_is_logged_of_two_positions_alone() -> None:
    features, head, _, labels = problem(0)
    outputs = Outputs(features, features @ head.T, labels)
    nothing, alone = torch.zeros(1, D), {"head.weight": head}
    plain = flatness.measure(
        Snapshot(outputs, outputs, nothing, nothing, alone, C, "cross_entropy")
    )
    for positions in (2, 3):
        several = replace(outputs, further=(outputs,) * (positions - 1))
        row = flatness.measure(
            Snapshot(several, several, nothing, nothing, alone, C, "cross_entropy")
        )
        assert {name: row[name] for name in plain} == plain  # of the answer's position
        assert [*row][2:] == ["flatness/kappa_released"] * (positions == 2)


@pytest.mark.slow(seconds=40)
def test_what_is_plotted_dips_in_the_released_network_and_kappa_does_not(compose) -> None:
    """At the published rate. A replica of the released loop has 20,410 at step 9, 0.02 at 29, 8.7
    at 99 and 20,200 at 299. Seeds differ: those of the experiment have 32, 245 and 704 at 99 and
    20,500, 20,700 and 16,600 at 299, so that the last of them would not pass."""
    config = compose("experiment=flatness/released", "measures.names=[flatness]", "compile=off")
    one = Cell.of(replace(config, seed=SEED))
    pack, rows = Pack([one]), {}
    evaluator = Evaluator.of(one.config, pack.tasks[0])
    for step in (0, 9, 29, 99, 299):
        pack.advance(step - pack.step)
        rows[step] = flatness.measure(evaluator.snapshot(pack.outputs(0)))
    released = {step: row["flatness/kappa_released"] for step, row in rows.items()}
    assert released[9] == pytest.approx(20_410, rel=0.05)
    assert released[299] == pytest.approx(20_200, rel=0.05)
    assert max(released[29], released[99]) < 0.02 * released[0]
    for row in rows.values():
        assert row["flatness/kappa"] == pytest.approx(42, rel=0.1)
        assert row["flatness/kappa_surrogate"] == pytest.approx(10_200, rel=0.1)
