"""Measure steps per second of one cell that fits its training set, with subnormal numbers kept and
flushed to 0, in turns.

    python -m benchmarks.subnormals [--store]

The cell is the entropy paper's without weight decay. In training it takes tens of thousands of
steps until logits are so far apart that every gradient is subnormal; here the cell learns its
training set in some hundred steps, and its last layer is then scaled to that distance.
"""

import argparse
import copy
import time
from contextlib import nullcontext
from statistics import median

import torch
from hydra import compose, initialize_config_dir

from benchmarks._common import RESULTS, machine, show
from grokpipe.cell import Cell
from grokpipe.config.composing import CONF
from grokpipe.config.resolving import resolve
from grokpipe.config.schema import register
from grokpipe.training import numerics
from grokpipe.training.pack import Pack, initial_network

OVERRIDES = ("experiment=entropy/d2_failures", "task.fraction=0.1", "weight_decay=0")
LEARNING, STEPS, TURNS = 500, 10, 7
MARGIN = 92.0  # between the largest two logits: e^-92 is subnormal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", action="store_true", help=f"write into {RESULTS}")
    store = parser.parse_args().store
    torch.set_num_threads(1)
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cell = Cell.of(resolve(compose("config", list(OVERRIDES))))
    pack = Pack([cell])
    with numerics.flushed():
        pack.advance(LEARNING)
    scale_logits(pack)
    state = copy.deepcopy(pack.state_dict())
    rates: dict[str, list[float]] = {"kept": [], "flushed": []}
    for _ in range(TURNS):
        for name, of in rates.items():
            pack.load_state_dict(copy.deepcopy(state))
            with numerics.flushed() if name == "flushed" else nullcontext():
                of.append(rate(pack))
    steps_per_second = {name: round(median(of), 1) for name, of in rates.items()}
    ratios = [b / a for a, b in zip(rates["kept"], rates["flushed"], strict=True)]
    result = {**steps_per_second, "ratio": round(median(ratios), 2), "turns": TURNS}
    show({**result, "machine": machine() | {"torch": torch.__version__}}, "subnormals", store)


def scale_logits(pack: Pack) -> None:
    """Scale the head so that the median margin of the training set is MARGIN."""
    cell = pack.cells[0]
    network = initial_network(cell)
    network.load_state_dict(pack.cell_parameters(0))
    logits, _ = network(cell.task.inputs[cell.task.train])
    first, second = logits.topk(2).values.T
    factor = MARGIN / (first - second).median().item()
    for name in ("head.weight", "head.bias"):
        pack.parameters[name].mul_(factor)


def rate(pack: Pack) -> float:
    """Measure steps per second, without the first steps."""
    pack.advance(5)
    begun = time.perf_counter()
    pack.advance(STEPS)
    return STEPS / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
