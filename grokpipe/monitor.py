"""The spectral entropy of other people's networks while they train (Truong et al. 2026, section 10
and Appendix D): how far it has fallen, what that suggests, and when the network may grok.

    monitor = SpectralEntropyMonitor(probe, features=lambda model, x: model.encode(x))
    state = monitor.update(step, model, train_accuracy=0.99)
    print(state.phase, state.advice)

What the paper claims of it, and what of that our runs reproduce, is in the report of the paper: the
threshold and the law differ between tasks and architectures, so calibrate them by pilot runs.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grokpipe import runlog
from grokpipe.curves import phases
from grokpipe.curves.forecast import Forecaster
from grokpipe.curves.gap import Law
from grokpipe.curves.phases import Dials, Seen
from grokpipe.errors import InputError
from grokpipe.measures.spectral import CONSTANT, spectral_entropy
from grokpipe.pilots import Pilots, read_pilots

Features = Callable[[nn.Module, Any], Tensor]

PUBLISHED = Law(
    "power", threshold=0.609, direction=1.0, shape=1.65, coefficient=2.45e5, constant=0.0
)
"""equation 2 with the paper's constants, for a + b mod 97; its interval is not published"""


@dataclass(frozen=True)
class GrokTime:
    """When grokking may come, in steps. Without pilot runs the ends of the interval are NaN."""

    step: float
    lower: float
    upper: float
    note: str


@dataclass(frozen=True)
class State:
    """What one update found."""

    step: int
    entropy: float
    """H̃ in [0, 1]"""
    phase: str
    """one of grokpipe.curves.phases.ADVICE"""
    advice: str
    forecast: GrokTime | None
    """None while the predictor is off: H̃ more than the activation gap above the threshold"""
    should_stop: bool
    """the entropy crossed the threshold, and `stop_after` steps have passed since"""


def entropy(features: Tensor, capped: bool = False) -> float:
    """(n, d) → H̃ = −Σ p_k log p_k / log d, as grokpipe.measures.spectral.

    With no more samples than dimensions the rank caps it. `capped` accepts that and normalises by
    the logarithm of the largest rank there is, n − 1, from the n × n Gram matrix; such values only
    compare with those of the same n. Raises InputError for other shapes, a probe that is too small,
    features that are not finite, and constant ones.
    """
    if features.dim() != 2 or len(features) < 3 or features.shape[1] < 2:
        raise InputError(
            f"features of shape {tuple(features.shape)}: must be (samples, dimensions)"
        )
    n, d = features.shape
    if n <= d and not capped:
        raise InputError(
            f"a probe of {n} samples for {d} dimensions: the rank caps the entropy; take more than "
            f"{d} samples, or capped=True"
        )
    features = features.detach().to(torch.float64)
    if not bool(features.isfinite().all()):
        raise InputError("features: not finite")
    found = spectral_entropy(features) if n > d else _capped(features)
    if math.isnan(found):
        raise InputError("features: the same for all samples of the probe, so there is no spectrum")
    return found


def _capped(features: Tensor) -> float:
    """From the Gram matrix, whose non-zero eigenvalues are those of the covariance."""
    n = len(features)
    centred = features - features.mean(0)
    gram = centred @ centred.T
    if gram.trace() <= CONSTANT * features.square().sum():
        return math.nan
    eigenvalues = torch.linalg.eigvalsh(gram)[1:].clamp(min=0)  # the first is of the mean: zero
    return float(torch.special.entr(eigenvalues / eigenvalues.sum()).sum()) / math.log(n - 1)


class SpectralEntropyMonitor:
    """Follows one run.

    `probe`: fixed inputs, more than the features have dimensions; `features(model, probe)` gives
    (n, d), what the last layer sees. Both may be left out where `update` is handed the features.
    `threshold` is H̃*; `pilots` (see `calibrate`) bring a law with its errors. Raises InputError for
    a threshold outside (0, 1) and dials below 0.
    """

    def __init__(
        self,
        probe: Any = None,
        features: Features | None = None,
        threshold: float = PUBLISHED.threshold,
        dials: Dials = Dials(),  # noqa: B008 - frozen
        pilots: Pilots | None = None,
        capped: bool = False,
    ):
        if not 0 < threshold < 1:
            raise InputError(f"threshold={threshold:g}: must be between 0 and 1")
        for name, value in asdict(dials).items():
            if not value >= 0:
                raise InputError(f"{name}={value:g}: must be ≥ 0")
        self.probe, self.features, self.threshold = probe, features, threshold
        self.dials, self.pilots, self.capped = dials, pilots, capped
        self.history: list[Seen] = []

    @classmethod
    def calibrate(
        cls,
        folder: str | Path,
        probe: Any = None,
        features: Features | None = None,
        where: Mapping[str, object] | None = None,
        dials: Dials = Dials(),  # noqa: B008
    ) -> "SpectralEntropyMonitor":
        """With H̃* and the law of the runs that grokked, in a folder of run logs or of gathered
        tables (Appendix D.1: three to five pilot seeds). `where` chooses runs by configuration,
        such as {"weight_decay": 1.0}. Raises InputError if they differ in more than the seed, or
        none grokked."""
        pilots = read_pilots(Path(folder), where or {})
        return cls(probe, features, pilots.threshold, dials, pilots)

    def update(
        self,
        step: int,
        model: nn.Module | Tensor,
        train_accuracy: float | None = None,
        test_accuracy: float | None = None,
        norm: float | None = None,
    ) -> State:
        """Looks at the model, or at features (n, d) of the probe, after `step` steps.

        The model is asked in evaluation mode without gradients; its modes and the generators of
        random numbers are left as they were, so that training goes on as if nobody had looked.
        Raises InputError for steps that do not increase, and as `entropy` does; then nothing is
        kept of this update.
        """
        if self.history and step <= self.history[-1].step:
            raise InputError(f"step={step}: must be above the last one, {self.history[-1].step}")
        found = entropy(self._features(model), self.capped)
        given = (train_accuracy, test_accuracy, norm)
        values = [math.nan if value is None else float(value) for value in given]
        self.history.append(Seen(int(step), found, *values))
        return self.state()

    def state(self) -> State:
        """Of the last update. Raises InputError without one."""
        if not self.history:
            raise InputError("no update yet")
        now = self.history[-1]
        phase = phases.phase(self.history, self.threshold, self.dials)
        on = now.entropy - self.threshold <= self.dials.activation_gap
        since = phases.crossed(self.history, self.threshold)
        return State(
            step=now.step,
            entropy=now.entropy,
            phase=phase,
            advice=phases.ADVICE[phase],
            forecast=self.predict_grok_time() if on else None,
            should_stop=since is not None and now.step - since >= self.dials.stop_after,
        )

    def predict_grok_time(self) -> GrokTime:
        """T_grok = t + C₁ (H̃ − H̃*)^γ + C₂ (equation 2), by the law of the pilot runs with a 95 %
        interval from what it got wrong in each of them by the law of the others; without pilots by
        the published constants, without an interval. Raises InputError before the first update."""
        if not self.history:
            raise InputError("no update yet")
        now = self.history[-1]
        if self.pilots is None or self.pilots.forecaster is None:
            law = replace(PUBLISHED, threshold=self.threshold)
            why = "no pilot runs" if self.pilots is None else "fewer than three pilot runs"
            step = now.step + max(float(law.remaining(now.entropy)), 0.0)
            return GrokTime(step, math.nan, math.nan, f"the published law, no interval: {why}")
        made = self.pilots.forecaster.forecast(now.step, now.entropy)
        note = f"the law of {self.pilots.runs} pilot runs"
        return GrokTime(float(made.step), float(made.lower), float(made.upper), note)

    def save(self, path: str | Path) -> None:
        """Threshold, dials, pilots and history as JSON, written whole or not at all."""
        runlog.write_json(
            Path(path),
            {
                "threshold": self.threshold,
                "capped": self.capped,
                "dials": asdict(self.dials),
                "pilots": None if self.pilots is None else _plain(self.pilots),
                "history": [asdict(seen) for seen in self.history],
            },
        )

    @classmethod
    def load(
        cls, path: str | Path, probe: Any = None, features: Features | None = None
    ) -> "SpectralEntropyMonitor":
        """A monitor that goes on where the saved one was; a file can bring no code along. Raises
        InputError for a file that is none."""
        try:
            value = json.loads(Path(path).read_text())
            pilots = value["pilots"] and _pilots(value["pilots"])
            monitor = cls(
                probe, features, value["threshold"], Dials(**value["dials"]), pilots,
                value["capped"],
            )  # fmt: skip
            monitor.history = [Seen(**seen) for seen in value["history"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not a saved monitor ({error})") from error
        return monitor

    @torch.no_grad()
    def _features(self, model: nn.Module | Tensor) -> Tensor:
        if isinstance(model, Tensor):
            return model
        if self.features is None:
            raise InputError("features=None: needs a function of model and probe, or features")
        modes = {module: module.training for module in model.modules()}
        parameter = next(model.parameters(), None)
        cuda = [parameter.device] if parameter is not None and parameter.is_cuda else []
        with torch.random.fork_rng(devices=cuda):
            try:
                model.eval()
                found = self.features(model, self.probe)
            finally:
                for module, training in modes.items():
                    module.training = training
        if not isinstance(found, Tensor):
            raise InputError(f"features: gave a {type(found).__name__}, must be a tensor (n, d)")
        return found


def _plain(pilots: Pilots) -> dict[str, Any]:
    value = {name: item for name, item in vars(pilots).items() if name != "forecaster"}
    made = pilots.forecaster
    if made is not None:
        lists = {"errors": made.errors.tolist(), "shares": made.shares.tolist()}
        value["forecaster"] = {"law": asdict(made.law), **lists}
    return value


def _pilots(value: dict[str, Any]) -> Pilots:
    made = value.pop("forecaster", None)
    if made is not None:
        errors, shares = (np.asarray(made[name], dtype=float) for name in ("errors", "shares"))
        made = Forecaster(Law(**made["law"]), errors, shares)
    return Pilots(**value, forecaster=made)
