"""Outcomes of cells: their states and times, and how a user reads of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from grokpipe.cell import Cell
from grokpipe.config.names import counted
from grokpipe.curves import conditions, definitions
from grokpipe.curves.events import Event
from grokpipe.store import manifest, run_log, running


@dataclass(frozen=True)
class Outcome:
    """The outcome of one cell."""

    key: str
    folder: Path
    label: str
    state: str
    reason: str
    events: dict[str, Event]
    test_accuracy: float
    """at the last evaluation; NaN if the cell failed"""
    shown: tuple[str, ...]
    """names of the events that its task shows, and the condition of its stop rule"""


def read_outcome(log: Path, label: str, cell: Cell) -> Outcome:
    """The outcome of a cell, from its run log. A cell without a result is being trained by another
    process, or was left before its end."""
    folder = log.parent.parent
    state = manifest.states(folder, [log.name], running.keys(folder))[log.name]
    result = run_log.read_result(log) or {"state": state, "reason": "not at its end"}
    names = shown_events(cell)
    columns = dict.fromkeys(["step", "test_accuracy", *definitions.columns(names)])
    curves = run_log.read_columns(log, [*columns])
    known = len(curves.get("step", ())) > 0
    events = {}
    if known:
        finished = result["state"] == "done"
        events = definitions.run_events(
            curves, 1 / cell.classes, cell.config.steps, finished, names=names
        )
    accurate = known and result["state"] != "failed"
    return Outcome(
        key=log.name,
        folder=log,
        label=label,
        state=result["state"],
        reason=result["reason"],
        events=events,
        test_accuracy=float(curves["test_accuracy"][-1]) if accurate else float("nan"),
        shown=names,
    )


def shown_events(cell: Cell) -> tuple[str, ...]:
    """The events that the cell's task shows, as far as one run alone has them, and its stop rule if
    that is a condition."""
    kind = definitions.TASKS.get(cell.config.task.name, "tokens" if cell.tokens else "images")
    names = [name for name in definitions.SHOWN[kind] if not definitions.needs_others(name)]
    rule = cell.config.stop.event
    return (*names, *([rule] if rule and conditions.is_condition(rule) else []))


class SweepReporter:
    """Report the cells of a sweep as they end."""

    def __init__(
        self, cells: Sequence[Cell], labels: Sequence[str], done: set[str], console: Console
    ):
        self.cells = {cell.key: cell for cell in cells}
        self.names = {cell.key: label for cell, label in zip(cells, labels, strict=True)}
        self.console = console
        self.before = {
            key: state
            for cell in cells
            if (key := cell.key) in done
            for state in manifest.states(cell.folder, [key]).values()
        }
        """state of each cell that had ended before"""
        self.over = len(self.before)
        """number of cells that have ended"""
        if done and len(self.cells) > 1:
            states = Counter(self.before.values())
            more = "" if states.keys() == {"done"} else f" ({manifest.told(states)})"
            self.say(f"{len(done)} of {counted(len(self.cells), 'cell')} are done already{more}")

    def outcome(self, cell: Cell) -> Outcome:
        folder = Path(cell.config.outputs) / cell.config.name
        log = manifest.cells_folder(folder) / cell.key
        return read_outcome(log, self.names[cell.key], cell)

    def ended(self, key: str) -> None:
        """Print a line for a cell that ended; those of its pack that the sweep lacks have none."""
        if len(self.cells) > 1 and key in self.cells:
            self.over += 1
            place = f"{self.over}/{len(self.cells)} {self.names[key]}".rstrip()
            self.say(finished_line(place, self.outcome(self.cells[key])))

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _time(event: Event | None) -> str:
    """A time to event for people: the step, or a bound if it was not observed."""
    if event is None:
        return "–"
    return f"{event.step:,.0f}" if event.observed else f"> {event.step:,.0f}"


def finished_line(place: str, outcome: Outcome) -> str:
    times = "  ".join(f"{name} {_time(outcome.events.get(name))}" for name in outcome.shown[:3])
    why = "" if outcome.state == "done" else f" ({outcome.reason})"
    return f"{place}: {outcome.state}{why}  {times}  test accuracy {outcome.test_accuracy:.3f}"


def sweep_table(outcomes: Sequence[Outcome]) -> str:
    """The table that closes a sweep: times by cell; `python -m analysis` gives medians and tests.

    States have a column unless all cells are done, and events that a cell has: one whose column was
    not measured has none.
    """
    had = {name for outcome in outcomes for name in outcome.events}
    shown = list(dict.fromkeys(n for outcome in outcomes for n in outcome.shown if n in had))
    done = all(outcome.state == "done" for outcome in outcomes)
    columns = {
        "cell": [outcome.label for outcome in outcomes],
        **({} if done else {"state": [outcome.state for outcome in outcomes]}),
        **{name: [_time(outcome.events.get(name)) for outcome in outcomes] for name in shown},
        "key": [outcome.key for outcome in outcomes],
    }
    table = _aligned(columns, right=shown)
    folders = ", ".join(sorted({f"{outcome.folder.parent}/<key>" for outcome in outcomes}))
    states = Counter(outcome.state for outcome in outcomes)
    said = "all done; " if done else f"{manifest.told(states)}; "
    return f"\n{table}\n\n{said}times in steps; run logs: {folders}"


def _aligned(columns: Mapping[str, Sequence[str]], right: Collection[str]) -> str:
    """A table as narrow as its texts allow, the columns `right` aligned to the right."""
    lines = []
    for name, texts in columns.items():
        width = max(map(len, [name, *texts]))
        align = str.rjust if name in right else str.ljust
        lines.append([align(text, width) for text in (name, "-" * width, *texts)])
    return "\n".join("  ".join(parts).rstrip() for parts in zip(*lines, strict=True))


def summary(outcome: Outcome, skipped: bool) -> str:
    """State, times and folder of a single cell."""
    already = " already, nothing was run" if skipped else ""
    times = {name: time for name in outcome.shown if (time := outcome.events.get(name))}
    columns = {
        "event": [*times],
        "step": [_time(time) for time in times.values()],
        "between": [
            f"{time.lower:,.0f} – {time.upper:,.0f}" if time.observed else ""
            for time in times.values()
        ],
    }
    table = _aligned(columns, right=("step", "between")) if times else ""
    return (
        f"{outcome.state}{already} ({outcome.reason}): test accuracy {outcome.test_accuracy:.4f}\n"
        f"{table}\nrun log: {outcome.folder}"
    )
