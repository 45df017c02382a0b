"""The unfinished packs of a sweep, as the disk shows them."""

from collections.abc import Sequence
from typing import Any

from grokpipe.launch import pack_plan
from grokpipe.launch.pack_plan import Plan
from grokpipe.store import lease, manifest


class Packs:
    """What is known of packs that others train, from the disk."""

    def __init__(self, plans: Sequence[Plan]):
        self.open = {plan.id: plan for plan in plans}
        self.running: dict[str, dict[str, Any]] = {}
        """the living claims, by pack"""
        self.ended: set[str] = set()
        """keys of cells"""
        self.cells = {key: plan.configs[i]["steps"] for plan in plans
                      for i, key in enumerate(plan.keys)}  # fmt: skip
        """their steps"""
        self.states: dict[str, str] = {}

    def look(self) -> list[str]:
        """Looks at the disk; the cells that have ended since the last time."""
        news: list[str] = []
        for plan in [*self.open.values()]:
            found = lease.living(plan.claim)
            self._note(plan, found)
            states = manifest.states(plan.folder, [k for k in plan.keys if k not in self.ended])
            ended = {key: state for key, state in states.items() if state in manifest.ENDED}
            self.states |= ended
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
        """Unfinished packs that nobody trains."""
        return [plan for plan in self.open.values() if plan.id not in self.running]

    def _note(self, plan: Plan, claim: dict[str, Any] | None) -> None:
        if claim is None:
            self.running.pop(plan.id, None)
        else:
            self.running[plan.id] = claim

    def _close(self, plan: Plan) -> None:
        del self.open[plan.id]
        self.running.pop(plan.id, None)
