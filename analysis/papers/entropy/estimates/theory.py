"""The lemmas of Truong et al. (2026, Appendix E) that can be tried without runs (`lemmas`,
`covariance_update`)."""

import numpy as np

from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.output.formats import number
from analysis.papers.entropy.estimates import lemmas
from analysis.papers.entropy.estimates.covariance_update import remainder_orders
from analysis.stats import effects, means

MATRICES = 1_000
NETWORKS = 10
DRAWS, POINTS = 20, 256


def lemma_1(runs: Runs) -> Estimate:
    """In how many of MATRICES random perturbations |ΔH̃| ≤ L ‖ΔΣ‖_F, with the L of the paper's
    proof (`lemmas.lipschitz`)."""
    tried = list(lemmas.perturbations(MATRICES, runs.generator()))
    k = sum(one.change <= one.bound for one in tried)
    used = max(one.change / one.bound for one in tried)
    note = f"the largest change is {number(100 * used)} % of its bound"
    return Estimate(effects.proportion(k, len(tried)), len(tried), None, k, note)


def lemma_2(runs: Runs) -> Estimate:
    """The order in η of what the first-order term leaves, mean over NETWORKS small networks."""
    orders = [float(np.mean(remainder_orders(seed))) for seed in range(NETWORKS)]
    found = means.mean(orders, runs.generator())
    return Estimate(found, NETWORKS, None, note="small smooth networks, trained by SGD")


def lemma_5(runs: Runs) -> Estimate:
    """The order in α of the entropy's loss by a derangement, in the worst case that is known: pairs
    of points that mirror one another. Mean over DRAWS draws of the points."""
    generator = runs.generator()
    lost = [lemmas.losses(*lemmas.mirrored(POINTS, generator), lemmas.ALPHAS) for _ in range(DRAWS)]
    slopes = [one[0] / lemmas.ALPHAS[0] for one in lost]
    note = (
        "points (x, y) swapped with (x, −y), in two dimensions: H̃ falls by"
        f" {min(slopes):.2f} α to {max(slopes):.2f} α"
    )
    orders = [lemmas.order(lemmas.ALPHAS, one) for one in lost]
    return Estimate(means.mean(orders, generator), DRAWS, None, note=note)
