"""Progress of one pack: a live line on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_EVERY = 30.0  # seconds between plain lines


class RunProgress:
    """Shows the progress of one pack on `console`, and passes it to other processes by `publish`.

    `update` is cheap and may be called often.
    """

    def __init__(
        self,
        label: str,
        steps: int,
        console: Console,
        enabled: bool = True,
        publish: Callable[..., None] = lambda **progress: None,
    ):
        self.label = label
        self.steps = steps
        self.console = console
        self.enabled = enabled
        self.publish = publish
        self._accuracies: dict[int, tuple[float, float]] = {}
        self._begun: tuple[float, int] | None = None
        self._printed = time.monotonic()
        self._live: Progress | None = None

    def __enter__(self) -> "RunProgress":
        if self.enabled and self.console.is_terminal:
            self._live = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[detail]}", markup=False),
                TimeRemainingColumn(compact=True),
                console=self.console,
                transient=True,
            )
            self._task = self._live.add_task(self.label, total=self.steps, detail="")
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def evaluated(self, cell: int, row: dict[str, float]) -> None:
        """Update the accuracies of a cell; the progress line shows their means over the cells."""
        self._accuracies[cell] = (row["train_accuracy"], row["test_accuracy"])

    def note(self, text: str) -> None:
        """Print a line about this pack."""
        if self.enabled:
            self._say(f"{self.label}: {text}")

    def update(self, step: int, active: int) -> None:
        """Show that `step` is reached, with that many active cells."""
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, step)
        begun, first = self._begun
        rate = (step - first) / (now - begun) if now > begun else 0.0
        self.publish(step=step, steps=self.steps, cells=active, rate=rate * active)
        if not self.enabled:
            return
        detail = f"{step:,}/{self.steps:,}  {rate:,.0f} steps/s"
        if self._accuracies:
            columns = zip(*self._accuracies.values(), strict=True)
            train, test = (sum(values) / len(self._accuracies) for values in columns)
            detail += f"  train {train:.3f} test {test:.3f}"
        if self._live is not None:
            self._live.update(self._task, completed=step, detail=detail)
        elif now - self._printed >= PLAIN_EVERY:
            self._printed = now
            left = f"  {(self.steps - step) / rate:,.0f} s left" if rate else ""
            self._say(f"{self.label}: {detail}{left}")

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
