"""Where a run is on its way to grokking, by the entropy of its representation: the diagnostic guide
of Truong et al. (2026, Appendix D.2), as a pure function of what was seen so far.

The paper's table names signals without numbers; the numbers are the dials here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grokpipe.curves.events import FALL, WINDOW

MEMORISED = 0.99
GROKKED = 0.99
LOW = 0.5
"""test accuracy below which a run has not generalised"""


@dataclass(frozen=True)
class Dials:
    """The numbers that the paper's guide leaves open."""

    activation_gap: float = 0.15
    """H̃ − H̃* from which on the predictor is switched on"""
    near: float = 0.02
    """H̃ − H̃* within which grokking is called imminent"""
    stagnation: int = 10_000
    """steps after memorisation without a new least H̃ after which a run is called stagnant"""
    stop_after: int = 1_000
    """steps from the crossing of H̃* to the stop (section 10)"""


@dataclass(frozen=True)
class Seen:
    """One update; NaN where a value was not given."""

    step: int
    entropy: float
    train_accuracy: float = math.nan
    test_accuracy: float = math.nan
    norm: float = math.nan


ADVICE = {
    "norm expansion": "keep training: the norm expands, the entropy is high",
    "plateau": "keep training: the entropy is high",
    "entropy collapse": "the entropy falls towards the threshold: the predictor is on",
    "near threshold": "grokking is imminent, if it comes: about 1,000 steps by the paper",
    "crossed": "the entropy is below the threshold: test, and stop soon",
    "collapse without generalisation": "the entropy has collapsed but test accuracy is low: the "
    "architecture may lack the bias for this task",
    "stagnant": "the entropy does not fall: raise the weight decay, lower the learning rate, check "
    "that the task can be grokked at all",
    "grokked": "generalised: stop when you like",
}
"""by phase; the fourth and fifth row of the paper's guide are one signal with two readings"""


def crossed(history: Sequence[Seen], threshold: float) -> int | None:
    """The step at which the entropy first was at or below the threshold, or None."""
    return next((seen.step for seen in history if seen.entropy <= threshold), None)


def phase(history: Sequence[Seen], threshold: float, dials: Dials) -> str:
    """One of ADVICE, of the last update. Raises ValueError without any."""
    if not history:
        raise ValueError("a phase of no updates")
    now = history[-1]
    gap = now.entropy - threshold
    if now.test_accuracy >= GROKKED:
        return "grokked"
    since = crossed(history, threshold)
    if since is not None and now.test_accuracy < LOW and now.step - since > dials.stop_after:
        return "collapse without generalisation"
    if gap <= 0:
        return "crossed"
    if gap <= dials.near:
        return "near threshold"
    if _stagnant(history, dials.stagnation):
        return "stagnant"
    before = history[-1 - WINDOW] if len(history) > WINDOW else history[0]
    if gap <= dials.activation_gap or before.entropy - now.entropy > FALL:
        return "entropy collapse"
    return "norm expansion" if now.norm > before.norm else "plateau"


def _stagnant(history: Sequence[Seen], horizon: int) -> bool:
    """Whether the least entropy since memorisation, or since the first update if training accuracy
    is not told, is older than the horizon."""
    known = [seen for seen in history if not math.isnan(seen.train_accuracy)]
    since = next((seen.step for seen in known if seen.train_accuracy >= MEMORISED), None)
    if since is None:
        if known:
            return False
        since = history[0].step
    after = [seen for seen in history if seen.step >= since]
    least = min(after, key=lambda seen: seen.entropy)
    return history[-1].step - least.step > horizon
