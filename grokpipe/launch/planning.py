"""Plan the packs of the requested cells: existing ones first, then new ones."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from grokpipe.cell import Cell
from grokpipe.config import names
from grokpipe.errors import InputError
from grokpipe.launch import balance, pack_plan, parents
from grokpipe.launch.pack_plan import WIDTH, Place, Plan
from grokpipe.launch.parents import Parents
from grokpipe.store import lease, manifest
from grokpipe.training.continuation import Continuation
from grokpipe.training.device import idle_cores, thread_advice


def existing_plans(folder: Path, missing: Mapping[str, Cell]) -> tuple[list[Plan], dict[str, Cell]]:
    """Packs on disk that hold some of the `missing` cells, and the cells that no pack holds."""
    plans: list[Plan] = []
    left = dict(missing)
    seen: set[str] = set()
    for plan in sorted(pack_plan.on_disk(folder), key=lambda plan: len(plan.keys)):
        is_already_split = not seen.isdisjoint(
            plan.keys
        )  # a crash left the whole beside its halves
        seen |= set(plan.keys)
        if is_already_split or left.keys().isdisjoint(plan.keys) or not plan.configs:
            continue
        left = {key: cell for key, cell in left.items() if key not in plan.keys}
        plans.append(plan)
    return plans, left


def new_packs(
    cells: Mapping[str, Cell], place: Place, shorter: Parents
) -> tuple[list[list[Cell]], list[str]]:
    """Group unplanned cells into packs for that place; some of them continue `shorter` runs.

    The packs are such that all slots end at about one time, where they take the longest first.

    Returns the packs, the longest first, and notes for the user.
    """
    width = min(WIDTH[place.device], -(-len(cells) // place.slots))
    notes = [*_about_threads([*cells.values()], place), *shorter.lines(cells)]
    wholes = pack_plan.groups(cells.values())
    groups = [part for whole in wholes for part in by_start(whole, shorter.of)]
    fewest = []
    for group in groups:
        parts, note = pack_plan.parts(group, width, place)
        fewest.append(len(parts))
        notes += [note] if note else []

    def cost(cell: Cell) -> float:
        return float(shorter.left(cell) * cell.parameters)

    counts = balance.pack_counts(
        [*map(len, groups)], [max(map(cost, group)) for group in groups], fewest, place.slots
    )
    packs = [
        pack
        for group, count in zip(groups, counts, strict=True)
        for pack in pack_plan.cut(group, count)
    ]
    return sorted(packs, key=lambda pack: -sum(map(cost, pack))), notes


def _about_threads(cells: Sequence[Cell], place: Place) -> list[str]:
    """Advice on several threads a pack, where they were asked for and slow the training down."""
    asked = cells[0].config.threads if cells else None
    if asked is None or asked == 1 or place.cores is None or place.device != "cpu":
        return []
    processes = min(place.slots, len(cells))
    line = thread_advice(asked, processes, len(cells), place.cores, idle_cores())
    return [] if line is None else [line]


def by_start(group: Sequence[Cell], sources: Mapping[str, Continuation]) -> list[list[Cell]]:
    """Divide cells of equal shapes by the step at which they begin.

    Cells that end with their parents join those that begin last, beside which they were trained.
    """
    begins: dict[str, tuple[float, int]] = {  # first step and first row
        key: (source.step, len(source.kept)) for key, source in sources.items() if not source.ended
    }
    last = max((begins[c.key] for c in group if c.key in begins), default=(math.inf, 0))
    starts = begins | {key: last for key, source in sources.items() if source.ended}
    divided: dict[tuple[float, int], list[Cell]] = {}
    for cell in group:
        divided.setdefault(starts.get(cell.key, (0, 0)), []).append(cell)
    return [*divided.values()]


def plan_packs(
    folder: Path, missing: Mapping[str, Cell], place: Place
) -> tuple[list[Plan], list[str]]:
    """Write the plans of all packs for these unfinished cells.

    All are written before the first pack is trained, so that another process with the same cells,
    now or later, finds the same packs. Returns the plans, and notes for the user.
    """
    plans, left = existing_plans(folder, missing)
    plans = [_refreshed(plan, missing) for plan in plans]
    shorter = parents.find(folder, left)
    packs, notes = new_packs(left, place, shorter)
    varied = names.swept([cell.values for cell in missing.values()])
    for cells in packs:
        keys = [shorter.of[cell.key].parent for cell in cells if cell.key in shorter.of]
        plans.append(pack_plan.new_plan(folder, cells, place.threads, keys, varied))
    return plans, notes


def _refreshed(plan: Plan, asked: Mapping[str, Cell]) -> Plan:
    """Update the plan to the operational values of this command, unless it is in training.

    Scientific values cannot differ, since they enter the keys.
    """
    if lease.read_live(plan.lease):
        return plan
    return pack_plan.with_configs(plan, asked)


def move_aside(folder: Path, cells: Mapping[str, Cell]) -> str | None:
    """Move the run logs of finished cells out of the way, for force=true.

    Returns a line that says where they went, or None if no cell is finished. Raises InputError if
    one belongs to an unfinished pack, which still needs it.
    """
    states = manifest.states(folder, cells)
    finished = {key for key, state in states.items() if state in (*manifest.FINISHED, "failed")}
    if not finished:
        return None
    packs = [plan for plan in pack_plan.on_disk(folder) if not finished.isdisjoint(plan.keys)]
    for plan in packs:
        if not all(
            state in manifest.ENDED for state in manifest.states(folder, plan.keys).values()
        ) or lease.read_live(plan.lease):
            raise InputError(
                f"force=true: {plan.label} is not finished; finish it first, "
                "with the same command and force=false"
            )
    aside = folder / "aside" / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    for part in ("cells", "packs"):
        (aside / part).mkdir(parents=True)
    for plan in packs:
        plan.file.rename(aside / "packs" / plan.file.name)
    for key in finished:
        (manifest.cells_folder(folder) / key).rename(aside / "cells" / key)
    return f"force=true: {names.counted(len(finished), 'run log')} moved to {aside}"
