"""Train packs one after another in this process."""

from collections.abc import Sequence

import torch

from grokpipe.cell import Cell
from grokpipe.config.names import counted
from grokpipe.errors import Interrupted
from grokpipe.executors.settings import SerialSettings
from grokpipe.launch.outcomes import SweepReporter
from grokpipe.launch.pack_plan import Place, Plan
from grokpipe.launch.signals import stop_requests
from grokpipe.launch.worker import work
from grokpipe.training import memory
from grokpipe.training.device import cores, device_of


class Serial(SerialSettings):
    """Executor for the launcher `serial`, and for a single cell."""

    def place(self, cells: Sequence[Cell]) -> Place:
        config = cells[0].config
        device = device_of(config.device)
        threads = config.threads or (1 if device.type == "cpu" else torch.get_num_threads())
        return Place(device.type, 1, threads, memory.free_bytes(device), cores())

    def describe(self, packs: int, place: Place) -> str:
        how = "one after another in this process" if packs > 1 else "in this process"
        return f"{how}, with {counted(place.threads, 'thread')}"

    def run(self, plans: Sequence[Plan], reporter: SweepReporter) -> bool:
        with stop_requests() as stop:
            for plan in plans:
                try:
                    work([plan.file], stop, reporter.console)
                except Interrupted as interrupted:
                    message = f"{interrupted}; the same command resumes from there"
                    raise Interrupted(message) from interrupted
                for key in plan.keys:
                    reporter.ended(key)
        return True
