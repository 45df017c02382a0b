"""Theorem 3.2 of Sakamoto & Sato (2026): a bound on the error by the moments of each class.

With the logits ⟨w_k, g⟩ + b_k, a sample of class c is misclassified only if for some k the
difference D_k = ⟨w_c − w_k, g⟩ + b_c − b_k is not positive. The union bound and Cantelli's
inequality (one-sided: Pr[D ≤ 0] ≤ Var D / (Var D + (E D)²) if E D > 0) give

    Pr[error] ≤ Σ_c p_c Σ_{k≠c} (1 + max(E[D_k|c], 0)² / s²)⁻¹

with s² = Var(D_k|c), the directional form, or, as the theorem is stated, with the isotropic
s² = ‖w_c − w_k‖² E[‖g − E[g|c]‖² | c] ≥ Var(D_k|c). The theorem divides D_k by ‖w_c − w_k‖ and g by
B_g; both cancel, the bias (which the statement omits) included.

A union bound may exceed 1, and is reported as it is. With the moments of a set, the error counted
on that very set is bounded: the theorem holds for its empirical distribution. With those of the
training set it is a proxy of the bound on unseen samples.
"""

import torch
from torch import Tensor

from grokpipe.measures import Snapshot

NAN = float("nan")


def bounds(features: Tensor, labels: Tensor, head: Tensor, bias: Tensor) -> tuple[float, float]:
    """Compute the bound as stated, by isotropic variances, and by variances along w_c − w_k.

    Sums are centred before they are squared, in float64. A class without samples has p_c = 0. NaN
    if a feature, weight or bias is not finite.

    Args:
        features: g, (n, d).
        labels: (n,).
        head: w, (C, d) float64.
        bias: b, (C,) float64.
    """
    isotropic = directional = 0.0
    for label in labels.unique().tolist():
        own = features[labels == label].double()
        mean = own.mean(0)
        deviations = own - mean
        towards = head[label] - head  # (C, d): w_c − w_k
        differences = towards @ mean + bias[label] - bias
        squares = differences.clamp(min=0).square()
        variance = deviations.square().sum(1).mean() * towards.square().sum(1)
        along = (deviations @ towards.T).square().mean(0)
        share = len(own) / len(features)
        isotropic += share * _cantelli(squares, variance, label)
        directional += share * _cantelli(squares, along, label)
    return isotropic, directional


def _cantelli(squares: Tensor, variances: Tensor, label: int) -> float:
    """Σ_{k≠c} s²/(s² + m²), given m² = max(E D_k, 0)² and s², each (C,)."""
    terms = torch.where(squares > 0, variances / (variances + squares), 1.0)
    terms[~(squares + variances).isfinite()] = NAN
    terms[label] = 0.0
    return terms.sum().item()


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute both forms from the moments of the test set, and from those of the training set."""
    row: dict[str, float] = {}
    for outputs, suffix in ((snapshot.test, ""), (snapshot.train, "_train")):
        stated, directional = bounds(outputs.features, outputs.labels, snapshot.head, snapshot.bias)
        row |= {
            f"theorem/bound{suffix}": stated,
            f"theorem/bound_directional{suffix}": directional,
        }
    return row
