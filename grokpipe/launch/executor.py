"""Where packs train: in this process, in processes of this machine, or as SLURM jobs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # settings.py is read without PyTorch
    from grokpipe.cell import Cell
    from grokpipe.launch.outcomes import Teller
    from grokpipe.launch.pack_plan import Place, Plan


class Executor(Protocol):
    """What a launcher hands packs to."""

    dry_run: bool
    """tell what would run, and submit nothing"""

    def place(self, cells: Sequence["Cell"]) -> "Place":
        """Where these unfinished cells would train. Raises InputError."""

    def describe(self, packs: int, place: "Place") -> str:
        """How it would train so many packs, in a line."""

    def run(self, plans: Sequence["Plan"], tell: "Teller") -> bool:
        """Trains the packs; False if it returned before their end, as it was told to. Raises
        Interrupted, and GaveUp if there are packs that no process gets to train."""
