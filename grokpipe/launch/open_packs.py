"""State of a sweep's unfinished packs, read from disk."""

from collections.abc import Sequence
from typing import Any

from grokpipe.launch import pack_plan
from grokpipe.launch.pack_plan import Plan
from grokpipe.store import lease, manifest


class Packs:
    """The packs of a sweep, whichever process trains them: unfinished, running and ended."""

    def __init__(self, plans: Sequence[Plan]):
        self.open = {plan.id: plan for plan in plans}
        self.running: dict[str, dict[str, Any]] = {}
        """the live leases, by pack"""
        self.ended: set[str] = set()
        """keys of cells"""
        self.cells = {key: plan.configs[i]["steps"] for plan in plans
                      for i, key in enumerate(plan.keys)}  # fmt: skip
        """their steps"""
        self.states = dict.fromkeys(self.cells, manifest.MISSING)
        """by key of the cell, as of the last refresh"""

    def refresh(self) -> list[str]:
        """Read the disk; return the keys of the cells that have ended since the last call."""
        news: list[str] = []
        for plan in [*self.open.values()]:
            self._set_holder(plan, lease.read_live(plan.lease))
            training = plan.keys if plan.id in self.running else ()
            going = [key for key in plan.keys if key not in self.ended]
            states = manifest.states(plan.folder, going, training)
            self.states |= states
            ended = {key: state for key, state in states.items() if state in manifest.ENDED}
            self.ended |= ended.keys()
            news += ended
            if self.ended.issuperset(plan.keys):
                self._close(plan)
            elif not plan.file.exists():  # split
                self._close(plan)
                for part in pack_plan.on_disk(plan.folder):
                    if set(part.keys) < set(plan.keys) and not self.ended.issuperset(part.keys):
                        self.open[part.id] = part
        return news

    def waiting(self) -> list[Plan]:
        """Unfinished packs that no process trains."""
        return [plan for plan in self.open.values() if plan.id not in self.running]

    def _set_holder(self, plan: Plan, held: dict[str, Any] | None) -> None:
        if held is None:
            self.running.pop(plan.id, None)
        else:
            self.running[plan.id] = held

    def _close(self, plan: Plan) -> None:
        del self.open[plan.id]
        self.running.pop(plan.id, None)
