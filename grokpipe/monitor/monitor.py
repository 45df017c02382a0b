"""A monitor of delayed generalisation for any PyTorch training loop (Truong et al. 2026).

    monitor = SpectralEntropyMonitor(probe, features=features, threshold=0.61)
    for step in range(steps):
        ...
        if step % 100 == 0:
            state = monitor.update(step, model, train_accuracy=…, test_accuracy=…)
            print(state)
            if state.should_stop:
                break

It watches the normalised spectral entropy H̃ of the features of a fixed probe; docs/monitor.md says
what to make of it, and what it cannot know.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from torch import Tensor, nn

from grokpipe.curves import phases
from grokpipe.curves.events import ENTROPY
from grokpipe.curves.phases import Guide, History, Phase
from grokpipe.errors import InputError
from grokpipe.monitor.pilots import Calibration, calibrated, from_curves, published
from grokpipe.monitor.probing import entropy, undisturbed

COLUMNS = ("step", "entropy", "train_accuracy", "test_accuracy", "norm")
VERSION = 1  # of state_dict


@dataclass(frozen=True)
class Prediction:
    """When the run groks, in steps since the start of training."""

    step: float
    lower: float | None
    """of the 95 % interval; None where there is none"""
    upper: float | None
    note: str
    """where the interval is from, or why there is none"""

    def __str__(self) -> str:
        if self.lower is None or self.upper is None:
            return f"step {self.step:,.0f} ({self.note})"
        return f"step {self.step:,.0f} [{self.lower:,.0f}, {self.upper:,.0f}] ({self.note})"


@dataclass(frozen=True)
class State:
    """What an update found."""

    step: int
    entropy: float
    """H̃ in [0, 1]"""
    phase: Phase
    advice: str
    """what Appendix D.2 recommends in this phase"""
    forecast: Prediction | None
    """None until it is switched on (Guide.activation_gap), and once the run has grokked"""
    should_stop: bool
    """whether the rule of the guide (Guide.stop) holds"""
    reason: str
    """why it should stop; empty if it should not"""

    def __str__(self) -> str:
        parts = [f"step {self.step:,}: entropy {self.entropy:.3f}, {self.phase}. {self.advice}"]
        parts += [f"Forecast: {self.forecast}."] if self.forecast else []
        parts += [f"Stop: {self.reason}."] if self.should_stop else []
        return " ".join(parts)


class SpectralEntropyMonitor:
    """Follows one run.

    `probe` is what `features(model, probe)` gets, as it is: a fixed set of training samples, more
    of them than features have dimensions (the paper: 512 for d = 128), on the device where the
    model expects it. `features` returns their representation before the head, of shape (n, d).
    Without both, use `observe`. `threshold` is H̃* in (0, 1), above which the paper's published law
    forecasts, without an interval; or the `Calibration` of pilot runs: see `calibrate`. `capped`
    accepts a probe that is no larger than d (grokpipe/monitor/probing.py): for wide features.

    Raises InputError for a threshold that is no number in (0, 1).
    """

    def __init__(
        self,
        probe: Any = None,
        features: Callable[[Any, Any], Tensor] | None = None,
        *,
        threshold: float | Calibration,
        guide: Guide = phases.DEFAULT,
        capped: bool = False,
    ) -> None:
        self.probe, self.features, self.guide, self.capped = probe, features, guide, capped
        self.calibration = threshold if isinstance(threshold, Calibration) else _above(threshold)
        self._shape: tuple[int, ...] | None = None
        self._columns: dict[str, array[float]] = {name: array("d") for name in COLUMNS}

    @classmethod
    def calibrate(
        cls,
        pilots: str | Path | Sequence[pd.DataFrame],
        probe: Any = None,
        features: Callable[[Any, Any], Tensor] | None = None,
        *,
        arm: Mapping[str, Any] | None = None,
        guide: Guide = phases.DEFAULT,
        capped: bool = False,
    ) -> Self:
        """A monitor whose threshold, law and intervals come from pilot runs.

        `pilots` are the histories of other monitors, whose loops must have told them the test
        accuracy; or a folder of run logs or gathered tables of grokpipe, of which `arm` chooses
        runs that differ in nothing but their seed: {"optimizer.betas": [0.9, 0.98]}. H̃* is the mean
        of H̃ at the first evaluation with test accuracy ≥ 0.99; one run has no interval, the paper
        takes 3 to 5. H̃* is of one task and network, and of the features that the pilots measured:
        with `capped` their probe must have been as large as this one, which no history tells.

        Raises InputError where no run grokked, where H̃ rises towards grokking, for a folder without
        runs or of mixed arms, and for pilots that are neither a folder nor a sequence of tables.
        """
        if isinstance(pilots, str | Path):
            found = calibrated(Path(pilots), arm)
        elif arm is not None:
            raise InputError(f"arm={arm}: must be None where the pilots are histories")
        else:
            found = from_curves(_tables(pilots), "pilots")
        return cls(probe, features, threshold=found, guide=guide, capped=capped)

    @property
    def threshold(self) -> float:
        """H̃*"""
        return self.calibration.threshold

    @property
    def history(self) -> pd.DataFrame:
        """A row per update: step, entropy, train_accuracy, test_accuracy, norm; NaN is unknown."""
        return pd.DataFrame({name: np.array(values) for name, values in self._columns.items()})

    def update(
        self,
        step: int,
        model: nn.Module,
        *,
        train_accuracy: float,
        test_accuracy: float | None = None,
        norm: float | None = None,
    ) -> State:
        """Takes the features of the probe, in evaluation mode and without gradient, and observes
        them. The modes of the model's modules and PyTorch's generators are left as they were, so
        training goes on as if nothing had been measured, unless a forward pass in evaluation mode
        changes the model or draws from elsewhere. `norm` is ‖θ‖₂, by default of all parameters.

        Raises InputError as `observe` does, or if the monitor has no `features`.
        """
        if self.features is None:
            raise InputError("features=None: update needs a function (model, probe) → (n, d)")
        self._check_step(step)  # before the costly part
        with undisturbed(model):
            found = self.features(model, self.probe)
            if norm is None:
                norm = float(nn.utils.get_total_norm(model.parameters()))
        return self.observe(
            step, found, train_accuracy=train_accuracy, test_accuracy=test_accuracy, norm=norm
        )

    def observe(
        self,
        step: int,
        features: Tensor,
        *,
        train_accuracy: float,
        test_accuracy: float | None = None,
        norm: float | None = None,
    ) -> State:
        """The same from features of shape (n, d), n > d ≥ 2, on any device and in any precision.
        Accuracies are shares in [0, 1]; None and NaN are unknown.

        Raises InputError, and leaves the history as it is, for a step not above the last one, or
        features that are of a wrong or another shape, not finite, or constant, or an accuracy or a
        norm out of its range.
        """
        self._check_step(step)
        row = {
            "step": float(step),
            "train_accuracy": _checked("train_accuracy", train_accuracy, 1.0),
            "test_accuracy": _checked("test_accuracy", test_accuracy, 1.0),
            "norm": _checked("norm", norm, float("inf")),
            "entropy": entropy(features, self._shape, self.capped),
        }
        self._shape = tuple(features.shape)
        for name in COLUMNS:
            self._columns[name].append(row[name])
        return self._state()

    def predict_grok_time(self) -> Prediction:
        """T̂ = t + C₁ (H̃ − H̃*)^γ + C₂ at the last update (Truong et al. 2026, equation 2), whatever
        the phase; with an interval if the law was calibrated on two pilot runs or more. Where test
        accuracy has reached 0.99 already, that step.

        Raises InputError before the first update.
        """
        history = self._history()
        if not len(history.step):
            raise InputError("predict_grok_time: no update yet; needs at least one")
        if (grokked := phases.grokked_at(history)) is not None:
            return Prediction(grokked, grokked, grokked, "observed")
        step, entropy = history.step[-1], history.entropy[-1]
        if self.calibration.forecaster:
            found = self.calibration.forecaster.forecast(step, entropy)
            note = f"95 % interval from {self.calibration.grokked} pilot runs"
            return Prediction(float(found.step), float(found.lower), float(found.upper), note)
        expected = max(float(step + self.calibration.law.remaining(entropy)), float(step))
        why = {0: "not calibrated", 1: "only one pilot run grokked"}.get(
            self.calibration.grokked, "only one pilot run has an evaluation before it grokked"
        )
        return Prediction(expected, None, None, f"no interval: {why}")

    def state_dict(self) -> dict[str, Any]:
        """History, threshold, law and dials, as numbers, texts, lists and dicts of these, for
        torch.save (and torch.load with weights_only=True) or json.dump. The probe and the function
        are not in it."""
        return {
            "version": VERSION,
            "shape": self._shape and list(self._shape),
            "history": {name: values.tolist() for name, values in self._columns.items()},
            "calibration": self.calibration.state_dict(),
            "guide": asdict(self.guide),
            "capped": self.capped,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes over all that `state_dict` holds, threshold, law and dials included. Runs no code.

        Raises InputError, and leaves the monitor as it is, if it is not a state of this version.
        """
        if not isinstance(state, Mapping):
            raise InputError(f"state: {type(state).__name__}: must be what state_dict gives")
        if state.get("version") != VERSION:
            raise InputError(f"version={state.get('version')}: must be {VERSION}, of a state_dict")
        try:
            calibration = Calibration.from_state_dict(state["calibration"])
            guide, capped = Guide(**state["guide"]), bool(state["capped"])
            shape = state["shape"] and tuple(map(int, state["shape"]))
            columns = {name: array("d", state["history"][name]) for name in COLUMNS}
            if len({*map(len, columns.values())}) > 1:
                raise ValueError("columns of unequal lengths")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
            raise InputError(f"state: damaged ({why}); must be what state_dict gives") from error
        self.calibration, self.guide, self.capped = calibration, guide, capped
        self._shape, self._columns = shape, columns

    def _history(self) -> History:
        # copies: an array that shares its memory could not grow
        return History(**{name: np.array(values) for name, values in self._columns.items()})

    def _state(self) -> State:
        history, threshold = self._history(), self.threshold
        phase = phases.phase(history, threshold, self.guide)
        reason = phases.why_stop(history, threshold, self.calibration.law, self.guide)
        is_on = phases.predicting(history, threshold, self.guide)[-1]
        has_grokked = phases.grokked_at(history) is not None
        return State(
            step=int(history.step[-1]),
            entropy=float(history.entropy[-1]),
            phase=phase,
            advice=phases.ADVICE[phase],
            forecast=self.predict_grok_time() if is_on and not has_grokked else None,
            should_stop=reason is not None,
            reason=reason or "",
        )

    def _check_step(self, step: int) -> None:
        steps = self._columns["step"]
        if steps and not step > steps[-1]:
            raise InputError(f"step={step}: must be > {steps[-1]:.0f}, the step of the last update")
        if not 0 <= step < float("inf"):
            raise InputError(f"step={step}: must be ≥ 0 and finite")


def _above(threshold: Any) -> Calibration:
    """The published law; raises InputError for what is no number in (0, 1)."""
    try:
        number = float(threshold)
    except (TypeError, ValueError) as error:
        valid = "must be a number in (0, 1) or a Calibration"
        raise InputError(f"threshold={threshold!r}: {valid}") from error
    return published(number)


def _tables(pilots: Any) -> list[pd.DataFrame]:
    """Histories as `from_curves` reads them; raises InputError for anything but tables in a row."""
    valid = "must be a folder or a list of tables: [first.history, second.history]"
    if not isinstance(pilots, Sequence):
        raise InputError(f"pilots: {type(pilots).__name__}: {valid}")
    for pilot in pilots:
        if not isinstance(pilot, pd.DataFrame):
            raise InputError(f"pilots: {type(pilot).__name__} in the list: {valid}")
    return [pilot.rename(columns={"entropy": ENTROPY}) for pilot in pilots]


def _checked(name: str, value: float | None, most: float) -> float:
    """NaN for None; raises InputError outside [0, most]."""
    number = float("nan") if value is None else float(value)
    if number < 0 or number > most:
        valid = "in [0, 1]" if most == 1 else "≥ 0"
        raise InputError(f"{name}={number:g}: must be {valid}")
    return number
