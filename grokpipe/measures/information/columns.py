"""The columns `information/…`, by the method of each.

X are the test inputs, Y their labels, Z the features. All values are in nats but nHSIC, which has
no unit. Two seconds an evaluation of 10,000 images on one core: meant for a few evaluations of a
run (`measures.sparse`), or for its snapshots (`python -m grokpipe.remeasure`).
"""

import numpy as np
import torch

from grokpipe.measures import Inputs, Outputs, Snapshot
from grokpipe.measures.information import bounds, codes, compression, nhsic
from grokpipe.tasks import Task

NAN = float("nan")
SIGMAS = (0.1, 0.3, 1.0)
"""noise of Theorem 3.4, relative to B_g"""
DENSITY = 0.1
"""noise of the kernel density, in units of the features, as in the released code"""


def unfit(task: Task) -> str | None:
    """Say why the measure cannot be taken on a task: fewer samples than neighbours."""
    if len(task.test) > compression.NEIGHBOURS:
        return None
    return (
        f"has {len(task.test)} test samples, but estimates from {compression.NEIGHBOURS} nearest "
        f"neighbours need {compression.NEIGHBOURS + 1} or more"
    )


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute all columns on the test set.

    NaN: what concerns X for tokens and without inputs (`nhsic_x`), and for images other than the
    10,000 test images of which codes ship (`compression…_x`); nHSIC below 100 samples; estimates by
    neighbours with too few samples or a singular covariance; everything if a feature is not finite.
    """
    test = snapshot.test
    values = dict.fromkeys(COLUMNS, NAN)
    if len(test.labels) and test.features.isfinite().all():
        for part in (
            _nhsic(test, snapshot.classes, snapshot.inputs),
            _compression(test, snapshot.inputs),
            _bounds(test),
        ):
            values |= {f"information/{name}": value for name, value in part.items()}
    return values


def _nhsic(test: Outputs, classes: int, inputs: Inputs | None) -> dict[str, float]:
    x = None if inputs is None else inputs.once(_of_inputs)
    y = nhsic.Constants.of_labels(test.labels, classes)
    norm = test.squared_lengths.sqrt().mean().item()
    values: dict[str, float] = {}
    for name, scale in (("", 1.0), ("_scaled", norm)):
        both = nhsic.nhsic(test.features, scale, (x, y))
        values |= {f"nhsic_x{name}": both[0], f"nhsic_y{name}": both[1]}
        values[f"nhsic_difference{name}"] = both[0] - both[1]
    return values


def _of_inputs(inputs: Inputs) -> nhsic.Constants | None:
    """R_X, of numbers; None for tokens, between which this kernel has no meaning."""
    test = inputs.test
    return nhsic.Constants.of_inputs(test) if test.is_floating_point() else None


def _compression(test: Outputs, inputs: Inputs | None) -> dict[str, float]:
    x = None if inputs is None else inputs.once(_codes)
    z = compression.principal_components(test.features.double().numpy())
    values: dict[str, float] = {}
    for name, method in (("", compression.released), ("_5nn", compression.five)):
        if z is None:
            continue
        found = method(x, z, test.labels.numpy())
        values |= {f"compression{name}_x": found.x, f"compression{name}_y": found.y}
        values[f"compression{name}_difference"] = found.difference
    return values


def _codes(inputs: Inputs) -> compression.Array | None:
    """Codes of the test images, one row each; None for other inputs."""
    found = codes.codes_of(inputs.test)
    return None if found is None else found.numpy().astype(np.float64)


def _bounds(test: Outputs) -> dict[str, float]:
    norms = test.squared_lengths.sqrt()
    largest, mean = norms.max().item(), norms.mean().item()
    centred = bounds.classes(test.features, test.labels)
    values, shares = bounds.spectra(centred), _shares(test.labels)
    mixtures = bounds.Mixtures(centred)
    columns: dict[str, float] = {}
    for sigma in SIGMAS:
        mixture = mixtures.at(sigma * largest)
        columns |= {
            f"gaussian_bound_{sigma:g}": bounds.gaussian_bound(values, shares, sigma * largest),
            f"trace_bound_{sigma:g}": bounds.trace_bound(values, shares, sigma * largest),
            f"gaussian_bound_mean_{sigma:g}": bounds.gaussian_bound(values, shares, sigma * mean),
            f"conditional_{sigma:g}": mixture.estimate,
            f"conditional_lower_{sigma:g}": mixture.lower,
            f"conditional_upper_{sigma:g}": mixture.upper,
            f"conditional_error_{sigma:g}": mixture.error,
            f"conditional_saturated_{sigma:g}": mixture.saturated,
        }
    density = mixtures.at(DENSITY)
    return columns | {"density": density.estimate, "density_saturated": density.saturated}


def _shares(labels: torch.Tensor) -> torch.Tensor:
    counts = labels.unique(return_counts=True)[1]
    return counts.double() / len(labels)


def _names() -> tuple[str, ...]:
    ends = ("x", "y", "difference")
    names = [f"nhsic_{end}{form}" for form in ("", "_scaled") for end in ends]
    names += [f"compression{form}_{end}" for form in ("", "_5nn") for end in ends]
    kinds = (
        "gaussian_bound trace_bound gaussian_bound_mean conditional conditional_lower "
        "conditional_upper conditional_error conditional_saturated"
    ).split()
    names += [f"{kind}_{sigma:g}" for sigma in SIGMAS for kind in kinds]
    return tuple(f"information/{name}" for name in (*names, "density", "density_saturated"))


COLUMNS = _names()
