"""The arms of the causal experiments: where the runs of each are, and what its strength is."""

from dataclasses import dataclass, replace

import pandas as pd

from analysis.runs.experiments import Experiments, NotRun
from analysis.runs.tables import Tables
from analysis.times import timescales
from analysis.times.compare import Arm

BASELINE = "e1_baseline"
BASELINE_AGAIN = "e1_other_machine"
"""cells of the baseline, of the same keys, trained once more where the later arms were"""
GROK, SUSTAINED = "t_grok", "t_grok_sustained"
ALPHA, BETA = "intervention.alpha", "intervention.beta"
MEASURE = "intervention.measure"


@dataclass(frozen=True)
class Condition:
    """An arm, or one arm for each strength of an intervention."""

    name: str
    """as a reader calls it"""
    experiment: str
    strength: str | None = None
    """the setting; None: there is one arm"""
    sign: int = 0
    """of the strengths that are this condition; 0: all"""
    expected: str = "later"
    """than the baseline, by the paper's argument (testing.ALTERNATIVES)"""

    def label(self, strength: float | None) -> str:
        """Of one of its arms: mixing, α = 0.3."""
        if self.strength is None or strength is None:
            return self.name
        symbol = {ALPHA: "α", BETA: "β"}[self.strength]
        return f"{self.name}, {symbol} = {strength:g}".replace("-", "−")


MIXING = Condition("mixing", "e2_mixing", ALPHA)
NOISE = Condition("noise", "e2_noise", ALPHA)
MATCHED = Condition("mixing, norm matched", "e3_norm_control", ALPHA)
TEMPERATURE = Condition("mixing, norm matched, temperature", "e3_temperature", ALPHA)
NORM_ALONE = Condition("norm matched alone", "e3_norm_alone")
FROZEN = Condition("norm frozen", "e3_norm_freeze")
HELD_UP = Condition("entropy held up", "e3_regularise", BETA, -1)
PUSHED_DOWN = Condition("entropy pushed down", "e3_regularise", BETA, 1, "earlier")
CONDITIONS = (
    MIXING, MATCHED, NORM_ALONE, NOISE, TEMPERATURE, HELD_UP, PUSHED_DOWN, FROZEN
)  # fmt: skip


def runs(experiments: Experiments, condition: Condition) -> Tables:
    """The runs of a condition. Raises NotRun."""
    tables = experiments.tables(condition.experiment)
    cells = tables.cells
    if condition.sign:
        cells = cells[cells[BETA] * condition.sign > 0]
        if MEASURE in cells:  # other measures can be regularised in the same way
            cells = cells[cells[MEASURE] == "entropy"]
    if cells.empty:
        raise NotRun(f"{condition.experiment}: no run of: {condition.name}")
    return replace(tables.only(cells["key"]), cells=cells)


def groks(tables: Tables, event: str = GROK) -> pd.DataFrame:
    """The rows of t_grok (or SUSTAINED) of the events table."""
    events = timescales.events(tables)
    return events[events["event"] == event]


def baseline(experiments: Experiments, event: str = GROK, name: str = BASELINE) -> Arm:
    """Raises NotRun."""
    return Arm("baseline", groks(experiments.tables(name), event))


def arms(
    experiments: Experiments, condition: Condition, event: str = GROK
) -> dict[float | None, Arm]:
    """The arms of a condition by their strength, from the weakest to the strongest; None is the
    only one. Raises NotRun."""
    events = groks(runs(experiments, condition), event)
    if condition.strength is None:
        return {None: Arm(condition.name, events)}
    groups = sorted(events.groupby(condition.strength), key=lambda group: abs(group[0]))
    return {float(value): Arm(condition.label(value), rows) for value, rows in groups}
