"""The interface of executors, which train packs in this process, in local ones or in SLURM jobs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # settings.py is read without PyTorch
    from grokpipe.cell import Cell
    from grokpipe.launch.outcomes import SweepReporter
    from grokpipe.launch.pack_plan import Place, Plan


class Executor(Protocol):
    """Trains the packs that a launcher hands over."""

    dry_run: bool
    """report what would run, and submit nothing"""

    def place(self, cells: Sequence["Cell"]) -> "Place":
        """Choose where these unfinished cells would train.

        Raises InputError for resources that are not available.
        """

    def describe(self, packs: int, place: "Place") -> str:
        """Describe in one line how that many packs would be trained."""

    def run(self, plans: Sequence["Plan"], reporter: "SweepReporter") -> bool:
        """Train the packs; False if it returns before their end, with wait=false.

        Raises Interrupted, and GaveUp if no process succeeds in training some of the packs.
        """
