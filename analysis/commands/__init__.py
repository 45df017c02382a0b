"""The commands of `python -m analysis`: one module each, with `HELP`, `add_arguments(parser)` and
`run(options)`, whose docstring is the command's description."""

from types import ModuleType

from analysis.commands import (
    adopt,
    compare,
    export,
    figures,
    fit,
    forecast,
    gather,
    order,
    paper,
    report,
    restore,
    status,
    synchrony,
    timescales,
    why,
)

ORDER = (
    adopt, gather, export, restore, status, timescales, compare, fit, forecast, order, synchrony,
    figures, report, paper, why,
)  # fmt: skip
COMMANDS: dict[str, ModuleType] = {module.__name__.rpartition(".")[2]: module for module in ORDER}
