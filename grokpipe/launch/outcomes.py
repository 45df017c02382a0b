"""What became of a cell, and how a user is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from tabulate import tabulate

from grokpipe.cell import Cell
from grokpipe.curves.events import CROSSINGS, Event, run_events
from grokpipe.launch.pack_plan import Plan
from grokpipe.store import manifest, run_log

SHOWN = {
    "images": ("tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1"),
    "tokens": ("t_mem", "t_grok", "t_grok_sustained", "tau2_half"),
}
"""the times that the papers on each kind of task speak of; analysis has all of them"""

EVENT_COLUMNS = ["step", *dict.fromkeys(crossing.column for crossing in CROSSINGS.values())]


@dataclass(frozen=True)
class Outcome:
    """What became of one cell."""

    key: str
    folder: Path
    label: str
    state: str
    reason: str
    events: dict[str, Event]
    test_accuracy: float
    """at the last evaluation; NaN if the cell failed"""
    shown: tuple[str, ...]
    """names of the events that its kind of task is judged by"""


def read_outcome(log: Path, label: str, cell: Cell) -> Outcome:
    """What the run log `log` of that cell says. A cell without a result is one that another process
    trains, or that was left unfinished."""
    result = run_log.read_result(log) or {"state": "unfinished", "reason": "not at its end"}
    curves = run_log.read_columns(log, EVENT_COLUMNS)
    known = len(curves.get("step", ())) > 0
    events = {}
    if known:
        finished = result["state"] == "done"
        events = run_events(curves, 1 / cell.classes, cell.config.steps, finished)
    accurate = known and result["state"] != "failed"
    return Outcome(
        key=log.name,
        folder=log,
        label=label,
        state=result["state"],
        reason=result["reason"],
        events=events,
        test_accuracy=float(curves["test_accuracy"][-1]) if accurate else float("nan"),
        shown=SHOWN["tokens" if cell.tokens else "images"],
    )


class SweepReporter:
    """Says what became of each cell of a sweep, as they end."""

    def __init__(
        self, cells: Sequence[Cell], labels: Sequence[str], done: set[str], console: Console
    ):
        self.cells = {cell.key: cell for cell in cells}
        self.names = {cell.key: label for cell, label in zip(cells, labels, strict=True)}
        self.places = {key: i for i, key in enumerate(self.cells, 1)}
        self.console = console
        if done and len(self.cells) > 1:
            self.say(f"{len(done)} of {len(self.cells)} cells are done already")

    def outcome(self, cell: Cell) -> Outcome:
        folder = Path(cell.config.outputs) / cell.config.name
        log = manifest.cells_folder(folder) / cell.key
        return read_outcome(log, self.names[cell.key], cell)

    def ended(self, key: str) -> None:
        """A line for a cell of the sweep; its pack may hold others."""
        if len(self.cells) > 1 and key in self.cells:
            self.say(finished_line(self._place(key), self.outcome(self.cells[key])))

    def label(self, plan: Plan) -> str:
        """What the progress of a pack is called."""
        ours = [key for key in plan.keys if key in self.cells]
        if len(plan.keys) == 1 or not ours:
            return (self._place(ours[0]) if ours else plan.id[:8]) or "training"
        return f"{self._place(ours[0])} and {len(plan.keys) - 1} more".lstrip()

    def _place(self, key: str) -> str:
        if len(self.cells) == 1:
            return ""
        return f"{self.places[key]}/{len(self.cells)} {self.names[key]}".rstrip()

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _time(event: Event | None) -> str:
    """A time to event for people: the step, or that it lies beyond the last one."""
    if event is None:
        return "–"
    return f"{event.step:,.0f}" if event.observed else f"> {event.step:,.0f}"


def finished_line(place: str, outcome: Outcome) -> str:
    times = "  ".join(f"{name} {_time(outcome.events.get(name))}" for name in outcome.shown[:3])
    why = "" if outcome.state == "done" else f" ({outcome.reason})"
    return f"{place}: {outcome.state}{why}  {times}  test accuracy {outcome.test_accuracy:.3f}"


def sweep_table(outcomes: Sequence[Outcome]) -> str:
    """Plain times per cell; medians and tests are the work of `python -m analysis`."""
    shown = list(dict.fromkeys(name for outcome in outcomes for name in outcome.shown))
    rows = [
        [
            outcome.label,
            outcome.state,
            *(_time(outcome.events.get(name)) for name in shown),
            outcome.key,
        ]
        for outcome in outcomes
    ]
    aligned = ("left", "left", *["right"] * len(shown), "left")
    headers = ("cell", "state", *shown, "key")
    table = tabulate(rows, headers, colalign=aligned, disable_numparse=True)
    folders = ", ".join(sorted({f"{outcome.folder.parent}/<key>" for outcome in outcomes}))
    return f"\n{table}\n\ntimes in steps; run logs: {folders}"


def summary(outcome: Outcome, skipped: bool) -> str:
    """What a user wants to know of a single cell."""
    already = " already, nothing was run" if skipped else ""
    rows = [
        [name, _time(event), f"{event.lower:,.0f} – {event.upper:,.0f}" if event.observed else ""]
        for name in outcome.shown
        if (event := outcome.events.get(name))
    ]
    aligned = ("left", "right", "right")
    headers = ("event", "step", "between")
    table = tabulate(rows, headers, colalign=aligned, disable_numparse=True) if rows else ""
    return (
        f"{outcome.state}{already} ({outcome.reason}): test accuracy {outcome.test_accuracy:.4f}\n"
        f"{table}\nrun log: {outcome.folder}"
    )
