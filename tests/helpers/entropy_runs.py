"""Made-up gathered tables of experiments: runs of which everything is known beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.claims import reading as claims_file
from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.claims.schema import Criterion
from analysis.runs.rows import CELL_COLUMNS
from analysis.runs.tables import Tables, write_gathered

PAPER = claims_file.read("entropy")
BUDGET = 5_000
AFTER = 1_000  # steps that a run goes on after it grokked
START = 0.8  # entropy at the start
LEAD = 500  # the entropy falls over the steps before the run groks


@dataclass(frozen=True)
class Run:
    """The entropy stays at START until LEAD steps before `groks`, then falls on a line, reaches
    `at_grok` there and stays; test accuracy is chance until `groks`, then 1."""

    seed: int
    groks: float | None
    at_grok: float = 0.6
    budget: float = BUDGET
    state: str = "done"
    ends: float | None = None
    """the last evaluation; None: AFTER steps past `groks`, or the budget"""
    settings: dict[str, object] = field(default_factory=dict)
    classes: int = 97
    processor: str = "unknown"
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    """columns that take the place of the made-up ones, or come beside them"""

    def key(self, experiment: str) -> str:
        settings = "-".join(f"{value}" for value in self.settings.values())
        return f"{experiment}-{settings}-{self.seed}"

    @property
    def steps(self) -> np.ndarray:
        last = self.ends
        if last is None:
            last = self.budget if self.groks is None else min(self.groks + AFTER, self.budget)
        return np.arange(0, last + 1, 100)

    def table(self, key: str) -> pd.DataFrame:
        step = self.steps
        grokked = step >= (np.inf if self.groks is None else self.groks)
        entropy = np.full(len(step), START)
        if self.groks is not None:
            passed = np.clip((step - (self.groks - LEAD)) / LEAD, 0, 1)
            entropy = START + passed * (self.at_grok - START)
        made_up = {
            "train_accuracy": np.where(step >= 200, 1.0, 0.1),
            "test_accuracy": np.where(grokked, 1.0, 0.01),
            "spectral/entropy_train": entropy,
            "spectral/effective_rank": 128**entropy,
            "collapse/rnc1": np.full(len(step), 0.5),
            "flatness/kappa": np.ones(len(step)),
            "fourier/alignment": np.where(grokked, 0.6, 0.12),
            "fourier/alignment_null": np.full(len(step), 0.1),
            "weight_norm": np.full(len(step), 50.0),
        }
        return pd.DataFrame({"key": key, "step": step, **made_up, **self.curves})


def tables(experiment: str, runs: Sequence[Run], folder: Path) -> Tables:
    """As they would be read."""
    curves, cells = [], []
    for run in runs:
        key = run.key(experiment)
        configuration = {
            "task.name": "mod_add", "task.fraction": 0.2, "arch.name": "transformer",
            "intervention.name": "none", **run.settings, "seed": run.seed,
            "weight_decay": run.settings.get("weight_decay", 1.0), "steps": run.budget,
        }  # fmt: skip
        curve = run.table(key)
        known = {**dict.fromkeys(CELL_COLUMNS, "unknown"), "key": key, "state": run.state}
        known |= {
            "trained_steps": int(curve["step"].max()), "classes": run.classes, "dirty": False,
            "processor": run.processor,
        }  # fmt: skip
        cells.append({**known, **configuration})
        curves.append(curve.assign(**configuration))
    return Tables(
        pd.concat(curves).sort_values(["key", "step"], ignore_index=True),
        pd.DataFrame(cells).sort_values("key", ignore_index=True),
        folder,
    )


def write(folder: Path, **experiments: Sequence[Run]) -> Runs:
    """The gathered tables of several experiments of the entropy paper."""
    for name, runs in experiments.items():
        write_gathered(tables(name, runs, folder), folder / name)
    return reading(folder)


def reading(folder: Path) -> Runs:
    """The runs of a folder by the arms of the entropy paper."""
    return PAPER.runs(folder)


def first_rule(id: str) -> tuple[Criterion, ...]:
    """The criteria of a claim as they were written before the runs; some were amended later."""
    (claim,) = (claim for claim in PAPER.claims if claim.id == id)
    return claim.amended[0].criteria if claim.amended else claim.criteria


def claimed(runs: Runs, id: str, criterion: int = 0) -> Estimate:
    """The estimate that a criterion of the first rule of a claim is judged by."""
    return first_rule(id)[criterion].call(runs)


def beside(runs: Runs, id: str, criterion: int = 0) -> dict[str, Estimate]:
    """The estimates of its `sensitivity`, by their labels."""
    return {
        label: variant.call(varied)
        for variant in first_rule(id)[criterion].sensitivity
        for label, varied in variant.runs(runs)
    }


def baseline(times: Sequence[float | None], **values: object) -> list[Run]:
    """A run per seed."""
    return [Run(seed, time, **values) for seed, time in enumerate(times)]  # type: ignore[arg-type]


def arm(
    name: str,
    times: Sequence[float | None],
    settings: dict[str, object] | None = None,
    **values: object,
) -> list[Run]:
    """A run per seed with an intervention, its settings by their short names."""
    full = {"intervention.name": name}
    full |= {f"intervention.{setting}": value for setting, value in (settings or {}).items()}
    return [
        Run(seed, time, settings=full, **values)  # type: ignore[arg-type]
        for seed, time in enumerate(times)
    ]
