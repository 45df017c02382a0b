"""A monitor of delayed generalisation for any PyTorch training loop (Truong et al. 2026).

    monitor = SpectralEntropyMonitor(probe, features=features, threshold=0.61)
    for step in range(steps):
        ...
        if step % 100 == 0:
            state = monitor.update(step, model, train_accuracy=…, test_accuracy=…)
            print(state)
            if state.should_stop:
                break

The monitor follows the normalised spectral entropy H̃ of the features of a fixed probe;
docs/monitor.md explains how to read it, and its limits.
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
VERSION = 1  # of the format of state_dict


@dataclass(frozen=True)
class Prediction:
    """Predicted step of grokking, counted from the start of training."""

    step: float
    lower: float | None
    """lower end of the 95 % interval; None if there is no interval"""
    upper: float | None
    note: str
    """source of the interval, or why there is none"""

    def __str__(self) -> str:
        if self.lower is None or self.upper is None:
            return f"step {self.step:,.0f} ({self.note})"
        return f"step {self.step:,.0f} [{self.lower:,.0f}, {self.upper:,.0f}] ({self.note})"


@dataclass(frozen=True)
class State:
    """Result of an update: entropy, phase, advice, forecast and whether to stop."""

    step: int
    entropy: float
    """H̃ in [0, 1]"""
    phase: Phase
    advice: str
    """recommendation of Appendix D.2 in this phase"""
    forecast: Prediction | None
    """None until the forecast is switched on (Guide.activation_gap), and once the run has
    grokked"""
    should_stop: bool
    """whether the guide's stop rule (Guide.stop) holds"""
    reason: str
    """why the run should stop; empty if it should not"""

    def __str__(self) -> str:
        parts = [f"step {self.step:,}: entropy {self.entropy:.3f}, {self.phase}. {self.advice}"]
        parts += [f"Forecast: {self.forecast}."] if self.forecast else []
        parts += [f"Stop: {self.reason}."] if self.should_stop else []
        return " ".join(parts)


class SpectralEntropyMonitor:
    """Monitors one run.

    Args:
        probe: a fixed set of training samples, passed as it is to `features`: more samples than the
            features have dimensions (the paper: 512 for d = 128), on the model's device.
        features: function (model, probe) → representation before the head, of shape (n, d).
            Without probe and features, call `observe` instead of `update`.
        threshold: H̃* in (0, 1), for forecasts by the paper's published law, without an interval;
            or the pilot calibration returned by `calibrate`.
        guide: parameters of the phases and of the stop rule.
        capped: accept a probe of no more samples than d (grokpipe/monitor/probing.py), for wide
            features.

    Raises:
        InputError: the threshold is not a number in (0, 1).
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
        """Build a monitor with threshold, law and intervals from pilot runs (pilot calibration).

        H̃* is the mean of H̃ at the first evaluation with test accuracy ≥ 0.99. One run gives no
        interval; the paper takes 3 to 5. H̃* holds for one task and network and for the features
        that the pilots measured: with `capped`, their probe must have had the same size as this
        one, which cannot be checked.

        Args:
            pilots: histories of other monitors, with test accuracies; or a folder of run logs or
                gathered tables of grokpipe.
            probe, features, guide, capped: as for the class.
            arm: chooses runs of the folder that differ only by seed, by configuration column:
                {"optimizer.betas": [0.9, 0.98]}.

        Raises:
            InputError: no run grokked, H̃ rises towards grokking, the folder has no runs or mixed
                arms, or `pilots` is neither a folder nor a sequence of tables.
        """
        if isinstance(pilots, str | Path):
            calibration = calibrated(Path(pilots), arm)
        elif arm is not None:
            raise InputError(f"arm={arm}: must be None where the pilots are histories")
        else:
            calibration = from_curves(_tables(pilots), "pilots")
        return cls(probe, features, threshold=calibration, guide=guide, capped=capped)

    @property
    def threshold(self) -> float:
        """The threshold H̃*."""
        return self.calibration.threshold

    @property
    def history(self) -> pd.DataFrame:
        """Updates as rows: step, entropy, train_accuracy, test_accuracy, norm; NaN if unknown."""
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
        """Compute the features of the probe, in evaluation mode and without gradient, and observe
        them.

        The modes of the model's modules and PyTorch's generators are restored, so that training
        continues as if nothing had been measured, unless a forward pass in evaluation mode changes
        the model or uses other generators. `norm` is ‖θ‖₂, by default of all parameters.

        Raises InputError as `observe` does, or if the monitor has no `features`.
        """
        if self.features is None:
            raise InputError("features=None: update needs a function (model, probe) → (n, d)")
        self._check_step(step)  # before the costly part
        with undisturbed(model):
            features = self.features(model, self.probe)
            if norm is None:
                norm = float(nn.utils.get_total_norm(model.parameters()))
        return self.observe(
            step, features, train_accuracy=train_accuracy, test_accuracy=test_accuracy, norm=norm
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
        """Add an evaluation, given the features of the probe.

        Args:
            step: must exceed the last one.
            features: (n, d), n > d ≥ 2, on any device and in any precision; the same shape at every
                call.
            train_accuracy, test_accuracy: in [0, 1]; None and NaN mean unknown.
            norm: ‖θ‖₂; None and NaN mean unknown.

        Raises:
            InputError: an argument is out of its range, or the features are constant or not finite.
                The history is then unchanged.
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
        """Predict the step of grokking from the last update, whatever the phase.

        T̂ = t + C₁ (H̃ − H̃*)^γ + C₂ (Truong et al. 2026, equation 2), with an interval if the law was
        calibrated on at least two pilot runs. If test accuracy has reached 0.99, the step at which
        it did.

        Raises InputError before the first update.
        """
        history = self._history()
        if not len(history.step):
            raise InputError("predict_grok_time: no update yet; needs at least one")
        if (grokked := phases.grokked_at(history)) is not None:
            return Prediction(grokked, grokked, grokked, "observed")
        step, entropy = history.step[-1], history.entropy[-1]
        if self.calibration.forecaster:
            forecast = self.calibration.forecaster.forecast(step, entropy)
            note = f"95 % interval from {self.calibration.grokked} pilot runs"
            ends = float(forecast.lower), float(forecast.upper)
            return Prediction(float(forecast.step), *ends, note)
        expected = max(float(step + self.calibration.law.remaining(entropy)), float(step))
        why = {0: "not calibrated", 1: "only one pilot run grokked"}.get(
            self.calibration.grokked, "only one pilot run has an evaluation before it grokked"
        )
        return Prediction(expected, None, None, f"no interval: {why}")

    def state_dict(self) -> dict[str, Any]:
        """History, calibration and guide as numbers, texts, lists and dicts of these.

        Fit for torch.save (and torch.load with weights_only=True) and json.dump. Probe and feature
        function are not included.
        """
        return {
            "version": VERSION,
            "shape": self._shape and list(self._shape),
            "history": {name: values.tolist() for name, values in self._columns.items()},
            "calibration": self.calibration.state_dict(),
            "guide": asdict(self.guide),
            "capped": self.capped,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore history, calibration and guide from `state_dict`. Runs no code.

        Raises InputError, and leaves the monitor unchanged, if `state` is not of this version.
        """
        if not isinstance(state, Mapping):
            raise InputError(f"state: {type(state).__name__}: must be the result of state_dict")
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
            raise InputError(f"state: damaged ({why}); must be the result of state_dict") from error
        self.calibration, self.guide, self.capped = calibration, guide, capped
        self._shape, self._columns = shape, columns

    def _history(self) -> History:
        # copy: an array("d") whose memory is shared cannot grow
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
    """Published law with this threshold; raises InputError unless it is a number in (0, 1)."""
    try:
        number = float(threshold)
    except (TypeError, ValueError) as error:
        valid = "must be a number in (0, 1) or a Calibration"
        raise InputError(f"threshold={threshold!r}: {valid}") from error
    return published(number)


def _tables(pilots: Any) -> list[pd.DataFrame]:
    """Histories in the form that `from_curves` reads; raises InputError unless a list of tables."""
    valid = "must be a folder or a list of tables: [first.history, second.history]"
    if not isinstance(pilots, Sequence):
        raise InputError(f"pilots: {type(pilots).__name__}: {valid}")
    for pilot in pilots:
        if not isinstance(pilot, pd.DataFrame):
            raise InputError(f"pilots: {type(pilot).__name__} in the list: {valid}")
    return [pilot.rename(columns={"entropy": ENTROPY}) for pilot in pilots]


def _checked(name: str, value: float | None, most: float) -> float:
    """Convert to float, None to NaN; raises InputError outside [0, most]."""
    number = float("nan") if value is None else float(value)
    if number < 0 or number > most:
        valid = "in [0, 1]" if most == 1 else "≥ 0"
        raise InputError(f"{name}={number:g}: must be {valid}")
    return number
