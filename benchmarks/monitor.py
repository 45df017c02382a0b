"""Time an update of the monitor against the model's own forward pass, on one thread.

python -m benchmarks.monitor [--store]

The probe has 512 samples, as in the paper; from d = 512 on it is no larger than d: the entropy is
capped by the rank and comes from the Gram matrix (capped=True). The training step beside it is that
of a feed-forward block d → 4d → d with AdamW on a batch of 512.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks._common import machine, show
from grokpipe.monitor.monitor import SpectralEntropyMonitor

SAMPLES = 512
WIDTHS = (128, 256, 512, 1024, 2048, 4096)
SECONDS = 2.0
"""duration for which each is repeated; the fastest counts, as the machine may be busy"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--store", action="store_true", help="keep as results/monitor.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row(d) for d in WIDTHS]
    result: dict[str, Any] = {"samples": SAMPLES, "threads": 1, "widths": rows}
    result["machine"] = machine() | {"torch": torch.__version__}
    show(result, "monitor", options.store)


def row(d: int) -> dict[str, Any]:
    torch.manual_seed(0)
    capped = d >= SAMPLES
    monitor = SpectralEntropyMonitor(threshold=0.61, capped=capped)
    features = torch.randn(SAMPLES, d)
    step = 0

    def update() -> None:
        nonlocal step
        step += 1
        monitor.observe(step, features, train_accuracy=1.0, test_accuracy=0.1, norm=30.0)

    model = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    batch = torch.randn(SAMPLES, d)

    def train() -> None:
        optimizer.zero_grad()
        (model(batch) - batch).square().mean().backward()
        optimizer.step()

    milliseconds, training = 1000 * fastest(update), 1000 * fastest(train)
    return {
        "d": d,
        "capped": capped,
        "update_ms": round(milliseconds, 3),
        "step_ms": round(training, 3),
        "share_of_a_step": round(milliseconds / training, 4),
    }


def fastest(call: Callable[[], None]) -> float:
    """Time the fastest of the calls that fit into SECONDS, at least three; in seconds."""
    times: list[float] = []
    while len(times) < 4 or sum(times) < SECONDS:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times[1:])


if __name__ == "__main__":
    main()
