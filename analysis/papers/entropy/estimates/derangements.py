"""Lemma 5 of Truong et al. (2026, Appendix E): which mixing by a derangement loses entropy."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from analysis.output.formats import number
from analysis.papers.entropy.estimates import lemmas
from analysis.runs.experiments import Experiments

DRAWS = 20
POINTS = 256


def tables(experiments: Experiments) -> dict[str, pd.DataFrame]:
    """By kind of points: how many of DRAWS draws lose, how much and in which order of α."""
    return {"Lemma 5: entropy lost by mixing": _derangements(experiments.generator())}


def _derangements(generator: np.random.Generator) -> pd.DataFrame:
    """At α = 0.01 and by the order in α, of the draws that lose at every strength."""
    rows = []
    for name, draw in _sampled(generator):
        lost = np.array([lemmas.losses(*draw(), lemmas.ALPHAS) for _ in range(DRAWS)])
        orders = np.array([lemmas.order(lemmas.ALPHAS, one) for one in lost])
        losing = np.isfinite(orders)
        per_alpha = lost[:, 0] / lemmas.ALPHAS[0]
        rows.append(
            {
                "points and derangement": name,
                "draws that lose entropy": f"{losing.sum()}/{DRAWS}",
                "loss/α at α = 0.001, least to largest": (
                    f"{number(per_alpha.min(), 4)} to {number(per_alpha.max(), 4)}"
                ),
                "order in α of those, mean": (
                    number(float(orders[losing].mean()), 2) if losing.any() else "–"
                ),
            }
        )
    return pd.DataFrame(rows)


def _sampled(
    generator: np.random.Generator,
) -> Iterator[tuple[str, Callable[[], tuple[np.ndarray, np.ndarray]]]]:
    """Kinds of points with their derangement, and how to draw them."""

    def independent(count: int, dimension: int, shift: bool) -> tuple[np.ndarray, np.ndarray]:
        points = lemmas.independent(count, dimension, generator)
        if shift:
            return points, np.roll(np.arange(count), 1)
        return points, lemmas.derangement(count, generator)

    yield "(x, y) with (x, −y), d = 2", lambda: lemmas.mirrored(POINTS, generator)
    yield "independent, cyclic shift, n = 512, d = 128", lambda: independent(512, 128, True)
    yield "independent, random, n = 512, d = 128", lambda: independent(512, 128, False)
    yield "independent, random, n = 32, d = 4", lambda: independent(32, 4, False)
