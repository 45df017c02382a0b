"""A longer budget goes on: where a cell continues a shorter run of the same configuration.

The longer run takes those of the shorter one's evaluations that its own schedule has, rebuilds the
count of its stop rule from them, and trains on from the final state.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grokpipe.cell import Cell
from grokpipe.config import registry
from grokpipe.config.fields import leaves
from grokpipe.config.schema import Config
from grokpipe.curves import definitions
from grokpipe.interventions import Plain
from grokpipe.schedule import evaluation_steps
from grokpipe.store import run_log, snapshots, trajectories
from grokpipe.training.early_stopping import EarlyStopping
from grokpipe.training.evaluate import sparse_evaluations
from grokpipe.training.pack import TREES, Pack
from grokpipe.training.trees import stack

STATE = ("parameters", "optimizer", "intervention", "batches")
"""what final.pt must hold of a run that others continue, besides its step and, if the network has
any, its buffers"""


WATCHED = ("step", "train_loss", "weight_norm")
"""columns that tell whether a run diverged"""


@dataclass(frozen=True)
class Continuation:
    """Where and with what a cell continues a shorter run, its parent."""

    log: Path
    """run log of the parent"""
    step: int
    """step of the parent's final state"""
    kept: tuple[int, ...]
    """steps of the parent's evaluations that the cell's schedule has"""
    ended: str | None
    """why the cell's stop rule ends it at `step`, so that nothing is left to train; None if it goes
    on"""

    @property
    def parent(self) -> str:
        """Key of the parent."""
        return self.log.name

    def rows(self) -> list[dict[str, float]]:
        """Read those evaluations."""
        curves = run_log.read_curves(self.log)
        rows = curves[curves["step"].isin(self.kept)].to_dict("records")
        return [{str(name): value for name, value in row.items()} for row in rows]


def schedule(config: Config) -> list[int]:
    """Steps at which a cell is evaluated, ascending."""
    own = config.eval
    return evaluation_steps(own.schedule, own.every, config.steps, own.budget)


def continuation(cell: Cell, log: Path) -> Continuation | str:
    """Continue the finished run `log`, which differs from `cell` by fewer steps only, or by the
    trajectory that it follows. Returns why not where a run from the start could differ."""
    state = final_state(log)
    if state is None:
        return "the final state was not kept"
    step = int(state["step"])
    rule = cell.config.stop
    watched = [] if rule.event is None else definitions.columns([rule.event])
    columns = run_log.read_columns(log, [*dict.fromkeys([*WATCHED, *watched])])
    logged = columns["step"].tolist() if columns else []
    due = [at for at in schedule(cell.config) if logged and at <= logged[-1]]
    if lacking := sorted({*due} - {*logged}):
        return f"the shorter run was not evaluated at step {lacking[0]:,}"
    if observes(cell.config) and due != logged:
        return f"intervention={cell.config.intervention.name} acts on evaluations, which differ"
    if _sparse_elsewhere(cell.config, log, due):
        return "measures.sparse are taken at other steps"
    if not _same_trajectory(cell.config, log, step):
        return "the trajectory of the baseline that the cell follows differs"
    stopping, why = EarlyStopping(rule, 1 / cell.classes), None
    for at in due:  # in the order of the loop: a rule sees an evaluation when the next one is due
        if (why := stopping.ends(at)) and at < step:
            return f"at its own evaluations the stop rule ends it at step {at:,}"
        place = logged.index(at)
        stopping.observe({name: float(values[place]) for name, values in columns.items()})
    return Continuation(log, step, tuple(due), why)


def final_state(log: Path) -> dict[str, Any] | None:
    """Read final.pt of a run log, mapped rather than loaded; None if it is missing, damaged, or
    lacks what training needs. Runs no code from the file."""
    try:
        state = torch.load(log / run_log.FINAL, weights_only=True, map_location="cpu", mmap=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    whole = isinstance(state, dict) and {"step", *STATE} <= state.keys()
    return state if whole else None


def observes(config: Config) -> bool:
    """Return whether the intervention of `config` takes note of evaluations."""
    module = registry.module("interventions", config.intervention.name, "intervention")
    kind: type[Plain] = module.Stacked
    events = [event for _, event, rule in leaves(config.intervention) if rule.event]
    if events and not any(events):
        return False  # it may wait for an event, but does not
    return kind.observe is not Plain.observe or kind.apply is not Plain.apply


def followed(config: Config) -> str | None:
    """Hash of the baseline's trajectory that the cell follows; None if it follows none."""
    name: str | None = getattr(config.intervention, "trajectory", None)
    return name


def following(config: Config, trajectory: str | None) -> Config:
    """The configuration of a cell that follows another trajectory; unchanged for None."""
    if trajectory is None:
        return config
    return replace(config, intervention=replace(config.intervention, trajectory=trajectory))


def _same_trajectory(config: Config, log: Path, step: int) -> bool:
    """Whether the cell and the run `log` follow the same values up to `step`, if any."""
    own = followed(config)
    if own is None:
        return True
    theirs = run_log.read_config(log)["intervention"]["trajectory"]
    if own == theirs:
        return True
    folder = Path(config.outputs) / config.name
    steps = np.arange(1, step + 1)
    try:
        a, b = (trajectories.read(folder, name).values(steps) for name in (own, theirs))
    except (OSError, ValueError):
        return False
    return bool(np.array_equal(a, b))


def _sparse_elsewhere(config: Config, log: Path, due: Sequence[int]) -> bool:
    """Whether sparse measures were taken at other of the evaluations `due` in the run `log`."""
    theirs = run_log.read_config(log)
    shorter = replace(config.eval, budget=theirs["eval"].get("budget"))
    own, other = (
        {*due} & sparse_evaluations(c)
        for c in (config, replace(config, steps=theirs["steps"], eval=shorter))
    )
    return own != other


def load(pack: Pack, sources: Sequence[Continuation]) -> None:
    """Set every cell of `pack` to the final state of its parent.

    All cells that go on do so from one step. Raises FileNotFoundError if a state has gone.
    """
    states = [final_state(source.log) for source in sources]
    for source, state in zip(sources, states, strict=True):
        if state is None:
            raise FileNotFoundError(f"{source.log / run_log.FINAL}: gone or damaged")
    kept = [state for state in states if state]
    pack.load_state_dict(
        {
            "step": max(s.step for s in sources if not s.ended or all(o.ended for o in sources)),
            "members": list(range(len(sources))),
            **{name: stack([s[name] for s in kept]) for name in TREES if name in kept[0]},
            "streams": [state["batches"] for state in kept],
        }
    )


def copy_snapshots(source: Continuation, folder: Path) -> None:
    """Copy the parent's snapshots to the run log `folder`, as far as their rows were taken."""
    for step in {*source.kept}.intersection(snapshots.steps(source.log)):
        snapshots.copy(source.log, folder, step)
