"""Parts that the tables share: arms by strength, last values, and means as text."""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pandas as pd

from analysis.claims.arguments import CurveValue
from analysis.claims.arms import Arm, Runs
from analysis.output.formats import estimated
from analysis.runs.experiments import NotRun
from analysis.runs.tables import varied_columns
from analysis.stats import means
from analysis.stats.intervals import Interval


def arms(runs: Runs, names: Iterable[str]) -> Iterator[tuple[str, str, Arm]]:
    """Label, strength and runs of each strength of those arms that were run, from the weakest; by
    what else varies in an arm besides the seed, which the label then says."""
    for name in names:
        with suppress(NotRun):
            whole = runs.arm(name)
            divided = {math.nan: whole} if whole.by is None else runs.divided(name)
            others = [c for c in varied_columns(whole.tables) if c != whole.by]
            for value, arm in divided.items():
                for one in arm.settings():
                    first = one.tables.cells.iloc[0]
                    said = [f"{column.rpartition('.')[2]} {first[column]}" for column in others]
                    strength = "–" if math.isnan(value) else f"{value:g}"
                    yield ", ".join([arm.label, *said]), strength, one


def last(arm: Arm, column: str) -> pd.Series:
    """The last known value of a column in each finished run, by key; none if it was not logged."""
    curves = arm.finished_curves() if column in arm.tables.curves else {}
    known = {key: curve[column].dropna() for key, curve in curves.items()}
    return pd.Series({k: float(v.iloc[-1]) for k, v in known.items() if len(v)}, dtype=float)


def of_runs(arm: Arm, value: CurveValue) -> pd.Series:
    """A number read from the curve of each finished run, by key, where there is one."""
    found = {key: value(curve) for key, curve in arm.finished_curves().items()}
    return pd.Series(found, dtype=float).dropna()


def mean(values: pd.Series, runs: Runs, decimals: int = 3) -> str:
    """Mean over runs with its interval; – without any."""
    return estimated(_mean(values, runs), decimals) if len(values) else "–"


def factor(logs: pd.Series, runs: Runs, of: int) -> str:
    """Geometric mean of a ratio from its logarithms, with its interval, and how many of the runs
    have one if not all; – without any."""
    if logs.empty:
        return "–"
    found = _mean(logs, runs)
    centre, lower, upper = map(math.exp, (found.estimate, found.lower, found.upper))
    ratio = Interval(centre, lower, upper, found.method)
    return estimated(ratio, 2) + (f" ({len(logs)}/{of})" if len(logs) < of else "")


def _mean(values: pd.Series, runs: Runs) -> Interval:
    return means.mean(values.to_numpy(float), runs.generator())
