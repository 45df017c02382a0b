"""What a command shows beside its tables: notes, progress, the files that it wrote."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from analysis.output.notes import merged

T = TypeVar("T")


def track(title: str) -> Callable[[Sequence[T]], Iterable[T]]:
    """A progress bar over slow tasks, shown on a terminal only."""

    def tracked(tasks: Sequence[T]) -> Iterable[T]:
        from rich.console import Console
        from rich.progress import track as of_rich

        console = Console(stderr=True)
        return of_rich(
            tasks, title, console=console, transient=True, disable=not console.is_terminal
        )

    return tracked


def print_notes(notes: Iterable[str]) -> None:
    for note in merged(notes):
        print(note, file=sys.stderr)


def print_written(paths: Iterable[Path]) -> None:
    """A line for each table and figure, with the endings of its files."""
    endings: dict[Path, list[str]] = {}
    for path in paths:
        endings.setdefault(path.with_suffix(""), []).append(path.suffix.removeprefix("."))
    print("\nwritten:")
    for name, several in endings.items():
        print(f"  {name}." + (f"{{{','.join(several)}}}" if len(several) > 1 else several[0]))
