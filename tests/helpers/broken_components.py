"""Components with one mistake each, as a package."""

from pathlib import Path

from tests.helpers import packages

INTERVENTION = """
import torch
from dataclasses import dataclass
from grokpipe.config.fields import scientific
from grokpipe.interventions import Plain
from grokpipe.randomness import generator

@dataclass(frozen=True)
class Config:
    name: str = scientific()
    share: float = scientific(at_least=0, below=1, per_cell=True, neutral=0.5)

class Stacked(Plain):
    def __init__(self, configs, shape, device):
        super().__init__(configs, shape, device)
        self.prepare()

    def prepare(self):
        pass

    def objective(self, batch, *arguments):
        (factor,) = arguments
        return factor * batch.loss(batch.logits)
"""
INTERVENTIONS = {
    "global_draws": """
    def arguments(self, step):
        return [torch.rand(len(self.configs))]
    """,
    "forgets_a_count": """
    def prepare(self):
        self.count = 0

    def arguments(self, step):
        self.count += 1
        return [self.per_cell("share") / self.count]
    """,
    "forgets_its_generators": """
    def prepare(self):
        self.draws = [generator(config.seed, "intervention") for config in self.configs]

    def arguments(self, step):
        return [torch.stack([torch.rand((), generator=draws) for draws in self.draws])]
    """,
    "state_without_cells": """
    def prepare(self):
        self.draws = generator(0, "intervention")

    def arguments(self, step):
        return [torch.rand(len(self.configs), generator=self.draws)]

    def state_dict(self):
        return {"draws": self.draws.get_state()}
    """,
    "one_generator": """
    def arguments(self, step):
        draws = generator(step, "intervention")
        return [torch.rand(len(self.configs), generator=draws)]
    """,
    "loses_a_row": """
    def prepare(self):
        self.sums = torch.zeros(len(self.configs), dtype=torch.float64)

    def arguments(self, step):
        self.sums = self.sums + self.per_cell("share")
        return [1 / self.sums]

    def state_dict(self):
        return {"sums": self.sums}

    def load_state_dict(self, state):
        if len(state["sums"]) > 1:
            self.sums = state["sums"].clone()
    """,
    "baked_step": """
    def arguments(self, step):
        self.step = step
        return [self.per_cell("share")]

    def objective(self, batch, *arguments):
        return (1 + self.step) * arguments[0] * batch.loss(batch.logits)
    """,
}

MEASURES = {
    "in_place": "snapshot.train.features.mul_(2)\nreturn {'x': 1.0}",
    "random": "return {'x': torch.rand(()).item()}",
    "raises": "f = snapshot.train_probe.T\nf = f @ f.T\nreturn {'x': f.inverse().sum().item()}",
    "left_out": "x = snapshot.train.logits.std().item()\nreturn {'x': x} if x else {}",
    "integer": "return {'x': len(snapshot.train.labels)}",
}

TASK = """
import torch
from dataclasses import dataclass
from grokpipe.config.fields import scientific
from grokpipe.tasks import Task, fingerprint

@dataclass(frozen=True)
class Config:
    name: str = scientific()
    train_size: int = scientific(neutral=20)
    shift: int = scientific(neutral=0)

def load(config, split):
    table = torch.arange(60, dtype=torch.float32).view(30, 2).sin() + config.shift
    labels = torch.arange(30) % 3
    order = torch.randperm(30, generator=split)
    train, test = order[:20], order[20:]
    mark = fingerprint(table.numpy())
    {mistake}
    return Task(table, labels, train, test, 3, mark)
"""
TASKS = {
    "drawn_table": "table = torch.randn(30, 2, generator=split)",
    "global_split": "order = torch.randperm(30); train, test = order[:20], order[20:]",
    "overlap": "test = order[19:]",
    "one_fingerprint": "mark = 'same'",
}

ARCH = """
import torch
from torch import nn
from dataclasses import dataclass
from grokpipe.config.fields import scientific

@dataclass(frozen=True)
class Config:
    name: str = scientific()

class Network(nn.Module):
    def __init__(self, task, dropout=0.0, factor=1.0):
        super().__init__()
        self.embed = nn.Embedding(task.vocabulary, 4)
        self.head = nn.Linear(8, task.classes)
        self.dropout, self.factor = nn.Dropout(dropout), factor

    def forward(self, x):
        z = self.dropout(self.embed(x).flatten(1)) * self.factor
        return self.head(z), z
"""
ARCHS = {
    "dropout": "def build(config, task): return Network(task, dropout=0.5)",
    "other_shortcut": "def build(config, task): return Network(task)\n"
    "def build_shortcut(config, task): return Network(task, factor=2)",
    "features": "def build(config, task):\n"
    "    network = Network(task)\n"
    "    network.head = nn.Linear(8, task.classes + 1)\n"
    "    return network",
}

OPTIMIZER = """
import torch
from dataclasses import dataclass
from grokpipe.config.fields import scientific

@dataclass(frozen=True)
class Config:
    name: str = scientific()
    lr: float = scientific(per_cell=True)
    weight_decay: float = scientific(per_cell=True)

class Stacked:
    def __init__(self, configs, parameters):
        self.parameters = list(parameters)
        self.cells = range(len(configs))
        self.velocity = [torch.zeros_like(p) for p in parameters]

    def state_dict(self):
        return {"velocity": self.velocity}

    def load_state_dict(self, state):
        self.velocity = [v.clone() for v in state["velocity"]]

    def step(self, gradients, lr, weight_decay):
        for parameters, gradient, velocity in zip(self.parameters, gradients, self.velocity):
            velocity.mul_(0.9).add_(gradient)
            for i in self.cells:
                parameters[i].sub_(lr[i].item() * velocity[i])
"""
OPTIMIZERS = {
    "first_rate": ("lr[i].item()", "lr[0].item()"),
    "forgets_velocity": ("[v.clone() for v in state", "[0 * v for v in state"),
}


def install(site: Path) -> None:
    """Write all of them into `site`."""
    texts: dict[str, dict[str, str]] = {
        "interventions": {n: INTERVENTION + text for n, text in INTERVENTIONS.items()},
        "measures": {
            name: "import torch\ndef measure(snapshot):\n    " + text.replace("\n", "\n    ")
            for name, text in MEASURES.items()
        },
        "tasks": {name: TASK.replace("{mistake}", text) for name, text in TASKS.items()},
        "archs": {name: ARCH + text for name, text in ARCHS.items()},
        "optimizers": {name: OPTIMIZER.replace(*pair) for name, pair in OPTIMIZERS.items()},
    }
    files = {f"broken/{group}/{n}.py": t for group, of in texts.items() for n, t in of.items()}
    for group in ("intervention", "task", "arch", "optimizer"):
        more = "lr: ${lr}\nweight_decay: ${weight_decay}\n" if group == "optimizer" else ""
        more = "train_size: ${train_size}\n" if group == "task" else more
        for name in texts[f"{group}s"]:
            files[f"broken/conf/{group}/{name}.yaml"] = f"name: {name}\n{more}"
    files["broken/conf/task/one_fingerprint.yaml"] += "shift: 0\n"
    lines = {
        group: "\n".join(f"{name} = broken.{group}.{name}" for name in of)
        for group, of in texts.items()
    }
    packages.write(site, "broken", files, {**lines, "conf": "broken = broken.conf"})
