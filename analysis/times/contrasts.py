"""Contrasts of several arms' times to an event, seed by seed.

All arms share a seed's split, initial weights and batches. So a seed is resampled with its runs in
all arms, and seeds that an arm lacks are left out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.output.formats import number
from analysis.runs.experiments import NotRun
from analysis.stats import bootstrap, means, restricted
from analysis.stats.intervals import FEW, Interval, none
from analysis.times.compare import Arm

Floats = NDArray[np.float64]
Combination = Callable[[Floats], Floats]
"""restricted means of the arms, (arms, …) → (…)"""


@dataclass(frozen=True)
class Contrast:
    """A difference or ratio of arms, with its interval."""

    interval: Interval
    seeds: int
    keys: list[str]
    """of the runs behind it"""
    note: str
    """a caveat about them, or an empty text"""


def weighted(terms: Sequence[tuple[float, Arm]], generator: np.random.Generator) -> Contrast:
    """Σ weight · mean time over the seeds that all arms share: with weights 1 and −1 a delay.

    Means are restricted to the steps that all were followed to (`restricted.horizon`). If every run
    is known until then or the event, the interval is that of the mean of the seeds' sums
    (`means.mean`); else that of Kaplan–Meier areas, resampling seeds. Raises NotRun if no seed is
    shared, ValueError if an arm has a seed twice.
    """
    weights = np.array([weight for weight, _ in terms])
    aligned = _Aligned([arm for _, arm in terms])
    if aligned.known:
        interval = means.mean(weights @ aligned.bounded, generator)
    else:
        interval = aligned.resampled(lambda of_arms: np.tensordot(weights, of_arms, 1), generator)
    return aligned.contrast(interval)


def ratio(arm: Arm, base: Arm, generator: np.random.Generator) -> Contrast:
    """The mean time of an arm over that of another, restricted as above.

    For fewer than `FEW` seeds of which all is known Student's interval of what the ratio is linear
    in, r + (a_i − r b_i)/b̄ (delta method); else by resampling seeds. Of 10 log-normal pairs with
    σ = 0.3 and 0.5 the first covers 93 and 95 %, resampling 87 and 89 %. Raises as `weighted`.
    """
    aligned = _Aligned([arm, base])
    if aligned.known and aligned.seeds < FEW and aligned.horizon > 0:
        times, others = aligned.bounded
        estimate = times.mean() / others.mean()
        linear = estimate + (times - estimate * others) / others.mean()
        return aligned.contrast(means.mean(linear, generator))
    return aligned.contrast(aligned.resampled(lambda of_arms: of_arms[0] / of_arms[1], generator))


class _Aligned:
    """Arms reduced to the seeds that they share, in one order."""

    def __init__(self, arms: Sequence[Arm]) -> None:
        for arm in arms:
            if arm.seeds.duplicated().any():
                raise ValueError(f"{arm.label}: a seed has several runs")
        shared = sorted(set.intersection(*(set(arm.seeds) for arm in arms)))
        if not shared:
            raise NotRun(f"no seed in each of: {'; '.join(arm.label for arm in arms)}")
        every = [arm.runs.set_index("seed", drop=False).loc[shared] for arm in arms]
        self.arms = [Arm(arm.label, runs) for arm, runs in zip(arms, every, strict=True)]
        self.left_out = sorted(set.union(*(set(arm.seeds) for arm in arms)) - set(shared))
        self.seeds = len(shared)
        self.times = np.stack([arm.times.times for arm in self.arms])
        self.observed = np.stack([arm.times.observed for arm in self.arms])
        self.horizon = self._horizon()
        self.bounded = np.minimum(self.times, self.horizon)
        self.known = bool((self.observed | (self.times >= self.horizon)).all())

    def _horizon(self) -> float:
        """As `restricted.horizon`, but no later than where a finished run is censored: a sustained
        event that began in its last evaluations is open some steps before the budget."""
        done = np.stack([arm.runs["state"] == "done" for arm in self.arms])
        open_ = self.times[done & ~self.observed]
        bound = restricted.horizon((arm.times, arm.budgets) for arm in self.arms)
        return float(min(bound, open_.min(initial=math.inf)))

    def resampled(self, combination: Combination, generator: np.random.Generator) -> Interval:
        if not self.horizon > 0:
            return none(math.nan, "followed for 0 steps")

        def statistic(indices: NDArray[np.intp]) -> Floats:
            pairs = zip(self.times, self.observed, strict=True)
            return combination(
                np.stack(
                    [restricted.restricted_means(t[indices], o[indices], self.horizon)
                     for t, o in pairs]
                )
            )  # fmt: skip

        return bootstrap.interval(statistic, [self.seeds], generator)

    def contrast(self, interval: Interval) -> Contrast:
        keys = [str(key) for arm in self.arms for key in arm.runs["key"]]
        said = []
        if never := int((~self.observed).sum()):
            said.append(
                f"{never} of {self.observed.size} runs were not seen to grok: mean times up to"
                f" {number(self.horizon)} steps"
            )
        if self.left_out:
            said.append(f"seeds {', '.join(map(str, self.left_out))} are not in every arm")
        return Contrast(interval, self.seeds, keys, "; ".join(said))
