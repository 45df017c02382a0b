"""Phases of a run on its way to grokking, read from its spectral entropy H̃ so far, with advice: the
diagnostic guide of Truong et al. (2026), Appendix D.2, as pure functions.

Most of the guide's numbers are missing in the available text of the paper. Each is a parameter of
`Guide`, which says where its default is from.
"""

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from grokpipe.curves.definitions import GROKKED, MEMORISED
from grokpipe.curves.events import FALL, WINDOW, fallen
from grokpipe.curves.gap import Law
from grokpipe.errors import InputError

Floats = NDArray[np.float64]
Phase = Literal[
    "memorisation", "norm expansion", "undecided", "entropy collapse", "near threshold", "crossed",
    "collapse without generalisation", "stagnant", "grokked",
]  # fmt: skip
StopRule = Literal["crossed", "stable forecast"]

ADVICE: dict[Phase, str] = {
    "memorisation": "The training set is not fitted yet (accuracy below 0.99): continue training.",
    "norm expansion": "Phase I, the norm expands: continue training.",
    "undecided": "The evaluations so far show none of the guide's signals: continue training.",
    "entropy collapse": "Phase II, the entropy falls: use the forecast (predict_grok_time).",
    "near threshold": "The entropy is near its threshold: grokking is imminent, in the paper within"
    " about 1,000 steps.",
    "crossed": "The entropy has crossed its threshold: in the paper grokking follows within about"
    " 1,000 steps. Look at the test accuracy.",
    "collapse without generalisation": "The entropy has collapsed and test accuracy is low: the"
    " architecture may lack the inductive bias for this task.",
    "stagnant": "The entropy has stopped falling above its threshold: raise the weight decay, lower"
    " the learning rate, and check that the task can grok at all.",
    "grokked": "Test accuracy has reached 0.99: the run has grokked, though it may have fallen back"
    " since.",
}
"""recommended actions of Appendix D.2; those for memorisation, undecided, crossed and grokked are
ours, as the guide does not list them"""


@dataclass(frozen=True)
class Guide:
    """Parameters of the diagnostic guide and of the rule by which a run is stopped."""

    near: float = 0.035
    """H̃ − H̃* up to which the threshold is near; at the default the published law says 970 steps,
    the paper's "about 1,000" """
    activation_gap: float = 0.1
    """H̃ − H̃* below which the forecast is switched on (D.1, step 3, whose number is missing); the
    phase "entropy collapse" switches it on too; it then stays on"""
    norm_growth: float = 0.01
    """relative growth of ‖θ‖ over 5 evaluations above which the norm expands"""
    stagnation_horizon: float = 15_000
    """steps over which a fall of H̃ by no more than 0.05 is stagnation (D.1, step 5, whose number is
    missing)"""
    stop: StopRule = "crossed"
    """"crossed": H̃ has been at or below H̃* at every evaluation for `stop_after` steps (section 10);
    "stable forecast": the forecast has moved by no more than `stability` times the steps trained
    meanwhile, over `stability_horizon` steps (D.1, step 4)"""
    stop_after: float = 1_000
    """steps below the threshold after which "crossed" stops the run; with low test accuracy its
    phase is then collapse without generalisation"""
    low_accuracy: float = 0.5
    """test accuracy that counts as low if below (D.2, whose number is missing; this one is ours)"""
    stability: float = 0.5
    """largest movement of a stable forecast, as a share of the steps trained meanwhile: 0 if the
    forecast does not move; 1 if it recedes as fast as training proceeds, as for a constant
    entropy"""
    stability_horizon: float = 2_000
    """steps over which the forecast must have been stable"""

    def __post_init__(self) -> None:
        """Raise InputError for a parameter that is not positive, or an unknown rule."""
        if self.stop not in get_args(StopRule):
            valid = ", ".join(get_args(StopRule))
            raise InputError(f"stop={self.stop!r}: must be one of {valid}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "stop" and not (0 < value < math.inf):
                raise InputError(f"{field.name}={value}: must be > 0 and finite")


DEFAULT = Guide()


@dataclass(frozen=True)
class History:
    """A run's evaluations so far, at least one, each array of shape (evaluations,)."""

    step: Floats
    """ascending"""
    entropy: Floats
    """H̃, finite"""
    train_accuracy: Floats
    """NaN where unknown, like the next two"""
    test_accuracy: Floats
    norm: Floats
    """‖θ‖₂ of all parameters"""


def memorised(history: History) -> NDArray[np.bool_]:
    """Return at which evaluations training accuracy has reached 0.99; all if none is known.

    Before that, H̃ follows the initial transient and no phase is read from it.
    """
    if np.isnan(history.train_accuracy).all():
        return np.ones(len(history.step), dtype=bool)
    return np.logical_or.accumulate(MEMORISED.reached(history.train_accuracy))


def crossed_since(history: History, threshold: float) -> float | None:
    """First step of the current streak of evaluations with H̃ ≤ H̃*; None above H̃*.

    The streak counts rather than the first crossing, since H̃ is noisy and a run that came back has
    not collapsed.
    """
    above = np.flatnonzero(~(memorised(history) & (history.entropy <= threshold)))
    first = above[-1] + 1 if len(above) else 0
    return float(history.step[first]) if first < len(history.step) else None


def grokked_at(history: History) -> float | None:
    """Step of the first evaluation with test accuracy ≥ 0.99; None if there was none."""
    reached = GROKKED.reached(history.test_accuracy)
    return float(history.step[reached.argmax()]) if reached.any() else None


def predicting(history: History, threshold: float, guide: Guide = DEFAULT) -> NDArray[np.bool_]:
    """Return at which evaluations the forecast is switched on.

    This is from the first evaluation after memorisation within the activation gap, or with a
    collapsing H̃.
    """
    near = history.entropy - threshold <= guide.activation_gap
    return np.logical_or.accumulate(memorised(history) & near | collapsing(history, guide))


def collapsing(history: History, guide: Guide = DEFAULT) -> NDArray[np.bool_]:
    """Return at which evaluations H̃ is collapsing, quickly or slowly.

    Quickly: H̃ fell by more than 0.05 over 5 evaluations (the paper's T_collapse). Slowly: H̃ is more
    than 0.05 below its maximum since memorisation, in a run that is not stagnant and whose norm
    does not expand.
    """
    fitted = memorised(history)
    highest = np.maximum.accumulate(np.where(fitted, history.entropy, -math.inf))
    slow = fitted & (highest - history.entropy > FALL)
    return _fallen(history) | slow & ~_stagnant(history, guide) & ~_expanding(history, guide)


def phase(history: History, threshold: float, guide: Guide = DEFAULT) -> Phase:
    """Return the phase at the last evaluation: the first that holds, in this order.

    grokked: test accuracy has reached 0.99, wherever it is now · memorisation: training accuracy
    has not reached 0.99 · crossed: H̃ ≤ H̃*, or collapse without generalisation if that held for
    `stop_after` steps with a test accuracy below `low_accuracy` · stagnant: H̃ fell by no more than
    0.05 over the horizon, nor over 5 evaluations · near threshold: H̃ − H̃* ≤ `near` · entropy
    collapse: see `collapsing` · norm expansion: ‖θ‖ grew over 5 evaluations · undecided.
    """
    if grokked_at(history) is not None:
        return "grokked"
    if not memorised(history)[-1]:
        return "memorisation"
    if (since := crossed_since(history, threshold)) is not None:
        is_long = history.step[-1] - since >= guide.stop_after
        # an accuracy that is not known is not low
        is_low = history.test_accuracy[-1] < guide.low_accuracy
        return "collapse without generalisation" if is_long and is_low else "crossed"
    if _stagnant(history, guide)[-1]:
        return "stagnant"
    if history.entropy[-1] - threshold <= guide.near:
        return "near threshold"
    if collapsing(history, guide)[-1]:
        return "entropy collapse"
    return "norm expansion" if _expanding(history, guide)[-1] else "undecided"


def why_stop(history: History, threshold: float, law: Law, guide: Guide = DEFAULT) -> str | None:
    """Why the guide's rule stops the run at its last evaluation; None if it does not.

    Neither stagnation nor a forecast that is NaN stops a run.
    """
    if guide.stop == "crossed":
        since = crossed_since(history, threshold)
        if since is None or history.step[-1] - since < guide.stop_after:
            return None
        return (
            f"the entropy has been at or below {threshold:.3f} since step {since:,.0f},"
            f" for {history.step[-1] - since:,.0f} steps"
        )
    before = _before(history.step, guide.stability_horizon)[-1]
    if before < 0 or not predicting(history, threshold, guide)[before]:
        return None
    step, entropy = history.step[before:], history.entropy[before:]
    expected = step + law.remaining(entropy)
    moved, trained = float(np.ptp(expected)), float(step[-1] - step[0])
    # below the threshold the law always says "now"
    if not (moved <= guide.stability * trained and (entropy > threshold).all()):
        return None
    return (
        f"the forecast has been stable for {trained:,.0f} steps: between"
        f" {expected.min():,.0f} and {expected.max():,.0f}"
    )


def _fallen(history: History) -> NDArray[np.bool_]:
    """Return where H̃ fell by more than 0.05 over 5 evaluations, all after memorisation."""
    return fallen(np.where(memorised(history), history.entropy, math.nan))


def _stagnant(history: History, guide: Guide) -> NDArray[np.bool_]:
    """Return where H̃ fell by no more than 0.05 over the horizon, all after memorisation, nor over
    the last 5 evaluations."""
    before = _before(history.step, guide.stagnation_horizon)
    fell = history.entropy[before] - history.entropy > FALL
    return (before >= 0) & memorised(history)[before] & ~fell & ~_fallen(history)


def _expanding(history: History, guide: Guide) -> NDArray[np.bool_]:
    """Return where ‖θ‖ grew over 5 evaluations; nowhere if the norm is not known."""
    grew = np.zeros(len(history.norm), dtype=bool)
    grew[WINDOW:] = history.norm[WINDOW:] > (1 + guide.norm_growth) * history.norm[:-WINDOW]
    return grew


def _before(step: Floats, horizon: float) -> NDArray[np.intp]:
    """Index of the last evaluation at least `horizon` steps before each; −1 if there is none."""
    return np.searchsorted(step, step - horizon, side="right") - 1
