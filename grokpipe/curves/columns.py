"""The registry of columns: how the axis of a logged column is labelled and scaled.

To declare a column, add an entry to `COLUMNS`; an installed package adds a dictionary of them by an
entry point of the group `grokpipe.columns`. A column that is not declared is drawn all the same,
under its own name (`column`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from grokpipe import plugins

Scale = Literal["linear", "log"]
DECADES = 2  # that positive values span at least where an undeclared column is logarithmic
SHARE = (0.0, 1.02)  # limits of an axis of shares: a line at 1 is seen whole


@dataclass(frozen=True)
class Column:
    """Label and scale of a column's axis."""

    label: str
    """as readers of the field know it; mathematics between dollars, as matplotlib writes it"""
    scale: Scale = "linear"
    limits: tuple[float, float] | None = None
    """ends of a linear axis; None: those of the data"""
    unit: str = ""

    @property
    def title(self) -> str:
        """The label, with its unit in parentheses."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


COLUMNS: dict[str, Column] = {
    "train_accuracy": Column("training accuracy", limits=SHARE),
    "test_accuracy": Column("test accuracy", limits=SHARE),
    "train_loss": Column("training loss", "log"),
    "test_loss": Column("test loss", "log"),
    # weights
    "weight_norm": Column(r"norm of the weights $\Vert\theta\Vert$", "log"),
    "weight_norm_sum": Column("sum of the parameters' norms", "log"),
    "head_norm": Column(r"norm of the last layer $\Vert W\Vert_F$", "log"),
    "balance/*": Column("imbalance of layers, pair {} from the head"),
    # logits
    "logits/scale": Column("scale of the logits", "log"),
    "logits/margin": Column("mean margin of the logits"),
    "logits/entropy": Column("entropy of the outputs", "log", unit="nats"),
    "logits/zero_loss": Column("share of samples with loss 0", limits=SHARE),
    "logits/zero_gradient": Column("share of samples with gradient 0", limits=SHARE),
    # collapse
    "collapse/rnc1": Column(r"RNC1 = $\mathrm{Tr}\,\Sigma_W / B_g^2$", "log"),
    "collapse/rnc1_test": Column(r"RNC1 on the test set", "log"),
    "collapse/rnc1_sup": Column("RNC1 by the largest norm", "log"),
    "collapse/rnc1_sup_test": Column("RNC1 by the largest norm, on the test set", "log"),
    "collapse/nc1": Column(r"NC1 = $\mathrm{Tr}\,\Sigma_W / \mathrm{Tr}\,\Sigma_B$", "log"),
    "collapse/nc1_pinv": Column(r"NC1 = $\mathrm{Tr}(\Sigma_W \Sigma_B^{+}) / C$", "log"),
    "collapse/cdnv": Column("CDNV", "log"),
    "collapse/cdnv_test": Column("CDNV on the test set", "log"),
    "collapse/nc2_cond": Column(r"NC2 = $\sqrt{\mathrm{cond}(M M^\top)}$", "log"),
    "collapse/equinorm": Column("NC2, equinorm: variation of the class means' lengths", "log"),
    "collapse/equiangular": Column("NC2, equiangular: distance from a simplex", "log"),
    "collapse/nc3": Column("NC3: self-duality gap", "log"),
    "collapse/nc4_train": Column("NC4: not the nearest mean, training set", limits=SHARE),
    "collapse/nc4_test": Column("NC4: not the nearest mean, test set", limits=SHARE),
    # simplex
    "simplex/kappa": Column(r"$\kappa$ of a simplex of this margin", "log"),
    "simplex/bound": Column(r"bound on $\kappa$ (Proposition 5.3)", "log"),
    # theorem, margins
    "theorem/bound": Column("bound on the test error (Theorem 3.2)", "log"),
    "theorem/bound_directional": Column("bound on the test error, along $w_c - w_k$", "log"),
    "theorem/bound_train": Column("bound by training moments (Theorem 3.2)", "log"),
    "theorem/bound_directional_train": Column("training bound, along $w_c - w_k$", "log"),
    "margins/*": Column("signed distance between classes: {}"),
    # spectral, flatness, fourier
    "spectral/entropy_train": Column(r"spectral entropy $\tilde{H}$"),
    "spectral/entropy_test": Column(r"spectral entropy $\tilde{H}$ on the test set"),
    "spectral/effective_rank": Column(r"effective rank $e^{H}$", "log"),
    "flatness/kappa": Column(r"relative flatness $\kappa$", "log"),
    "flatness/kappa_surrogate": Column(r"relative flatness $\kappa$, surrogate", "log"),
    "flatness/kappa_released": Column("relative flatness, released formula", "log"),
    "flatness/kappa_hidden/*": Column(r"relative flatness $\kappa$: {}", "log"),
    "fourier/alignment": Column("Fourier alignment", limits=SHARE),
    "fourier/alignment_null": Column("Fourier alignment of permuted labels", limits=SHARE),
    "fourier_paper/alignment": Column("Fourier alignment, first eigenvector", limits=SHARE),
    # information
    "information/nhsic_x": Column("nHSIC(Z; X)"),
    "information/nhsic_y": Column("nHSIC(Z; Y)"),
    "information/nhsic_difference": Column("nHSIC(Z; X) − nHSIC(Z; Y)"),
    "information/nhsic_x_scaled": Column(r"nHSIC(Z; X) of $z/B_g$"),
    "information/nhsic_y_scaled": Column(r"nHSIC(Z; Y) of $z/B_g$"),
    "information/nhsic_difference_scaled": Column(r"nHSIC(Z; X) − nHSIC(Z; Y) of $z/B_g$"),
    "information/compression_x": Column("I(Z; X) by compression", unit="nats"),
    "information/compression_y": Column("I(Z; Y) by compression", unit="nats"),
    "information/compression_difference": Column("I(Z; X) − I(Z; Y) by compression", unit="nats"),
    "information/compression_5nn_x": Column("I(Z; X), 5-NN", unit="nats"),
    "information/compression_5nn_y": Column("I(Z; Y), 5-NN", unit="nats"),
    "information/compression_5nn_difference": Column("I(Z; X) − I(Z; Y), 5-NN", unit="nats"),
    "information/density": Column(r"I(Z; X | Y) by kernel density, noise 0.1", unit="nats"),
    "information/density_saturated": Column("share of samples alone, noise 0.1", limits=SHARE),
}
"""By name. A name that ends in * stands for all columns that begin so; {} in its label, for the
rest of their names."""

_NOISY = {
    "gaussian_bound": Column("bound of I(Z; X | Y), Gaussian", "log", unit="nats"),
    "trace_bound": Column("bound of I(Z; X | Y), trace", "log", unit="nats"),
    "gaussian_bound_mean": Column("bound of I(Z; X | Y), Gaussian, mean norm", "log", unit="nats"),
    "conditional": Column("I(Z; X | Y)", "log", unit="nats"),
    "conditional_lower": Column("I(Z; X | Y), pairwise lower bound", "log", unit="nats"),
    "conditional_upper": Column("I(Z; X | Y), pairwise upper bound", "log", unit="nats"),
    "conditional_error": Column("I(Z; X | Y), standard error", "log", unit="nats"),
    "conditional_saturated": Column("share of samples alone", limits=SHARE),
}
COLUMNS |= {
    f"information/{name}_{sigma}": replace(one, label=rf"{one.label}, $\sigma = {sigma}$")
    for name, one in _NOISY.items()
    for sigma in ("0.1", "0.3", "1")
}


def installed() -> tuple[dict[str, Column], list[str]]:
    """Return the columns that installed packages declare, and a line for each entry point that
    could not be read."""
    return plugins.declared("columns", known=COLUMNS, kinds=Column)


def column(name: str, values: ArrayLike, known: Mapping[str, Column] | None = None) -> Column:
    """Return the declaration of a column, by its name or as one of a family (`probe_*`).

    A column that is not declared is labelled by its name: from 0 to 1 if it is an accuracy, else
    logarithmic if all its finite `values` are positive and span more than DECADES.
    """
    known = {**COLUMNS, **installed()[0]} if known is None else known
    if name in known:
        return known[name]
    for pattern, family in known.items():
        if pattern.endswith("*") and name.startswith(pattern[:-1]):
            label = family.label.replace("{}", name[len(pattern) - 1 :])
            return Column(label, family.scale, family.limits, family.unit)
    if name.rpartition("_")[2] == "accuracy":
        return Column(name, limits=SHARE)
    numbers = np.asarray(values, dtype=float)
    finite = numbers[np.isfinite(numbers)]
    wide = finite.size and finite.min() > 0 and finite.max() > 10**DECADES * finite.min()
    return Column(name, "log" if wide else "linear")
