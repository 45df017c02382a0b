"""Which packs hold the cells that are asked for: those fixed before, then new ones."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from grokpipe.cell import Cell
from grokpipe.errors import InputError
from grokpipe.launch import pack_plan
from grokpipe.launch.pack_plan import WIDTH, Place, Plan
from grokpipe.store import lease, manifest


def known_plans(folder: Path, missing: Mapping[str, Cell]) -> tuple[list[Plan], dict[str, Cell]]:
    """The packs on disk that hold unfinished cells, and the cells that no pack holds."""
    plans: list[Plan] = []
    left = dict(missing)
    seen: set[str] = set()
    for plan in sorted(pack_plan.on_disk(folder), key=lambda plan: len(plan.keys)):
        whole_of_halves = not seen.isdisjoint(plan.keys)  # left behind as it was split
        seen |= set(plan.keys)
        if whole_of_halves or left.keys().isdisjoint(plan.keys) or not plan.configs:
            continue
        left = {key: cell for key, cell in left.items() if key not in plan.keys}
        plans.append(plan)
    return plans, left


def new_packs(cells: Mapping[str, Cell], place: Place) -> tuple[list[list[Cell]], list[str]]:
    """Unplanned cells, grouped into packs for that place, and what a user must be told of it."""
    width = min(WIDTH[place.device], -(-len(cells) // place.slots))
    packs, told = [], []
    for group in pack_plan.groups(cells.values()):
        parts, note = pack_plan.parts(group, width, place)
        packs += parts
        told += [note] if note else []
    return packs, told


def fix(folder: Path, missing: Mapping[str, Cell], place: Place) -> tuple[list[Plan], list[str]]:
    """The packs of these unfinished cells, on disk from now on, and what a user must be told.

    All are fixed before the first is trained, so that another process with the same cells, now or
    later, finds the same packs.
    """
    plans, left = known_plans(folder, missing)
    plans = [_refreshed(plan, missing) for plan in plans]
    packs, told = new_packs(left, place)
    return plans + [pack_plan.new_plan(folder, cells, place.threads) for cells in packs], told


def _refreshed(plan: Plan, asked: Mapping[str, Cell]) -> Plan:
    """The plan with the operational values of this command, unless it is being trained; its
    scientific values cannot differ, for they make the keys."""
    if lease.living(plan.claim):
        return plan
    return pack_plan.with_configs(plan, asked)


def move_aside(folder: Path, cells: Mapping[str, Cell]) -> str | None:
    """Puts the finished ones among these cells where they are no longer found, for `force`; says
    where. Raises InputError if one shares an unfinished pack: that pack counts on it."""
    states = manifest.states(folder, cells)
    finished = {key for key, state in states.items() if state in (*manifest.FINISHED, "failed")}
    if not finished:
        return None
    packs = [plan for plan in pack_plan.on_disk(folder) if not finished.isdisjoint(plan.keys)]
    for plan in packs:
        if not all(
            state in manifest.ENDED for state in manifest.states(folder, plan.keys).values()
        ) or lease.living(plan.claim):
            raise InputError(
                f"force=true: a pack of {len(plan.keys)} cells is not finished; finish it first, "
                "with the same command and force=false"
            )
    aside = folder / "aside" / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    for part in ("cells", "packs"):
        (aside / part).mkdir(parents=True)
    for plan in packs:
        plan.file.rename(aside / "packs" / plan.file.name)
    for key in finished:
        (manifest.cells_folder(folder) / key).rename(aside / "cells" / key)
    return f"force=true: {len(finished)} run logs moved to {aside}"
