"""Labels of configuration columns, as readers of the field know them."""

from collections.abc import Sequence

SETTINGS = {
    "weight_decay": "weight decay λ",
    "optimizer.weight_decay": "weight decay λ",
    "lr": "learning rate η",
    "optimizer.lr": "learning rate η",
    "optimizer.name": "optimiser",
    "optimizer.betas": "Adam's (β₁, β₂)",
    "optimizer.momentum": "momentum",
    "batch_size": "batch size",
    "init_scale": "scale of the initial weights",
    "train_size": "training samples",
    "task.train_size": "training samples",
    "task.fraction": "training fraction",
    "task.name": "task",
    "task.p": "modulus p",
    "arch.name": "architecture",
    "arch.width": "width",
    "arch.depth": "depth",
    "intervention.name": "intervention",
    "intervention.alpha": "strength α",
    "intervention.beta": "strength β",
    "dtype": "precision",
    "steps": "budget (steps)",
}


def setting(column: str) -> str:
    """Return the label of a configuration column: its name, if it has no other."""
    return SETTINGS.get(column, column)


def settings(columns: Sequence[str]) -> str:
    """Return the labels of several columns in a row."""
    return ", ".join(map(setting, columns))
