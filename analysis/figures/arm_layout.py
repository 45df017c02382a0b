"""Colour, dashes and row of panels of each arm of a figure, by one column or two."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.figures import labels
from analysis.figures.arm_styles import DASHES, Dash, styles
from analysis.figures.run_lines import Colour
from analysis.times.labels import labelled
from grokpipe.errors import InputError

ROWS = 40
"""rows of panels of a figure, at most"""


@dataclass(frozen=True)
class Arm:
    """The runs that share the values of the columns, and how they are drawn."""

    keys: frozenset[str]
    colour: Colour
    dash: Dash
    row: int


@dataclass(frozen=True)
class Layout:
    """The arms by label, and what the keys beside the panels say."""

    arms: dict[str, Arm]
    title: str
    """of the colours"""
    colours: list[tuple[str, Colour, Dash]]
    """label, colour and dashes of each value of the first column"""
    numeric: bool
    """whether the colours stand for numbers"""
    dashes_title: str
    dashes: list[tuple[str, Dash]]
    """the values of a second column that dashes tell apart; else empty"""
    rows: list[str]
    """a label for each row of panels; one empty label if rows tell nothing apart"""


def layout(runs: pd.DataFrame, by: Sequence[str]) -> Layout:
    """Lay out the arms of `runs`, a row a run with its key, its seed and the columns `by`.

    The first column has colours. The second has dashes, or rows of panels if it has more values
    than there are dashes. A second column that says nothing beyond the first shares its colours.

    Raises InputError for more than two columns, and for more than ROWS rows.
    """
    if len(by) > 2:
        raise InputError(
            f"--by {','.join(by)}: a figure shows one column or two, by colour and by dashes or "
            "rows; choose one value of each other column with --where"
        )
    every = labelled(runs, by)
    if len(by) == 1 or len(every) == len(labelled(runs, by[:1])):
        numeric = len(by) == 1 and is_numeric_dtype(runs[by[0]])
        found = styles(len(every), numeric)
        arms = {
            label: Arm(frozenset(arm["key"]), colour, dash, 0)
            for (label, arm), (colour, dash) in zip(every.items(), found, strict=True)
        }
        shown = [(label, arm.colour, arm.dash) for label, arm in arms.items()]
        return Layout(arms, labels.settings(by), shown, numeric, "", [], [""])
    first, second = (_labels(runs, column) for column in by)
    in_rows = len(set(second.values())) > len(DASHES)
    of_first = {name: at for at, name in enumerate(dict.fromkeys(first.values()))}
    of_second = {name: at for at, name in enumerate(dict.fromkeys(second.values()))}
    if in_rows and len(of_second) > ROWS:
        raise InputError(
            f"--by {','.join(by)}: {by[1]} has {len(of_second)} values, a row of panels each; "
            f"valid: up to {ROWS}; choose fewer with --where"
        )
    numeric = is_numeric_dtype(runs[by[0]])
    found = styles(len(of_first), numeric)
    arms = {}
    for label, arm in every.items():
        key = str(arm["key"].iloc[0])
        colour, dash = found[of_first[first[key]]]
        at = of_second[second[key]]
        arms[label] = Arm(
            frozenset(arm["key"]), colour, dash if in_rows else DASHES[at], at if in_rows else 0
        )
    title = labels.setting(by[1])
    return Layout(
        arms,
        labels.setting(by[0]),
        [(name, *(found[at] if in_rows else (found[at][0], "-"))) for name, at in of_first.items()],
        numeric,
        title,
        [] if in_rows else [(name, DASHES[at]) for name, at in of_second.items()],
        [f"{title} = {name}" for name in of_second] if in_rows else [""],
    )


def _labels(runs: pd.DataFrame, column: str) -> dict[str, str]:
    """Label of each run, by key, in the order of the labels."""
    groups = labelled(runs, [column])
    return {str(key): label for label, group in groups.items() for key in group["key"]}
