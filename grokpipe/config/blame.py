"""Say which component of a configuration raised an exception, in one line."""

import textwrap
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from grokpipe.config import registry
from grokpipe.config.schema import GROUPS, Config

LONGEST = 200  # characters of a message that are shown
TRACED = ("DataDependentOutputException", "DynamicOutputShapeException")
"""PyTorch's errors about a traced program whose shapes or branches depend on values"""


def line(error: BaseException, config: Config) -> str | None:
    """Format an exception as `intervention=x: ValueError: … (x.py, line 12)`.

    Returns None if no code of the configuration's components was running when it was raised.
    """
    if (found := _place(error, config)) is None:
        cause = error.__cause__ or error.__context__
        return line(cause, config) if cause else None
    component, frame = found
    hint = "; a traced function cannot branch on values" if type(error).__name__ in TRACED else ""
    return f"{component}: {brief(error)}{hint} ({Path(frame.filename).name}, line {frame.lineno})"


def refusal(error: BaseException, config: Config) -> str:
    """Format an exception that ends a command before it trains, whoever raised it."""
    return f"{line(error, config) or brief(error)}; HYDRA_FULL_ERROR=1 shows the traceback"


def brief(error: BaseException) -> str:
    """Type and first line of the message of an exception, as much as a reader wants."""
    said = textwrap.shorten(str(error).strip().partition("\n")[0], LONGEST, placeholder=" …")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _place(error: BaseException, config: Config) -> tuple[str, traceback.FrameSummary] | None:
    """The component and the frame in its file that is nearest to where the error was raised."""
    chosen = list(components(config))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for name, module in chosen:
            folders = map(Path, getattr(module, "__path__", []))  # of a package
            if frame.filename == module.__file__ or any(
                Path(frame.filename).is_relative_to(folder) for folder in folders
            ):
                return name, frame
    return None


def components(config: Config) -> Iterator[tuple[str, ModuleType]]:
    """Yield each component of a configuration: its choice, such as task=mnist, and its module."""
    for group, package in GROUPS.items():
        name = getattr(config, group).name
        yield f"{group}={name}", registry.module(package, name, group)
    for name in config.measures.all:
        yield f"measure {name}", registry.module("measures", name, "measures.names")
