"""What became of a cell, and how a user is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from grokpipe import runlog
from grokpipe.curves.events import Event, run_events
from grokpipe.tasks import Task

SHOWN = {
    "images": ("tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1"),
    "tokens": ("t_mem", "t_grok", "t_grok_sustained", "tau2_half"),
}
"""the times that the papers on each kind of task speak of; analysis has all of them"""


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


def read_outcome(log: Path, label: str, task: Task, budget: int) -> Outcome:
    """The outcome of the run log `log`; `budget` is its steps. A cell without a result is one that
    another process trains."""
    running = {"state": "running", "reason": "in another process"}
    result = runlog.read_result(log) or running
    curves = runlog.read_curves(log)
    known = len(curves) and result["state"] != "failed"
    events = {}
    if len(curves):
        finished = result["state"] == "done"
        columns = {str(name): curves[name].to_numpy() for name in curves}
        events = run_events(columns, 1 / task.classes, budget, finished)
    return Outcome(
        key=log.name,
        folder=log,
        label=label,
        state=result["state"],
        reason=result["reason"],
        events=events,
        test_accuracy=float(curves["test_accuracy"].iloc[-1]) if known else float("nan"),
        shown=SHOWN["tokens" if task.vocabulary else "images"],
    )


def _time(event: Event | None) -> str:
    """A time to event for people: the step, or that it lies beyond the last one."""
    if event is None:
        return "–"
    return f"{event.step:,.0f}" if event.observed else f"> {event.step:,.0f}"


def finished_line(place: str, outcome: Outcome, skipped: bool) -> str:
    times = "  ".join(f"{name} {_time(outcome.events.get(name))}" for name in outcome.shown[:3])
    state = f"{outcome.state}{' already' if skipped else ''}"
    why = "" if outcome.state == "done" else f" ({outcome.reason})"
    return f"{place}: {state}{why}  {times}  test accuracy {outcome.test_accuracy:.3f}"


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
