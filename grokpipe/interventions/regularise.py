"""A penalty β · f in the loss, which acts on a measure f itself, unlike any arm of Truong et al.
(2026), with or without a bound on the norm of the head (Han et al. 2025).

β > 0 pushes the measure down (does its fall hasten grokking?), β < 0 holds it up (is its fall
needed?). The measures are in `_penalties.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grokpipe.config.fields import scientific
from grokpipe.config.schema import Config as CellConfig
from grokpipe.errors import InputError
from grokpipe.interventions import Batch, head_norm
from grokpipe.interventions._penalties import MEASURES, Settings
from grokpipe.interventions._span import shown
from grokpipe.tasks import Task

NEUTRAL = {"temperature": 1.0, "unit_features": False}


@dataclass(frozen=True)
class Config(head_norm.Config):
    """Configuration of the penalty."""

    measure: str = scientific(choices=tuple(MEASURES))
    """the measure f that is added to the loss"""
    beta: float = scientific(per_cell=True)
    """β, the coefficient of f; a negative one holds the measure up"""
    temperature: float = scientific(above=0, per_cell=True, neutral=NEUTRAL["temperature"])
    """T, by which the logits are divided in kappa_surrogate and uncertainty"""
    unit_features: bool = scientific(per_cell=True, neutral=NEUTRAL["unit_features"])
    """in kappa_surrogate: features of length 1 in the factor ‖φ‖²"""


def check(config: CellConfig) -> None:
    own = config.intervention
    measure = MEASURES[own.measure]
    if config.loss not in measure.forms:
        valid = [name for name, other in MEASURES.items() if config.loss in other.forms]
        raise InputError(
            f"intervention.measure={own.measure}: has no form for loss={config.loss}, only for "
            f"{', '.join(measure.forms)}; valid: {', '.join(valid)}"
        )
    for name, neutral in NEUTRAL.items():
        if name not in measure.takes and getattr(own, name) != neutral:
            taken = [other for other, one in MEASURES.items() if name in one.takes]
            raise InputError(
                f"intervention.{name}={shown(getattr(own, name))}: has no effect with "
                f"intervention.measure={own.measure}, only with {', '.join(taken)}"
            )
    if own.until.release_head and own.head is None:
        raise InputError(
            "intervention.until.release_head=true: nothing to release with intervention.head=null"
        )
    head_norm.check_bound(own)


def check_task(config: CellConfig, task: Task) -> None:
    if config.intervention.measure == "cdnv":
        classes = len(task.labels[task.train].view(len(task.train), -1)[:, 0].unique())
        if classes < 2:
            raise InputError(
                f"intervention.measure=cdnv: the training set of task={config.task.name} has "
                f"{classes} class; must have two or more"
            )


class Stacked(head_norm.Stacked):
    """Adds β times the measure to the loss, in the span; a bound on the head stays beyond it."""

    stays = True

    def __init__(self, configs: Sequence[CellConfig], shape: tuple[int, int], device: torch.device):
        super().__init__(configs, shape, device)
        self.beta = self.per_cell("beta")
        own = configs[0]
        self.measure = MEASURES[own.intervention.measure].forms[own.loss]
        self.settings = [self.per_cell("temperature"), self.per_cell("unit_features") > 0]
        self._betas: dict[tuple[bool, ...], Tensor] = {}

    def arguments(self, step: int) -> list[Tensor]:
        acts = tuple(self.acts(step))
        if acts not in self._betas:  # sent to the device only when they change
            self._betas[acts] = self.beta * torch.tensor(acts, device=self.device)
        return [self._betas[acts], *self.settings]

    def objective(self, batch: Batch, *arguments: Tensor) -> Tensor:
        beta, *settings = arguments
        return batch.loss(batch.logits) + beta * self.measure(batch, Settings(*settings))
