"""Run logs with made-up curves, in the format that training writes, and requests for cells."""

from pathlib import Path

from grokpipe.store import manifest
from grokpipe.store.run_log import RunLog

STEPS = (0, 1, 10, 100, 200, 300, 400)


def write_run(
    folder: Path,
    seed: int,
    weight_decay: float,
    groks_at: float,
    state: str | None = "done",
    key: str | None = None,
) -> Path:
    """A run whose test accuracy jumps to 0.9 and RNC1 to 0.1 from step `groks_at` on."""
    key = key or f"{int(weight_decay * 1000):04d}{seed:012d}"
    log = RunLog(folder / "cells" / key)
    config = {
        "task": {"name": "mnist", "train_size": 1000},
        "optimizer": {"name": "adamw", "weight_decay": weight_decay, "betas": [0.9, 0.999]},
        "measures": {"names": ["collapse"]},
        "seed": seed,
        "weight_decay": weight_decay,
        "steps": 400,
        "eval": {"schedule": "published", "every": None},
        "name": "x",
        "threads": None,
        "checkpoint": {"every": 60},
    }
    provenance = {
        "commit": "c0ffee",
        "dirty": False,
        "versions": {"torch": "2.13.0"},
        "data": {"classes": 10, "fingerprint": "f00d"},
    }
    log.start(config, provenance)
    for step in STEPS:
        late = step >= groks_at
        log.append(
            {
                "step": step,
                "train_accuracy": 1.0 if step >= 10 else 0.5,
                "test_accuracy": 0.9 if late else 0.1,
                "collapse/rnc1": 0.1 if late else 0.5,
                "collapse/nc2_cond": 1.5 if late else 20.0,
            }
        )
    if state:
        log.finish(state, 400, "reached its steps", 1.0)
    return log.folder


def two_decays(folder: Path) -> Path:
    """Two decays, three seeds each; with the smaller one, one run never groks."""
    for seed, groks_at in enumerate((100, 100, 200)):
        write_run(folder, seed, 0.3, groks_at)
    for seed, groks_at in enumerate((200, 300, 9999)):
        write_run(folder, seed, 0.1, groks_at)
    return folder


DECAYS = (0.3, 0.1, 0.01)
SEEDS = 8


def key(decay: float, seed: int) -> str:
    return f"{int(decay * 1000):04d}{seed:012d}"


def ask(folder: Path, keys: list[str], **values: object) -> None:
    """One submission; decay and seed are read from the key."""
    rows = [
        {"key": k, "experiment": None, "weight_decay": int(k[:4]) / 1000, "seed": int(k[4:]),
         "steps": 400, **values}
        for k in keys
    ]  # fmt: skip
    manifest.record_asked(folder, rows)
