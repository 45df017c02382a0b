"""A folder with the runs of the made-up paper, and its report."""

from pathlib import Path

from analysis.report import contents, pages
from analysis.runs import gather
from analysis.runs.tables import write_gathered
from grokpipe.store import manifest
from tests.helpers import toy_paper
from tests.helpers.made_runs import write_run


def stored(folder: Path) -> Path:
    """Gathered tables of its baseline; the other experiment was not run."""
    for seed, groks_at in enumerate((100, 200, 300)):
        write_run(folder / "logs", seed, 0.3, groks_at)
    write_gathered(gather.read(folder / "logs"), folder / "runs" / "e1_baseline")
    return folder / "runs"


def logs(folder: Path) -> Path:
    """The same runs as run logs, asked for by the experiment, beside one of another."""
    for seed, groks_at in enumerate((100, 200, 300)):
        key = write_run(folder / "runs", seed, 0.3, groks_at).name
        manifest.record_asked(
            folder / "runs", [{"key": key, "experiment": "entropy/e1_baseline", "seed": seed}]
        )
    write_run(folder / "runs", 9, 0.1, 100)
    return folder / "runs"


def report(folder: Path) -> contents.Report:
    to = folder / "report"
    made = contents.build(toy_paper.read(), folder, to)
    pages.write(made, to)
    return made
