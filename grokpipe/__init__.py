"""grokpipe: experiments on delayed generalisation ("grokking").

`import grokpipe` does not import PyTorch, so that the analysis can do without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grokpipe.saved_run import SavedRun


def load(folder: str | Path) -> "SavedRun":
    """Load a cell's run log: configuration, curves and, if it was kept, the trained module.

    Raises InputError if `folder` is not a run log. Runs no code from the folder.
    """
    from grokpipe.saved_run import load_run

    return load_run(Path(folder))
