"""Packs one after another in this process."""

from collections.abc import Sequence

import torch

from grokpipe import memory, packing
from grokpipe.cell import Cell
from grokpipe.errors import Interrupted
from grokpipe.executors.settings import SerialSettings
from grokpipe.outcome import Teller
from grokpipe.packing import Place, Plan
from grokpipe.signals import stop_requests
from grokpipe.worker import work


class Serial(SerialSettings):
    def place(self, cells: Sequence[Cell]) -> Place:
        config = cells[0].config
        device = packing.device(config.device)
        threads = config.threads or torch.get_num_threads()
        return Place(device.type, 1, threads, memory.free_bytes(device))

    def describe(self, packs: int, place: Place) -> str:
        return f"one after another in this process, {place.threads} threads"

    def run(self, plans: Sequence[Plan], tell: Teller) -> bool:
        with stop_requests() as stop:
            for plan in plans:
                try:
                    work([plan.file], stop, tell.console, tell.label)
                except Interrupted as interrupted:
                    told = f"{interrupted}; the same command goes on from there"
                    raise Interrupted(told) from interrupted
                for key in plan.keys:
                    tell.ended(key)
        return True
