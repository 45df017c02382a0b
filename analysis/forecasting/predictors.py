"""Predictors of the time until an event, and their values in the runs of each arm."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from analysis.runs.tables import Tables, varied_columns
from grokpipe.curves.definitions import is_ratio
from grokpipe.curves.gap import Runs, pool
from grokpipe.errors import InputError

Floats = NDArray[np.float64]

WINDOW = 5  # evaluations over which a rate of change is taken, as for T_collapse


def itself(steps: Floats, values: Floats) -> Floats:
    """The values themselves."""
    return values


def reciprocal(steps: Floats, values: Floats) -> Floats:
    """1/values; NaN for values that are not positive."""
    return 1 / np.where(values > 0, values, np.nan)


def logarithm(steps: Floats, values: Floats) -> Floats:
    """Natural logarithm; NaN for values that are not positive."""
    return np.log(np.where(values > 0, values, np.nan))


def rate(steps: Floats, values: Floats) -> Floats:
    """Rate of change per step over the last 5 evaluations; NaN at the first 5."""
    rates = np.full(len(values), np.nan)
    rates[WINDOW:] = (values[WINDOW:] - values[:-WINDOW]) / (steps[WINDOW:] - steps[:-WINDOW])
    return rates


@dataclass(frozen=True)
class Predictor:
    """A number at every evaluation, computed from one column of the curves."""

    name: str
    column: str | None
    """None: normal noise, which predicts nothing"""
    form: Literal["gap", "absolute"] = "gap"
    """argument of the law: the distance from the value at the event, or the value itself"""
    of: Callable[[Floats, Floats], Floats] = itself
    """steps and the column's values, both (evaluations,) → the predictor, (evaluations,)"""

    def values(self, curve: pd.DataFrame, generator: np.random.Generator) -> Floats:
        """Compute the predictor at a run's evaluations, in the order of their steps.

        Raises InputError if its column was not measured.
        """
        if self.column is None:
            return generator.standard_normal(len(curve))
        if self.column not in curve:
            raise InputError(f"{self.column}: the runs did not measure it")
        return self.of(curve["step"].to_numpy(float), curve[self.column].to_numpy(float))


ENTROPY = "spectral/entropy_train"
NORM = "weight_norm"
TRAIN_LOSS = "train_loss"

ENTROPY_GAP = Predictor("entropy gap", ENTROPY)
ABSOLUTE_ENTROPY = Predictor("entropy", ENTROPY, "absolute")
ABSOLUTE_NORM = Predictor("norm", NORM, "absolute")
# losses and ratios of squares span decades, so their gap is taken in the logarithm
LOSS_GAP = Predictor("training loss gap (log)", TRAIN_LOSS, of=logarithm)
RANDOM = Predictor("random", None)

PREDICTORS = (
    ENTROPY_GAP,
    ABSOLUTE_ENTROPY,
    ABSOLUTE_NORM,
    Predictor("norm gap", NORM),
    Predictor("1/norm", NORM, "absolute", reciprocal),
    LOSS_GAP,
    Predictor("test loss gap (log)", "test_loss", of=logarithm),
    Predictor("RNC1 gap (log)", "collapse/rnc1", of=logarithm),
    Predictor("CDNV gap (log)", "collapse/cdnv", of=logarithm),
    Predictor("κ gap (log)", "flatness/kappa", of=logarithm),
    Predictor("rate of entropy", ENTROPY, of=rate),
    Predictor("rate of norm", NORM, of=rate),
    Predictor("rate of training loss", TRAIN_LOSS, of=rate),
    RANDOM,
)

ORACLES = {one.name for one in PREDICTORS if (one.column or "").startswith("test_")}
"""predictors that are read from the test set, which nobody has who wants to know when it turns"""
COMBINATIONS = {
    # the entropy alone, to see what the others add in this form
    "entropy": (ABSOLUTE_ENTROPY,),
    "entropy + norm": (ABSOLUTE_ENTROPY, ABSOLUTE_NORM),
    "entropy + training loss (log)": (ABSOLUTE_ENTROPY, LOSS_GAP),
    "norm + training loss (log)": (ABSOLUTE_NORM, LOSS_GAP),
    "entropy + norm + training loss (log)": (ABSOLUTE_ENTROPY, ABSOLUTE_NORM, LOSS_GAP),
}
"""predictors of quadratic least squares, in which a threshold would change nothing"""

MEASURES = tuple(dict.fromkeys(p.column for p in PREDICTORS if p.column))
"""columns of the curves that predictors read"""


@dataclass(frozen=True, eq=False)
class Arm:
    """Runs that differ only by seed."""

    values: dict[str, object]
    """configuration values that distinguish the arm from the others; empty for a single arm"""
    total: int
    """number of runs, including those without the event"""
    runs: pd.DataFrame
    """rows of the events table of the runs that had the event, by seed"""
    curves: list[pd.DataFrame]
    """their evaluations up to the event, which is the last"""

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def label(self) -> str:
        """Name of the arm in messages."""
        written = (f"{v:g}" if isinstance(v, float) else str(v) for v in self.values.values())
        return ", ".join(map("{}={}".format, self.values, written)) or "all runs"

    def notes(self, event: str) -> list[str]:
        """Note on the runs left out because the event was not observed, if there are any."""
        if not (never := self.total - len(self)):
            return []
        others = "; laws and forecasts are of the others, which tend to be faster"
        return [
            f"note: {self.label}: {event} was not observed in {never} of {self.total} runs"
            + others * (len(self) > 0)
        ]

    def pool(self, predictor: Predictor, generator: np.random.Generator) -> Runs:
        """Pool the predictor over all runs of the arm.

        Raises InputError if it was not measured, or is never defined before the event or at the
        event.
        """
        return pool(
            [predictor.values(curve, generator) for curve in self.curves],
            [
                curve["step"].iloc[-1:].to_numpy() - curve["step"].to_numpy()
                for curve in self.curves
            ],
        )


def arms(tables: Tables, events: pd.DataFrame, event: str) -> Iterator[Arm]:
    """Yield the arms of the tables, numbers in descending, words in alphabetical order.

    Raises InputError for an event that is not in the events table, or is not a step.
    """
    if event not in set(events["event"]) or is_ratio(event):
        valid = ", ".join(name for name in events["event"].unique() if not is_ratio(name))
        raise InputError(f"event={event}: must be a step of the runs: {valid}")
    by = varied_columns(tables)
    ascending = [not is_numeric_dtype(events[column]) for column in by]
    rows = events[events["event"] == event]
    rows = rows.sort_values([*by, "seed", "key"], ascending=[*ascending, True, True])
    by_key = dict(iter(tables.curves.sort_values(["key", "step"]).groupby("key")))
    groups = rows.groupby(by, sort=False, dropna=False) if by else [((), rows)]
    for values, of_arm in groups:
        reached = of_arm[of_arm["observed"].astype(bool)]
        until = zip(reached["key"], reached["step"], strict=True)
        curves = [by_key[key][by_key[key]["step"] <= step] for key, step in until]
        yield Arm(dict(zip(by, values, strict=True)), len(of_arm), reached, curves)
