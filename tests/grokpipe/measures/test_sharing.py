"""What measures share has the values of separate computations, and is computed once."""

import math
from dataclasses import replace

import pytest
import torch

from grokpipe.config import registry
from grokpipe.measures import Outputs, Snapshot, flatness, fourier, logits, spectral

P, D, N = 11, 6, 90


def snapshot(exponents: torch.Tensor | None, loss: str = "cross_entropy") -> Snapshot:
    """A random network's outputs on labels that all occur."""
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(N) % P
    features = torch.randn(N, D, generator=draws) + torch.randn(P, D, generator=draws)[labels]
    head = torch.randn(P, D, generator=draws)
    outputs = Outputs(features, features @ head.T, labels)
    return Snapshot(
        outputs, outputs, features.double(), 2 * features.double(), {"head.weight": head.double()},
        P, loss, train_probe_labels=labels, exponents=exponents,
    )  # fmt: skip


GROUPS = {
    "whole probe": torch.arange(P),
    "without zero": torch.cat([torch.tensor([-1]), torch.arange(P - 1)]),
    "no group": None,
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("names", [["spectral", "fourier", "fourier_paper"],
                                   ["fourier_paper", "fourier", "spectral"]])  # fmt: skip
def test_spectra_are_those_of_each_measure_alone(group: str, names: list[str]) -> None:
    exponents = GROUPS[group]
    shared, found = snapshot(exponents), {}
    for name in names:
        found |= registry.module("measures", name, "measures").measure(shared)
    probe = shared.train_probe
    expected = {
        "spectral/entropy_train": spectral.spectral_entropy(probe),
        "spectral/entropy_test": spectral.spectral_entropy(shared.test_probe),
        "spectral/effective_rank": spectral.effective_rank(probe),
        "fourier/alignment": math.nan,
        "fourier/alignment_null": math.nan,
        "fourier_paper/alignment": math.nan,
    }
    if exponents is not None:
        inside = exponents[shared.train_probe_labels] >= 0
        samples, own = probe[inside], exponents[shared.train_probe_labels][inside]
        order = int((exponents >= 0).sum())
        pair = fourier.alignment(samples, own, order)
        expected |= dict(zip(fourier.COLUMNS, pair, strict=True))
        scores, _ = fourier.leading_scores(samples)
        expected["fourier_paper/alignment"] = fourier.paper_alignment(scores[:, 0], own, order)
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("loss", ["cross_entropy", "stablemax", "squared_error"])
def test_sums_over_classes_are_those_of_each_measure_alone(loss: str) -> None:
    shared = snapshot(None, loss)
    found = flatness.measure(shared) | logits.measure(shared)
    train, head, log_p = shared.train, shared.head, shared.log_probabilities
    features = train.features.double()
    kappa = {
        "cross_entropy": lambda: flatness.kappa_cross_entropy(features, log_p, head),
        "squared_error": lambda: flatness.kappa_squared_error(features, head),
        "stablemax": lambda: flatness.kappa_stablemax(
            features, train.logits.double(), train.labels, head
        ),
    }
    expected = {
        "flatness/kappa": kappa[loss](),
        "flatness/kappa_surrogate": flatness.kappa_surrogate(features, log_p, head),
        "logits/scale": logits.logit_scale(train.logits.double()),
        "logits/margin": logits.logit_margin(train.logits.double(), train.labels),
        "logits/entropy": logits.output_entropy(log_p),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_a_function_of_a_snapshot_is_computed_once() -> None:
    calls = []

    def value(of: Snapshot) -> float:
        calls.append(of)
        return of.train_probe.sum().item()

    one = snapshot(None)
    other = replace(one, train_probe=3 * one.train_probe)
    assert one.once(value) == one.once(value) == one.train_probe.sum().item()
    assert other.once(value) == other.train_probe.sum().item()
    assert [id(of) for of in calls] == [id(one), id(other)]


def test_each_probe_is_decomposed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    for name in ("eigh", "eigvalsh"):
        kept = getattr(torch.linalg, name)
        monkeypatch.setattr(
            torch.linalg, name, lambda a, name=name, kept=kept: calls.append(name) or kept(a)
        )
    for exponents, expected in ((GROUPS["whole probe"], ["eigh", "eigvalsh"]),
                                (None, ["eigvalsh", "eigvalsh"])):  # fmt: skip
        one = snapshot(exponents)
        for name in ("spectral", "fourier", "fourier_paper"):
            registry.module("measures", name, "measures").measure(one)
        assert calls == expected
        calls.clear()
