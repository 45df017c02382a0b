"""Progress of a running sweep: a live table on a terminal, a plain line elsewhere."""

import time

from rich.live import Live
from rich.table import Table
from rich.text import Text

from grokpipe.launch.open_packs import Packs
from grokpipe.launch.outcomes import SweepReporter
from grokpipe.training.progress import PLAIN_EVERY

ROWS = 12  # packs shown at once


class Dashboard:
    """Shows cells done, running, waiting and failed, seed-steps per second, time left, and the
    packs in training."""

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
        packs = self.packs
        total = len(packs.cells)
        failed = [*packs.states.values()].count("failed")
        running = sum(
            len(set(plan.keys) - packs.ended)
            for plan in packs.open.values()
            if plan.id in packs.running
        )
        waiting = total - len(packs.ended) - running
        text = (
            f"{len(packs.ended) - failed}/{total} cells done, {running} running, "
            f"{waiting} waiting, {failed} failed"
        )
        rate = sum(held.get("progress", {}).get("rate", 0.0) for held in packs.running.values())
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
            label = self.reporter.label(self.packs.open[plan_id])
            done = (
                f"{progress['step']:,}/{progress['steps']:,} of {progress['cells']} cells, "
                f"{progress['rate']:,.0f} seed-steps/s"
                if progress
                else "starting"
            )
            table.add_row(Text(f"  {label}: {done} on {held['host']}"))
        if (more := len(self.packs.running) - ROWS) > 0:
            table.add_row(Text(f"  and {more} more packs"))
        return table


def _duration(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
