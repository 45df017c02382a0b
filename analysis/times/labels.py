"""The labels of groups of runs: one for each group, none lost."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype


def labelled(runs: pd.DataFrame, by: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The runs by the values of these columns, numbers from the largest to the smallest, words by
    alphabet, what has no value last; within a group by seed and key.

    The label has the values that there are, or "none"; where that makes two groups the same, with
    the names of their columns, and where that does not tell them apart, with words in quotes.
    """
    ascending = [not is_numeric_dtype(runs[column]) for column in by]
    ordered = runs.sort_values(
        [*by, "seed", "key"], ascending=[*ascending, True, True], key=_comparable
    )
    groups = ordered.groupby(list(by), sort=False, dropna=False)
    found = [(dict(zip(by, values, strict=True)), group) for values, group in groups]
    written = {c: texts(values[c] for values, _ in found) for c in by}
    there = [
        {c: written[c][value] for c, value in values.items() if pd.notna(value)}
        for values, _ in found
    ]
    labels = [", ".join(values.values()) or "none" for values in there]
    if len(set(labels)) < len(labels):
        labels = [", ".join(f"{c}={v.get(c, 'none')}" for c in by) for v in there]
    if len(set(labels)) < len(labels):
        quoted = [
            v | {c: repr(value) for c, value in values.items() if isinstance(value, str)}
            for (values, _), v in zip(found, there, strict=True)
        ]
        labels = [", ".join(f"{c}={v.get(c, 'none')}" for c in by) for v in quoted]
    return dict(zip(labels, (group for _, group in found), strict=True))


def texts(values: Iterable[Any]) -> dict[Any, str]:
    """A column's values as a user writes them: numbers to six digits, or to as many more as tell
    them apart."""
    different = list(dict.fromkeys(value for value in values if pd.notna(value)))
    for digits in range(6, 16):
        written = {
            value: f"{value:.{digits}g}" if isinstance(value, float) else str(value)
            for value in different
        }
        if len(set(written.values())) == len(written):
            return written
    return {value: str(value) for value in different}


def _comparable(column: pd.Series) -> pd.Series:
    """Words and what else a column of several types holds, in one order."""
    return column if is_numeric_dtype(column) else column.map(str, na_action="ignore")
