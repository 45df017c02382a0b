"""Somebody else's network and training loop, watched by the monitor.

A small network learns a + b mod 23 from 70 % of the pairs with AdamW; it fits its
training pairs at once and the rest much later. Nothing here is grokpipe's but the monitor.

    python examples/monitor.py
"""

import torch
from torch import nn

from grokpipe.monitor import SpectralEntropyMonitor

P, WIDTH, STEPS, EVERY = 23, 64, 2500, 100


class Pairs(nn.Module):
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


def accuracy(model: nn.Module, pairs: torch.Tensor, labels: torch.Tensor) -> float:
    with torch.no_grad():
        return (model(pairs).argmax(1) == labels).float().mean().item()


def main() -> None:
    torch.manual_seed(0)
    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    labels = pairs.sum(1) % P
    order = torch.randperm(len(pairs))
    train, test = order[: int(0.7 * len(order))], order[int(0.7 * len(order)) :]
    model = Pairs()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=2.0)

    monitor = SpectralEntropyMonitor(
        probe=pairs[train[:256]],  # fixed, and more samples than the features have dimensions
        features=lambda network, probe: network.features(probe),
        threshold=0.6,  # of another task: pilot runs of this one would tell (calibrate)
    )
    told = ""
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            state = monitor.update(
                step,
                model,
                train_accuracy=accuracy(model, pairs[train], labels[train]),
                test_accuracy=accuracy(model, pairs[test], labels[test]),
            )
            if state.phase != told:
                told = state.phase
                print(state)
            if state.should_stop:
                break
        loss = nn.functional.cross_entropy(model(pairs[train]), labels[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"test accuracy {accuracy(model, pairs[test], labels[test]):.2f}")


if __name__ == "__main__":
    main()
