"""The commands of `python -m analysis`: one module each, with `add_arguments(parser)` and
`run(options)`, whose docstring is the command's description."""

from importlib import import_module
from types import ModuleType

COMMANDS = {
    "adopt": "logs of other programs (CSV, Parquet, JSON, NumPy, TensorBoard, W&B) → tables",
    "gather": "run logs → curves.parquet and cells.parquet",
    "export": "run logs or gathered tables → csv, or event files of TensorBoard",
    "restore": "gathered tables → run logs, so that a grid continues on another machine",
    "status": "progress of the requested cells, or those that did not reach an event",
    "timescales": "times to events: medians with intervals, a row for each arm",
    "compare": "compare arms with a baseline: tests, differences and effects of times to an event",
    "fit": "power laws of times to events against weight decay or learning rate",
    "forecast": "how well curves predict the time until an event: laws, forecasts, rivals",
    "order": "which of several events, or changes of curves, comes first: by run, then over runs",
    "synchrony": "whether two curves change together: lags and rank correlations of runs",
    "figures": "logged columns over steps, by one swept column or two",
    "report": "each claim of a paper beside what the runs give, judged: one page, and Markdown",
    "reproduce": "a whole paper: train what is missing, remeasure, gather, report",
    "paper": "the commands that only one paper has, such as: entropy settings",
    "why": "the run logs, configuration and commits behind a figure or table",
}
"""each command's line in --help, which is shown without importing any of them"""


ELSEWHERE = {"reproduce": "analysis.reproduce.command"}
"""modules of commands outside of this package"""


def load(name: str) -> ModuleType:
    """Import the module of a command, and with it pandas and what else it needs."""
    return import_module(ELSEWHERE.get(name, f"{__name__}.{name}"))
