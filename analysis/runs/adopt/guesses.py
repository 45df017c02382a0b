"""Guess what a column of another program is, by its name: val_acc is test_accuracy."""

import re
from collections.abc import Iterable
from dataclasses import fields

from grokpipe.config.schema import GROUPS, Config, operational_names
from grokpipe.errors import InputError

STEP = (
    "step", "global_step", "trainer/global_step", "iteration", "iter", "iterations",
    "training_step", "train_step", "optimizer_step", "update", "_step", "epoch", "epochs", "t",
    "steps",
)  # fmt: skip
"""names of the steps, the surest first"""
RUN = ("run", "run_id", "run_name", "run name", "runid", "trial", "trial_id", "name")
ALIASES = {
    "seed": ("seed", "random_seed", "rng_seed", "manual_seed"),
    "weight_decay": ("weight_decay", "wd", "weightdecay", "l2"),
    "lr": ("lr", "learning_rate", "learningrate", "eta"),
    "steps": ("max_steps", "total_steps", "num_steps", "n_steps", "budget", "train_steps"),
    "batch_size": ("batch_size", "batchsize", "bs"),
    "train_size": ("train_size", "n_train", "num_train", "train_samples"),
    "init_scale": ("init_scale",),
    "classes": ("classes", "num_classes", "n_classes"),
    "task.name": ("task", "dataset", "operation"),
    "arch.name": ("model", "arch", "architecture"),
    "optimizer.name": ("optimizer", "optim"),
    "intervention.name": ("intervention",),
    "state": ("state", "status"),
}
"""configuration, and what is known of a run, by names that other programs use"""
PREFIX = re.compile(r"^(?:config|hparams|hparam|params|param|args|hp)[./]")
SPLITS = {"train": "train", "training": "train", "test": "test", "val": "test",
          "valid": "test", "validation": "test", "eval": "test"}  # fmt: skip
QUANTITIES = {"acc": "accuracy", "accuracy": "accuracy", "loss": "loss"}
SURER = ("test", "train", "training")
"""splits that are preferred to others: a test set to a validation set"""

_SCHEMA = {item.name for item in fields(Config)} - operational_names() - set(GROUPS)
_ALIAS = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


def step_among(names: Iterable[str]) -> str | None:
    """The column of the steps, if one has such a name."""
    return _first(STEP, list(names))


def run_among(names: Iterable[str]) -> str | None:
    """The column that names the run, if there is one."""
    return _first(RUN, list(names))


def _first(wanted: Iterable[str], names: list[str]) -> str | None:
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in wanted if name in lower), None)


def configuration(name: str) -> str | None:
    """What a column is called here, if its name is one of a configuration or of CELL_COLUMNS."""
    plain = PREFIX.sub("", name)
    if plain in _SCHEMA or (
        plain.partition(".")[0] in (*GROUPS, "measures", "eval", "stop") and "." in plain
    ):
        return plain
    return _ALIAS.get(plain.lower().replace(" ", "_").replace("-", "_"))


def measures(names: Iterable[str]) -> dict[str, str]:
    """Accuracies and losses among the columns: our name → theirs.

    Of several for one name, ours comes first, then a test set's before a validation set's. Raises
    InputError where two are left.
    """
    names = list(names)
    found: dict[str, dict[int, list[str]]] = {}
    for name in names:
        words = [word.lower() for word in re.findall(r"[A-Z]*[a-z]+|[A-Z]+", name)]
        splits = [word for word in words if word in SPLITS]
        kinds = [QUANTITIES[word] for word in words if word in QUANTITIES]
        if len(splits) == len(kinds) == 1 and len(words) == 2:
            ours = f"{SPLITS[splits[0]]}_{kinds[0]}"
            rank = 0 if name == ours else 1 if splits[0] in SURER else 2
            found.setdefault(ours, {}).setdefault(rank, []).append(name)
    chosen = {}
    for ours, ranks in found.items():
        best, *others = ranks[min(ranks)]
        if others:
            several = ", ".join([best, *others])
            raise InputError(f"{several}: which of them is {ours}? say so in --map (columns)")
        chosen[ours] = best
    for ours, theirs in (("train_accuracy", ("acc", "accuracy")), ("train_loss", ("loss",))):
        alone = [name for name in names if name in theirs]
        # as Keras names them: accuracy beside val_accuracy
        if len(alone) == 1 and ours not in chosen and ours.replace("train", "test") in chosen:
            chosen[ours] = alone[0]
    return chosen


def of_name(run: str) -> dict[str, str]:
    """The configuration in a run's name, such as `wd=0.1,seed=3`: the names there and the texts."""
    return dict(re.findall(r"([A-Za-z][\w.]*?)=([^,=/ ;&]+?)(?=[,/ ;&]|__|_[A-Za-z]|$)", run))
