"""What was adopted, in words: runs, arms, columns, and the events that the columns allow."""

from collections.abc import Collection

import pandas as pd

from analysis.runs.adopt.adopting import Adopted
from analysis.runs.adopt.roles import listed
from analysis.runs.adopt.runs import arms
from analysis.runs.rows import CELL_COLUMNS
from grokpipe.curves import definitions

UNNAMED = "none with a name"


def text(adopted: Adopted) -> str:
    """The summary, a line or two for each of these."""
    tables, cells = adopted.tables, adopted.tables.cells
    curves = tables.curves
    measures = [name for name in curves if name not in ("key", "step")]
    varied, constant = _configuration(cells)
    of_arm = pd.Series(arms(cells, CELL_COLUMNS)).value_counts()
    most = int(of_arm.max())
    seeds = f"{most}" if of_arm.min() == most else f"{of_arm.min()}–{most}"
    states = ", ".join(f"{count} {state}" for state, count in cells["state"].value_counts().items())
    lines = [
        f"runs: {len(cells)} ({states}); arms: {len(of_arm)}, of {seeds} seed{'s' * (most > 1)}; "
        f"evaluations: {len(curves):,}, up to step {curves['step'].max():,}",
        f"columns: {listed(measures, 20)}",
        f"configuration: {listed(varied, 20) or 'nothing varied'}"
        + (f"; the same everywhere: {listed(constant, 8)}" if constant else ""),
        *adopted.told,
        *_events(measures, "classes" in cells),
    ]
    return "\n".join(lines)


def _configuration(cells: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Each column with its number of values, and those with one value, with it."""
    varied, constant = [], []
    for name in cells:
        if name in CELL_COLUMNS:
            continue
        values = cells[name].nunique(dropna=False)
        if values > 1:
            varied.append(f"{name} ({values} values)")
        else:
            constant.append(f"{name}={cells[name].iloc[0]}")
    return varied, constant


def allowed(measures: Collection[str], classes: bool) -> tuple[list[str], dict[str, list[str]]]:
    """The named events that can be read from these columns, and the others by what they lack."""
    there: list[str] = []
    lacking: dict[str, list[str]] = {}
    for name in definitions.EVENTS:
        missing = [column for column in _columns(name) if column not in measures]
        if definitions.needs_classes(name) and not classes:
            missing.append("classes (fixed: {classes: …})")
        if missing:
            lacking.setdefault(", ".join(missing), []).append(name)
        else:
            there.append(name)
    return there, lacking


def _columns(name: str) -> tuple[str, ...]:
    return definitions.columns([name])


def _events(measures: Collection[str], classes: bool) -> list[str]:
    there, lacking = allowed(measures, classes)
    return [
        f"events: {', '.join(there) or UNNAMED}",
        *(f"  not {', '.join(names)}: no {missing}" for missing, names in lacking.items()),
    ]  # fmt: skip
