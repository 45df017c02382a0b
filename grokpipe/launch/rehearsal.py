"""Try components of installed packages on one cell before anything is written or submitted."""

from collections.abc import Sequence

from grokpipe.cell import Cell
from grokpipe.config import blame, registry
from grokpipe.config.schema import GROUPS, Config
from grokpipe.errors import InputError
from grokpipe.interventions import _checks as interventions
from grokpipe.launch import baselines
from grokpipe.provenance import fingerprint
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack

STEPS = 2


def rehearse(cells: Sequence[Cell]) -> None:
    """Train and evaluate the first cell of each trajectory that uses an installed component.

    A trajectory whose fingerprint is known has been tried before. Raises InputError for whatever
    the component raises, in one line that names it.
    """
    tried: set[str] = set()
    for cell in cells:
        if not uses_installed(cell.config) or baselines.follows(cell.config):
            continue
        trajectory = fingerprint.trajectory(cell.config)
        if trajectory not in tried and fingerprint.known(trajectory) is None:
            _try(cell)
        tried.add(trajectory)


def uses_installed(config: Config) -> bool:
    """Whether a component of the configuration comes from another package."""
    chosen = [(package, getattr(config, group).name) for group, package in GROUPS.items()]
    chosen += [("measures", name) for name in config.measures.all]
    return any(registry.is_installed(package, name) for package, name in chosen)


def _try(cell: Cell) -> None:
    try:
        interventions.check(Pack([cell]).intervention, cell.config.intervention.name, cells=1)
        pack = Pack([cell, cell])  # stacked, whatever the order of its steps will be
        evaluator = Evaluator.of(cell.config, pack.tasks[0])
        row = evaluator.row(pack.outputs(0))
        pack.advance(min(STEPS, cell.config.steps))
        pack.observe(0, {"step": 0, **row})
        pack.intervene()
        evaluator.row(pack.outputs(0))
    except InputError:
        raise
    except Exception as error:
        raise InputError(blame.refusal(error, cell.config)) from error
