"""Fourier alignment in the form that reproduces the noise levels of Truong et al. (2026, section
11): of the leading eigenvector's score alone, on cosines alone. See fourier.py for a better one."""

from grokpipe.measures import Snapshot
from grokpipe.measures.fourier import NAN, group_samples, leading_scores, paper_alignment, unfit

__all__ = ["measure", "unfit"]


def measure(snapshot: Snapshot) -> dict[str, float]:
    """`fourier_paper/alignment` on the training probe, as measures/fourier.py."""
    found, value = group_samples(snapshot), NAN
    if found is not None:
        features, exponents, order = found
        if (leading := leading_scores(features)) is not None and len(exponents) > 1:
            value = paper_alignment(leading[0][:, 0], exponents, order)
    return {"fourier_paper/alignment": value}
