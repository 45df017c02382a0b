"""Find the shorter runs that longer ones continue: the parents of a sweep's cells."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grokpipe.cell import Cell
from grokpipe.launch.pack_plan import Plan, pack_id
from grokpipe.provenance.fingerprint import fingerprint
from grokpipe.store import files, manifest, run_log
from grokpipe.training.continuation import Continuation, continuation, followed, following

MACHINE = (
    *("host", "processor", "threads", "device", "order", "compiled", "products", "subnormals"),
)
"""entries of provenance.json that must agree for results to be equal to the bit, besides versions
and code"""


@dataclass
class Parents:
    """The shorter runs that cells continue, and why other cells begin anew."""

    of: dict[str, Continuation] = field(default_factory=dict)
    """by the key of the longer cell"""
    anew: dict[str, str] = field(default_factory=dict)
    """why a cell does not continue its shorter run, by its key"""

    def saved(self, key: str) -> int:
        """Steps that the cell need not train."""
        return self.of[key].step if key in self.of else 0

    def left(self, cell: Cell) -> int:
        """Steps that the cell trains at most."""
        source = self.of.get(cell.key)
        return 0 if source and source.ended else cell.config.steps - self.saved(cell.key)

    def lines(self, cells: Mapping[str, Cell]) -> list[str]:
        """Lines for the user on these cells."""
        lines = []
        if going := [key for key in cells if key in self.of]:
            saved = sum(map(self.saved, going))
            total = sum(cell.config.steps for cell in cells.values())
            lines.append(
                f"{_cells(len(going), 'goes', 'go')} on from shorter runs: {saved:,} of {total:,} "
                "seed-steps saved"
            )
        reasons = Counter(self.anew[key] for key in cells if key in self.anew)
        return lines + [
            f"{_cells(n, 'begins', 'begin')} anew, though there is a shorter run: {why}"
            for why, n in reasons.items()
        ]


def find(folder: Path, cells: Mapping[str, Cell]) -> Parents:
    """Find the longest run of `folder` that each of these cells can continue.

    None is continued with force=true, which trains everything again.
    """
    found = Parents()
    lengths = manifest.read_columns(folder, ("steps", "eval.budget", "intervention.trajectory"))
    for key, cell in cells.items():
        if cell.config.force:
            continue
        for parent in _shorter(cell, lengths):
            log = manifest.cells_folder(folder) / parent.key
            if run_log.state(log) not in manifest.FINISHED:
                continue
            source = continued(cell, log)
            if isinstance(source, Continuation):
                found.of[key] = source
                found.anew.pop(key, None)
                break
            found.anew.setdefault(key, source)
    return found


def _shorter(cell: Cell, lengths: set[tuple[Any, ...]]) -> Iterator[Cell]:
    """Cells that differ from `cell` by fewer steps, the longest first; by the budget that spaces
    their evaluations and by the trajectory that they follow they may differ too."""
    config = cell.config
    shorter = {(int(s), b, t) for s, b, t in lengths if s is not None and s < config.steps}
    own = followed(config)
    for steps, budget, trajectory in sorted(
        shorter, key=lambda length: (-length[0], length[1] != config.eval.budget, length[2] != own)
    ):
        if (trajectory is None) == (own is None):
            spaced = replace(config.eval, budget=None if budget is None else int(budget))
            other = replace(following(config, trajectory), steps=steps, eval=spaced)
            yield replace(cell, config=other)


def continued(cell: Cell, log: Path) -> Continuation | str:
    """Continue the finished run `log`, or say why `cell` must begin anew."""
    if not log.is_dir():
        return "the shorter run has gone"
    result, config = run_log.read_result(log), cell.config
    if followed(config) is not None:  # the fingerprint knows which trajectory it was
        config = following(config, run_log.read_config(log)["intervention"]["trajectory"])
    try:
        code = fingerprint(config)
    except Exception as error:  # training raises it again, as the cell's outcome
        return f"its code cannot be checked: {error}".splitlines()[0]
    if result is None or result.get("code") != code:
        return "it was trained by other code"
    return continuation(cell, log)


def of_plan(plan: Plan, cells: Sequence[Cell]) -> list[Continuation] | str:
    """The shorter runs that the cells of a pack continue, empty if they continue none; or why the
    pack must begin at step 0 after all."""
    sources = []
    for cell, key in zip(cells, plan.parents, strict=False):
        source = continued(cell, manifest.cells_folder(plan.folder) / key)
        if isinstance(source, str):
            return source
        sources.append(source)
    return sources


def lineage(
    source: Continuation, sources: Sequence[Continuation], origin: Mapping[str, Any]
) -> dict[str, Any]:
    """Facts on one continuation for provenance.

    `differs` names what differs between the pack that trained the parent and the present one, of
    provenance `origin`, which continues `sources`: nothing if the cell's result is equal to the bit
    to that of a run from the start in the present pack; otherwise they are equal to rounding.
    """
    before = files.read_json(source.log / run_log.PROVENANCE)
    pack = pack_id([source.parent for source in sources])
    differs: dict[str, None] = {}
    for session in [before, *before.get("resumed", [])]:
        if session.get("pack") != pack:
            differs["pack"] = None
        differs |= dict.fromkeys(n for n in MACHINE if session.get(n) != origin.get(n))
        theirs, ours = session.get("versions", {}), origin["versions"]
        differs |= dict.fromkeys(n for n in ("torch", "numpy") if theirs.get(n) != ours.get(n))
        if session.get("parent", {}).get("differs"):
            differs["parent"] = None
    return {
        "key": source.parent,
        "step": source.step,
        "rows": len(source.kept),
        "equal": "to rounding" if differs else "to the bit",
        "differs": [*differs],
    }


def _cells(count: int, one: str, more: str) -> str:
    return f"{count:,} cell {one}" if count == 1 else f"{count:,} cells {more}"
