"""grokpipe: experiments on delayed generalisation ("grokking").

`import grokpipe` does not import PyTorch, so that the analysis can do without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokpipe.saved_run import SavedRun, SavedRuns


def load(folder: str | Path) -> "SavedRun":
    """Load a cell's run log: configuration, curves, data and, as far as they were kept, networks.

    Raises InputError if `folder` is not a run log. Runs no code from the folder.
    """
    from grokpipe.saved_run import load_run

    return load_run(Path(folder))


def load_all(outputs: str | Path, /, **wanted: Any) -> "SavedRuns":
    """Load the runs of a folder, in the order of their configuration, then their seed.

        for run in grokpipe.load_all("outputs/default", weight_decay=1.0, seed=[0, 1]):
            print(run, run.curves["test_accuracy"].iloc[-1])

    Args:
        outputs: a folder of run logs, `outputs/<name>`.
        wanted: values of the configuration, several as a list; dotted names as
            `**{"optimizer.lr": 0.001}`; a group stands for its choice (`intervention="mixing"`);
            `state="done"` leaves out what has not finished.

    Returns:
        a sequence that loads each run when it is reached.

    Raises:
        InputError: the folder has no run logs, a name is unknown, or no run matches; the message
            has the values that are there.
    """
    from grokpipe.saved_run import load_runs

    return load_runs(Path(outputs), wanted)
