"""Run logs with snapshots for tests: small packs, trained step by step."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from grokpipe.cell import Cell
from grokpipe.schedule import evaluation_steps, spaced_steps
from grokpipe.store import manifest, snapshots
from grokpipe.store.run_log import RunLog
from grokpipe.training.evaluate import Evaluator
from grokpipe.training.pack import Pack

REGULAR = "eval={schedule: regular, every: 2}"
KEPT = [0, 2, 4, 6, 12, 20]  # of 0, 2, …, 20: log:6


def train(
    cells: Sequence[Cell], folder: Path, keep: bool = True, until: int | None = None
) -> list[Path]:
    """Run logs in `folder` with snapshots, trained as one pack; unfinished if they end early."""
    logs = [RunLog(manifest.cells_folder(folder) / cell.key) for cell in cells]
    for cell, log in zip(cells, logs):
        log.start(asdict(cell.config), {"threads": 1})
    config, pack = cells[0].config, Pack(cells)
    evaluators = [Evaluator.of(cell.config, cell.task) for cell in cells]
    schedule = evaluation_steps(config.eval.schedule, config.eval.every, config.steps)
    kept = spaced_steps(6, schedule) if keep else []
    for step in [step for step in schedule if until is None or step <= until]:
        pack.advance(step - pack.step)
        for i, (log, evaluator) in enumerate(zip(logs, evaluators)):
            table = pack.outputs(i)
            log.append({"step": step, **evaluator.row(table)})
            if step in kept:
                snapshots.save(log.folder, step, table.state)
    if until is None:
        for log in logs:
            log.finish("done", config.steps, "reached its steps", 1.0)
    return [log.folder for log in logs]
