"""Fourier alignment as in Truong et al. (2026, section 11): the form that reproduces their noise
levels uses only the leading eigenvector's score, and only cosines. See fourier.py for a better
form."""

from grokpipe.measures import Snapshot
from grokpipe.measures.fourier import NAN, group_samples, group_scores, paper_alignment, unfit

__all__ = ["measure", "unfit"]


def measure(snapshot: Snapshot) -> dict[str, float]:
    """Compute `fourier_paper/alignment` on the training probe, within the group."""
    samples, value = snapshot.once(group_samples), NAN
    if samples is not None:
        _, exponents, order = samples
        if (leading := snapshot.once(group_scores)) is not None and len(exponents) > 1:
            value = paper_alignment(leading[0][:, 0], exponents, order)
    return {"fourier_paper/alignment": value}
