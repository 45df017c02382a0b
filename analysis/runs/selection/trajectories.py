"""Runs of one trajectory: equal in all that training depends on, so that they are one run.

They differ in how far they were trained (`steps`, `stop`), when they were evaluated (`eval`) and
what was measured (`measures`). Two such runs of a seed are not two independent runs: the one that
was followed farthest stands for all.
"""

from collections.abc import Collection, Sequence
from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Any

import pandas as pd

from analysis.runs.rows import CELL_COLUMNS, UNKNOWN
from grokpipe.config.schema import Config
from grokpipe.provenance.fingerprint import LENGTH, PACKAGE
from grokpipe.store.manifest import FINISHED

GROUPS = (*LENGTH, "measures")
"""keys, and groups of keys, in which runs of one trajectory may differ"""
FOLLOWED = "intervention.trajectory"
"""hash of the baseline that a run follows: another one for a baseline of another budget"""
ACTS_ON = "intervention.from_event"
"""where it is set, evaluations decide when the intervention acts: they belong to the trajectory"""
MOST = 3  # values and columns that a note names


def is_length(column: str) -> bool:
    """Whether runs of one trajectory may differ in this configuration column."""
    return column.partition(".")[0] in GROUPS


def numbers(cells: pd.DataFrame) -> pd.Series:
    """The number of each cell's trajectory, by row.

    A cell whose data are unknown is alone, since tables of other programs may leave out what tells
    their runs apart; so are cells that their budget, evaluation and measures do not tell apart.
    """
    return _numbers(with_neutral_values(cells))


def lengths_that_tell(cells: pd.DataFrame) -> set[str]:
    """The columns of budget, evaluation and measures in which cells differ that agree in all other
    columns, the seed among them."""
    others, lengths = _columns(cells)
    if "seed" not in others:
        return set(lengths)
    varied = _varied(cells, others)
    again = cells[cells.duplicated(varied, keep=False)] if varied else cells
    if again.empty:
        return set()
    by = again.groupby(varied, dropna=False) if varied else again.groupby(lambda row: 0)
    return {name for name in lengths if by[name].nunique(dropna=False).max() > 1}


def longest(
    cells: pd.DataFrame, curves: pd.DataFrame, asked: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str]]:
    """The cells that another one of their trajectory stands for, and notes that count them.

    The one that stands has most of the columns `asked` of the curves; of several the one that was
    trained farthest, then a finished one, then one with more columns, with more evaluations, and
    the first by key. So a run that was interrupted late stands for one that ended early, and not
    the other way round.
    """
    cells = with_neutral_values(cells)
    number = _numbers(cells)
    several = cells[number.duplicated(keep=False)]
    if several.empty:
        return several, []
    measures = [name for name in curves if name not in ("key", "step") and name not in cells]
    rows = curves[curves["key"].isin(several["key"])].groupby("key")
    known = rows[measures].count().reindex(several["key"], fill_value=0).set_axis(several.index)
    evaluations = rows["step"].agg(["size", "max"]).reindex(several["key"]).fillna(0)
    evaluations = evaluations.set_axis(several.index)
    followed = several.get("trained_steps", evaluations["max"])
    rank = pd.DataFrame(
        {
            "asked": -(known[[name for name in asked if name in known]] > 0).sum(axis=1),
            "followed": -followed.astype(float),
            "unfinished": ~several["state"].isin(FINISHED),
            "columns": -(known > 0).sum(axis=1),
            "evaluations": -evaluations["size"],
            "key": several["key"],
        }
    )
    number = number[several.index]
    first = rank.sort_values([*rank]).index
    stands = several.loc[[*number[first].drop_duplicates().index]]
    others = several.drop(index=stands.index)
    said = _note(cells, several, stands, number)
    return others, [said, *_lacking(stands, others, known, number)]


def with_neutral_values(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with the value of before where a run is older than a configuration key."""
    filled = {
        name: cells[name].astype(object).where(cells[name].notna(), value)
        for name, value in _neutral_values().items()
        if name in cells and cells[name].isna().any()
    }
    return cells.assign(**filled)


@lru_cache(maxsize=1)
def _neutral_values() -> dict[str, Any]:
    """The neutral values that are not null, by key of the configuration's outermost level."""
    declared = {item.name: item.metadata.get("neutral", MISSING) for item in fields(Config)}
    return {name: v for name, v in declared.items() if v is not MISSING and v is not None}


@lru_cache(maxsize=1)
def _own_interventions() -> set[str]:
    return {path.stem for path in (PACKAGE / "interventions").glob("*.py")}


def _numbers(cells: pd.DataFrame) -> pd.Series:
    others, lengths = _columns(cells)
    if "seed" not in others:
        return pd.Series(range(len(cells)), index=cells.index)
    same = cells[_varied(cells, others)].assign(data=cells["data"], spacing=_spacing(cells))
    number = _grouped(same)
    clash = _clashing(cells, number, lengths)
    if FOLLOWED in cells and clash.any():
        number = _grouped(pd.DataFrame({0: number, 1: cells[FOLLOWED].where(clash)}))
        clash = _clashing(cells, number, lengths)
    alone = clash | (cells["data"] == UNKNOWN)
    return number.mask(alone, -1 - pd.Series(range(len(cells)), index=cells.index))


def _columns(cells: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The configuration columns that a trajectory depends on, and those that it does not."""
    names = [name for name in cells if name not in CELL_COLUMNS]
    lengths = [name for name in names if is_length(name)]
    return [name for name in names if name not in lengths and name != FOLLOWED], lengths


def _varied(cells: pd.DataFrame, names: Sequence[str]) -> list[str]:
    return [name for name in names if cells[name].nunique(dropna=False) > 1]


def _grouped(table: pd.DataFrame) -> pd.Series:
    return table.groupby([*table], dropna=False, sort=False).ngroup()


def _clashing(cells: pd.DataFrame, number: pd.Series, lengths: Sequence[str]) -> pd.Series:
    """Mask of the cells of groups in which two cells agree in budget, evaluation and measures."""
    again = cells[lengths].assign(number=number).duplicated(keep=False)
    return number.isin(number[again])


def _spacing(cells: pd.DataFrame) -> list[object]:
    """What spaces the evaluations of a cell whose intervention acts on them, as one of another
    package may; None for others."""
    names = ("eval.schedule", "eval.every", "eval.budget", "steps")
    nothing = pd.Series(None, index=cells.index, dtype=object)
    intervention = cells.get("intervention.name", nothing)
    foreign = intervention.notna() & ~intervention.isin(_own_interventions())
    acting = foreign | cells.get(ACTS_ON, nothing).notna()
    columns = [cells.get(name, nothing) for name in names]
    spaced: list[object] = []
    for acts, schedule, every, budget, steps in zip(acting, *columns, strict=True):
        between = every if schedule == "regular" else steps if pd.isna(budget) else budget
        spaced.append((schedule, None if pd.isna(between) else float(between)) if acts else None)
    return spaced


def _note(
    cells: pd.DataFrame, several: pd.DataFrame, stands: pd.DataFrame, number: pd.Series
) -> str:
    by = several.groupby(number)
    differ = [name for name in _columns(cells)[1] if by[name].nunique(dropna=False).max() > 1]
    values = list(dict.fromkeys(stands[differ[0]]))
    which = f" ({differ[0]}={'|'.join(map(str, values))})" if len(values) <= MOST else ""
    runs = len(cells) - len(several) + len(stands)
    return (
        f"note: {len(cells)} runs are {runs} {'trajectory' if runs == 1 else 'trajectories'}, as "
        f"some differ only in {', '.join(differ)}: the longest of each stands for all{which}"
    )


def _lacking(
    stands: pd.DataFrame, others: pd.DataFrame, known: pd.DataFrame, number: pd.Series
) -> list[str]:
    """A note on columns of the curves that only runs have which are left out."""
    ours, theirs = (
        (known.loc[of.index] > 0).groupby(number[of.index]).any() for of in (stands, others)
    )
    lost = (theirs & ~ours).any()
    names = [str(name) for name in lost.index[lost]]
    if not names:
        return []
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return [
        f"note: {', '.join(names[:MOST])}{more}: measured in runs for which longer ones stand; "
        "choose them by --where"
    ]
