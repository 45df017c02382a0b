"""Use the monitor in an ordinary PyTorch training loop.

A small network learns a + b mod 23 from 70 % of the pairs with AdamW; it fits its training pairs
at once and the rest much later. Two pilot runs calibrate the monitor, which then follows a third
and stops. Only the monitor comes from grokpipe.

    python examples/monitor.py
"""

from collections.abc import Iterator

import torch
from torch import nn

from grokpipe.monitor.monitor import SpectralEntropyMonitor, State

P, WIDTH, STEPS, EVERY = 23, 64, 4000, 100
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))
ORDER = torch.randperm(len(PAIRS), generator=torch.Generator().manual_seed(0))
TRAIN, TEST = PAIRS[ORDER[:370]], PAIRS[ORDER[370:]]
PROBE = TRAIN[:256]  # fixed, and more samples than the features have dimensions


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(P, WIDTH)
        self.hidden = nn.Sequential(nn.Linear(2 * WIDTH, 256), nn.ReLU(), nn.Linear(256, WIDTH))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, P)

    def features(self, pairs: torch.Tensor) -> torch.Tensor:
        return self.norm(self.hidden(self.embedding(pairs).flatten(1)))

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(pairs))


def accuracy(model: nn.Module, pairs: torch.Tensor) -> float:
    with torch.no_grad():
        return (model(pairs).argmax(1) == pairs.sum(1) % P).float().mean().item()


def training(seed: int, monitor: SpectralEntropyMonitor) -> Iterator[State]:
    """Train a network, and yield the monitor's state every 100 steps."""
    torch.manual_seed(seed)
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=2.0)
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            yield monitor.update(
                step,
                model,
                train_accuracy=accuracy(model, TRAIN),
                test_accuracy=accuracy(model, TEST),
            )
        loss = nn.functional.cross_entropy(model(TRAIN), TRAIN.sum(1) % P)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main() -> None:
    histories = []
    for seed in (1, 2):
        pilot = SpectralEntropyMonitor(PROBE, Network.features, threshold=0.6)  # of another task
        for state in training(seed, pilot):
            if state.phase == "grokked":
                break
        print(f"pilot run, seed {seed}: {state}")
        histories.append(pilot.history)

    monitor = SpectralEntropyMonitor.calibrate(histories, PROBE, Network.features)
    calibration = monitor.calibration
    low, high = calibration.lower, calibration.upper
    print(f"threshold {calibration.threshold:.3f}, 95 % interval {low:.3f} to {high:.3f}")

    shown = ""
    for state in training(0, monitor):
        if state.phase != shown or state.should_stop:
            shown = state.phase
            print(state)
        if state.should_stop:
            break
    print(f"test accuracy {monitor.history['test_accuracy'].iloc[-1]:.2f}")


if __name__ == "__main__":
    main()
