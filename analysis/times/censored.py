"""Cells that did not reach an event within their budget, and commands that train them on."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from analysis.runs import longer_budget
from analysis.runs.selection import trajectories
from analysis.runs.tables import Tables


@dataclass(frozen=True)
class CensoredCell:
    """A finished cell that was trained for its whole budget without the event."""

    key: str
    label: str
    """the values that tell it from the others"""
    last: int
    """steps that it was trained for"""
    budget: int


@dataclass(frozen=True)
class Censored:
    """All such cells of a folder."""

    folder: str
    event: str
    runs: int
    """cells of which the time was read"""
    cells: list[CensoredCell]
    commands: list[str]
    """shell commands that train exactly these cells for twice their budget"""
    notes: list[str]
    """which cells without the event are left out, and why"""


def censored(folder: Path, tables: Tables, times: pd.DataFrame, event: str) -> Censored:
    """List the cells without `event`, from the times of all runs (`timescales.events`).

    Left out are cells that a longer budget does not help: those that diverged, that are not
    finished, that their stop rule ended, and those of which a longer run was asked for.
    """
    own = times[times["event"] == event]
    superseded = own["key"].isin(_superseded(tables)) & ~own["observed"].astype(bool)
    own = own[~superseded]
    last = tables.cells.set_index("key")["trained_steps"]
    without = own[~own["observed"].astype(bool)].set_index("key")
    done = without[without["state"] == "done"]
    full = done[last.reindex(done.index) >= done["budget"]]
    states = without.loc[without["state"] != "done", "state"].value_counts()
    notes = [f"{n} {state} without {event}: left out" for state, n in states.items()]
    if ended := len(done) - len(full):
        notes.append(f"{ended} without {event} ended by their stop rule: left out")
    if superseded.any():
        notes.append(f"{superseded.sum()} without {event} have a longer run to finish: left out")
    commands, labels = longer_budget.commands(folder, [*full.index])
    cells = [
        CensoredCell(
            key=str(key),
            label=" ".join(f"{name}={text}" for name, text in labels[str(key)].items()),
            last=int(last[key]),
            budget=int(full.loc[key, "budget"]),
        )
        for key in full.index
    ]
    if any("intervention.trajectory" in tables.cells and _follows(tables, c.key) for c in cells):
        notes.append("some of them follow a baseline: give its cells the longer budget first")
    return Censored(str(folder), event, len(own), cells, commands, notes)


def _superseded(tables: Tables) -> set[str]:
    """Keys of the runs for whose trajectory more steps were asked for."""
    every = pd.concat([tables.cells, tables.left_out], ignore_index=True)
    longest = every.groupby(trajectories.numbers(every))["steps"].transform("max")
    return {*every.loc[every["steps"] < longest, "key"]}


def _follows(tables: Tables, key: str) -> bool:
    own = tables.cells.loc[tables.cells["key"] == key, "intervention.trajectory"]
    return bool(own.notna().any())


def text(found: Censored) -> str:
    """The list and the commands, for people."""
    lines = [
        f"{found.folder}: {len(found.cells)} of {found.runs} cells did not reach {found.event}",
        *found.notes,
    ]
    if not found.cells:
        return "\n".join(lines)
    rows = [(c.key, c.label, f"{c.last:,}", f"{c.budget:,}") for c in found.cells]
    table = tabulate(
        rows, ["key", "cell", "last step", "budget"], disable_numparse=True,
        colalign=("left", "left", "right", "right"),
    )  # fmt: skip
    one = len(found.commands) == 1
    return "\n".join(
        [
            *lines, "", table, "",
            f"{'this command gives' if one else 'these commands give'} exactly these cells twice "
            "their budget; add hydra.launcher.dry_run=true to see what it saves",
            *found.commands,
        ]
    )  # fmt: skip
