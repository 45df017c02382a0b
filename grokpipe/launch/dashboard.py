"""Progress of a running sweep: a live table on a terminal, a plain line elsewhere."""

import platform
import time
from collections import Counter

from rich.live import Live
from rich.table import Table
from rich.text import Text

from grokpipe.config.names import counted
from grokpipe.launch.open_packs import Packs
from grokpipe.launch.outcomes import SweepReporter
from grokpipe.store import manifest
from grokpipe.training.progress import PLAIN_EVERY

ROWS = 12  # packs shown at once


class Dashboard:
    """Shows how many cells are in each state, in the words of `status`, seed-steps per second, time
    left, and the packs in training."""

    def __init__(self, reporter: SweepReporter, packs: Packs):
        self.reporter, self.packs = reporter, packs
        self._printed = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> "Dashboard":
        console = self.reporter.console
        if console.is_terminal and not console.quiet:
            self._live = Live(console=console, transient=True, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self) -> None:
        """Update the live table, or print a line if the last one is old enough."""
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
        elif time.monotonic() - self._printed >= PLAIN_EVERY:
            self._printed = time.monotonic()
            self.reporter.console.print(self.line(), highlight=False, markup=False, soft_wrap=True)

    def line(self) -> str:
        """Summarise the sweep in one line."""
        states = self.reporter.before | self.packs.states
        text = f"{counted(len(states), 'cell')}: {manifest.told(Counter(states.values()))}"
        running = self.packs.running.values()
        rate = sum(held.get("progress", {}).get("rate", 0.0) for held in running)
        if rate:
            text += f"; {rate:,.0f} seed-steps/s, {_duration(self._left() / rate)} left at most"
        return text

    def _left(self) -> float:
        """Seed-steps left for the unfinished cells, if none stops early."""
        steps = {key: s for key, s in self.packs.cells.items() if key not in self.packs.ended}
        left = float(sum(steps.values()))
        for plan_id, held in self.packs.running.items():
            progress = held.get("progress", {})
            keys = set(self.packs.open[plan_id].keys) - self.packs.ended
            left -= progress.get("step", 0) * len(keys)
        return left

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_row(Text(self.line()))
        for plan_id, held in [*self.packs.running.items()][:ROWS]:
            progress = held.get("progress")
            label = self.packs.open[plan_id].name
            done = (
                f"{progress['step']:,}/{progress['steps']:,} of "
                f"{counted(progress['cells'], 'cell')}, "
                f"{progress['rate']:,.0f} seed-steps/s"
                if progress
                else "starting"
            )
            elsewhere = "" if held["host"] == platform.node() else f" on {held['host']}"
            table.add_row(Text(f"  {label}: {done}{elsewhere}"))
        if (more := len(self.packs.running) - ROWS) > 0:
            table.add_row(Text(f"  and {counted(more, 'more pack')}"))
        return table


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
