"""grokpipe: experiments on delayed generalisation.

`import grokpipe` alone does not import PyTorch, so that analysis can do without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grokpipe.saved_run import SavedRun


def load(folder: str | Path) -> "SavedRun":
    """A cell's run log as configuration, curves and, if it was kept, the trained plain module.

    Raises InputError if `folder` is not a run log. Runs no code from the folder.
    """
    from grokpipe.saved_run import load_run

    return load_run(Path(folder))
