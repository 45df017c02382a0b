"""Neural collapse: within-class variance, class-mean geometry, self-duality, nearest-mean rule.

Sources: Papyan, Han & Donoho (2020) for NC1–NC4; Galanti, György & Hutter (2022) for CDNV;
Sakamoto & Sato (2026), section 4, for RNC1. Sums are centred before they are squared: the one-pass
form Σ‖z‖² − n‖μ‖² cancels once the classes have collapsed.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from grokpipe.measures import PART, Snapshot, in_parts, largest, pair_distances

NAN = float("nan")


@dataclass(frozen=True)
class ClassStatistics:
    """First and second moments by class, in float64, without classes that have no samples."""

    present: Tensor
    """(C,) labels that occur"""
    index: Tensor
    """(n,) position of each sample's label in `present`"""
    shares: Tensor
    """(C,) n_c / n"""
    means: Tensor
    """(C, d) μ_c"""
    variances: Tensor
    """(C,) V_c: mean squared distance of a class's samples from its mean"""
    mean_norm: float
    """B_g of Sakamoto & Sato's released code: the mean feature norm"""
    largest_norm: float
    """B_g of their Definition 3.1: the largest feature norm"""
    eps: float
    """relative spacing of numbers in the precision of the features"""

    @property
    def within(self) -> float:
        """Tr Σ_W"""
        return (self.shares @ self.variances).item()

    @cached_property
    def centred_means(self) -> Tensor:
        """(C, d) μ_c − μ, with μ the mean of all samples"""
        return self.means - self.shares @ self.means

    @cached_property
    def between(self) -> float:
        """Tr Σ_B"""
        return (self.shares @ self.centred_means.square().sum(1)).item()

    @property
    def finite(self) -> bool:
        """Whether all features are finite."""
        return bool(self.variances.isfinite().all())

    @property
    def rounding(self) -> float:
        """Size, relative to the largest, below which a singular value of the class means is
        rounding of the features: eps · max(C, d), LAPACK's rule."""
        return max(self.means.shape) * self.eps


def class_statistics(features: Tensor, labels: Tensor) -> ClassStatistics:
    """Compute moments by class from features (n, d) and labels (n,).

    Two passes, so that sums are centred before squaring.
    """
    present, index, counts = labels.unique(return_inverse=True, return_counts=True)
    n = len(labels)
    sums = torch.zeros(len(present), features.shape[1], dtype=torch.float64)
    lengths = torch.empty(n, dtype=torch.float64)
    for rows, part in in_parts(features):
        sums.index_add_(0, index[rows], part)
        torch.linalg.vector_norm(part, dim=1, out=lengths[rows])
    mean_norm, largest_norm = lengths.mean().item(), lengths.max().item()
    means = sums / counts[:, None]
    for rows, part in in_parts(features):
        deviations = means.index_select(0, index[rows])
        torch.sub(part, deviations, out=deviations)
        torch.linalg.vector_norm(deviations, dim=1, out=lengths[rows])
    return ClassStatistics(
        present=present,
        index=index,
        shares=counts.double() / n,
        means=means,
        variances=index.bincount(lengths.square()) / counts,
        mean_norm=mean_norm,
        largest_norm=largest_norm,
        eps=torch.finfo(features.dtype).eps,
    )


def rnc1(statistics: ClassStatistics) -> float:
    """Rescaled within-class variance Tr Σ_W / B_g² of Sakamoto & Sato, with the mean feature norm
    as B_g, as their code has it and their figures show it."""
    return _ratio(statistics.within, statistics.mean_norm**2)


def rnc1_sup(statistics: ClassStatistics) -> float:
    """The same with the largest feature norm as B_g, as in their Definition 3.1."""
    return _ratio(statistics.within, statistics.largest_norm**2)


def nc1(statistics: ClassStatistics) -> float:
    """Trace ratio Tr Σ_W / Tr Σ_B; NaN if the class means coincide."""
    return NAN if coincide(statistics) else statistics.within / statistics.between


def nc1_pinv(statistics: ClassStatistics, features: Tensor) -> float:
    """NC1 of Papyan et al.: Tr(Σ_W Σ_B⁺) / C with the pseudo-inverse at rank C − 1.

    `features` (n, d) must be those of `statistics`. With A the centred means weighted by √(n_c/n),
    Σ_B = AᵀA; from A = USVᵀ follows Tr(Σ_W Σ_B⁺) = (1/n) Σ_i ‖S⁻¹Vᵀ(z_i − μ_{y_i})‖². NaN if
    Σ_B has a lower rank.
    """
    classes = len(statistics.present)
    weighted = statistics.shares.sqrt()[:, None] * statistics.centred_means
    if coincide(statistics) or classes - 1 > weighted.shape[1]:
        return NAN
    whitening = _whitening(weighted, statistics)
    if whitening is None:
        return NAN
    total = 0.0
    for rows, part in in_parts(features):
        deviations = part - statistics.means.index_select(0, statistics.index[rows])
        total += (deviations @ whitening).square().sum().item()
    return total / len(features) / classes


def _whitening(weighted: Tensor, statistics: ClassStatistics) -> Tensor | None:
    """W (d, C − 1) with W Wᵀ = Σ_B⁺, from A = `weighted`, or None if A has a rank below C − 1.

    A reflection that maps √(n_c/n), whose product with A is 0, to the first axis leaves C − 1 rows
    B with BᵀB = AᵀA. From Bᵀ = QR follows W = Q R⁻ᵀ, which takes a fraction of the time of the
    singular values; these are needed only where their bounds ‖R‖ and 1/‖R⁻¹‖ leave the rank open.
    """
    root = statistics.shares.sqrt()
    along = (weighted[0] + root @ weighted) / (1 + root[0])
    q, r = torch.linalg.qr((weighted[1:] - root[1:, None] * along).T)
    inverse = torch.linalg.solve_triangular(r, torch.eye(len(r), dtype=r.dtype), upper=True)
    if statistics.rounding * r.norm() * inverse.norm() < 1:
        return q @ inverse.T
    _, s, vt = torch.linalg.svd(weighted, full_matrices=False)
    s, vt = s[:-1], vt[: len(s) - 1]
    return None if s[-1] <= statistics.rounding * s[0] else vt.T / s


def cdnv(statistics: ClassStatistics) -> float:
    """Class-distance normalised variance: mean over ordered pairs of classes of
    (V_c + V_c')/(2‖μ_c − μ_c'‖²) (Galanti et al.). NaN for one class or two equal means."""
    if len(statistics.present) < 2:
        return NAN
    (first, second), distances = pair_distances(statistics.means)
    largest = statistics.means.square().sum(1).max()
    if distances.min() <= statistics.rounding**2 * largest:
        return NAN
    variances = statistics.variances[first] + statistics.variances[second]
    return (variances / (2 * distances)).mean().item()


def nc2_cond(statistics: ClassStatistics) -> float:
    """NC2 of Sakamoto & Sato: √cond(M Mᵀ), with M ∈ R^{C×d} the uncentred class means.

    1 for orthogonal means of equal length, infinite for means that are linearly dependent up to
    rounding of the features (a centred simplex, or C > d).
    """
    s = torch.linalg.svdvals(statistics.means)
    if len(statistics.present) < 2 or s[0] == 0:
        return NAN
    if len(statistics.present) > len(s) or s[-1] <= statistics.rounding * s[0]:
        return float("inf")
    return (s[0] / s[-1]).item()


def equinorm(statistics: ClassStatistics) -> float:
    """Coefficient of variation of ‖μ_c − μ‖ over the classes."""
    if coincide(statistics):
        return NAN
    norms = statistics.centred_means.norm(dim=1)
    return (norms.std(correction=0) / norms.mean()).item()


def equiangular(statistics: ClassStatistics) -> float:
    """Mean over pairs of |cos(μ_c − μ, μ_c' − μ) + 1/(C − 1)|."""
    if coincide(statistics):
        return NAN
    classes = len(statistics.present)
    centred = statistics.centred_means
    directions = centred / centred.norm(dim=1, keepdim=True)
    gaps = (directions @ directions.T + 1 / (classes - 1)).abs().fill_diagonal_(0.0)
    return (gaps.sum() / (classes * (classes - 1))).item()


def nc3(statistics: ClassStatistics, head: Tensor) -> float:
    """Self-duality gap ‖W/‖W‖_F − Ṁ/‖Ṁ‖_F‖_F, with Ṁ the centred class means and W (classes, d)
    the head; NaN if a class has no sample."""
    if coincide(statistics) or len(head) != len(statistics.present):
        return NAN
    centred = statistics.centred_means
    return (head / head.norm() - centred / centred.norm()).norm().item()


def nc4(statistics: ClassStatistics, features: Tensor, logits: Tensor) -> float:
    """Share of samples on which the head does not choose the nearest class mean of `statistics`."""
    return _nc4(statistics, features, largest(logits))


def _nc4(statistics: ClassStatistics, features: Tensor, chosen: Tensor) -> float:
    """The same from the classes that the head chooses, (n,)."""
    if len(statistics.present) < 2:
        return NAN
    disagree, doubtful = _compare(statistics, features, chosen)
    for rows in doubtful.split(PART):
        near = _proximity(statistics, features.index_select(0, rows).double())
        nearest = statistics.present[largest(near)]
        disagree += int((nearest != chosen[rows]).sum())
    return disagree / len(features)


def _proximity(statistics: ClassStatistics, features: Tensor) -> Tensor:
    """(n, C) −‖z − μ‖²/2 without ‖z‖², which is the same for every class, in the precision of
    `features`."""
    offsets = statistics.means.square().sum(1) / -2
    return torch.addmm(offsets.to(features), features, statistics.means.to(features).T)


def _compare(statistics: ClassStatistics, features: Tensor, chosen: Tensor) -> tuple[int, Tensor]:
    """Compare the mean of each sample's chosen class with all others, in the precision of training.

    Returns the number of samples with another mean nearer, and the samples (m,) for which that
    precision does not decide: whose difference is within the bound on the error of its two scalar
    products, (d + 4) ε (‖z‖ ‖μ‖ + ‖μ‖²/2) (Higham 2002, section 3.1).
    """
    present, limits = statistics.present, torch.finfo(features.dtype)
    position = torch.full((int(max(chosen.max(), present.max())) + 1,), -1)
    position[present] = torch.arange(len(present))
    position = position[chosen][:, None]  # −1: a class without a mean
    longest = statistics.means.square().sum(1).max().sqrt().item()
    relative, smallest = (features.shape[1] + 4) * limits.eps * longest, limits.tiny
    differences, bounds = [], []
    for start in range(0, len(features), PART):
        rows = slice(start, start + PART)
        near, at = _proximity(statistics, features[rows]), position[rows].clamp(min=0)
        own = near.gather(1, at)[:, 0]
        differences.append(own - near.scatter_(1, at, -torch.inf).amax(1))
        bounds.append(torch.linalg.vector_norm(features[rows], dim=1))
    difference, lengths = torch.cat(differences).double(), torch.cat(bounds).double()
    bound = relative * (lengths + longest / 2) + features.shape[1] * smallest
    decided = (difference.abs() > bound) & difference.isfinite()
    absent = position[:, 0] < 0
    disagree = (decided & (difference < 0)) | absent
    return int(disagree.sum()), (~(decided | absent)).nonzero()[:, 0]


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute all columns on the training set, and RNC1, CDNV and NC4 on the test set."""
    train, test = snapshot.train, snapshot.test
    statistics = class_statistics(train.features, train.labels)
    population = class_statistics(test.features, test.labels)
    if not (statistics.finite and population.finite):
        return dict.fromkeys(COLUMNS, NAN)
    values = (
        rnc1(statistics),
        nc1(statistics),
        nc1_pinv(statistics, train.features),
        cdnv(statistics),
        nc2_cond(statistics),
        equinorm(statistics),
        equiangular(statistics),
        nc3(statistics, snapshot.head),
        _nc4(statistics, train.features, train.predictions),
        _nc4(statistics, test.features, test.predictions),
        rnc1(population),
        cdnv(population),
        rnc1_sup(statistics),
        rnc1_sup(population),
    )
    return dict(zip(COLUMNS, values, strict=True))


COLUMNS = tuple(
    f"collapse/{name}"
    for name in (
        "rnc1 nc1 nc1_pinv cdnv nc2_cond equinorm equiangular nc3 nc4_train nc4_test "
        "rnc1_test cdnv_test rnc1_sup rnc1_sup_test"
    ).split()
)
ADDED = {"collapse/rnc1_sup": "0.2", "collapse/rnc1_sup_test": "0.2"}


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else NAN


def coincide(statistics: ClassStatistics) -> bool:
    """Return whether there is one class, or all class means coincide up to rounding."""
    if len(statistics.present) < 2:
        return True
    lengths = statistics.means.square().sum(1).max().item()
    return statistics.between <= statistics.rounding**2 * lengths
