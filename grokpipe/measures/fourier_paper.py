"""Fourier alignment as in Truong et al. (2026, section 11): the form that reproduces their noise
levels uses only the leading eigenvector's score, and only cosines. See fourier.py for a better
form."""

from grokpipe.measures import Snapshot
from grokpipe.measures.fourier import NAN, group_samples, leading_scores, paper_alignment, unfit

__all__ = ["measure", "unfit"]


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute `fourier_paper/alignment` on the training probe, within the group."""
    samples, value = group_samples(snapshot), NAN
    if samples is not None:
        features, exponents, order = samples
        if (leading := leading_scores(features)) is not None and len(exponents) > 1:
            value = paper_alignment(leading[0][:, 0], exponents, order)
    return {"fourier_paper/alignment": value}
