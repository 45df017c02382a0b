"""The runs of `foreign_tables` as other programs log them, a form each."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from grokpipe.store.event_files import EventFile
from tests.helpers import foreign_tables

NAMES = 'name: "wd(?P<weight_decay>[0-9.]+)_s(?P<seed>[0-9]+)"'


def table() -> pd.DataFrame:
    """A row per run and evaluation, in the names of a loop of one's own."""
    cells = foreign_tables.cells()[["key", "seed", "weight_decay"]]
    rows = foreign_tables.curves().merge(cells, on="key").drop(columns="key")
    names = {"weight_decay": "wd", "step": "iteration", "train_accuracy": "train_acc",
             "test_accuracy": "val_acc"}  # fmt: skip
    return rows.rename(columns=names)


def runs() -> list[tuple[str, float, int, pd.DataFrame]]:
    """Each run: its name, decay, seed, rows."""
    return [
        (f"wd{wd}_s{seed}", wd, seed, rows.drop(columns=["wd", "seed"]))
        for (wd, seed), rows in table().groupby(["wd", "seed"])
    ]


def csv(folder: Path) -> Path:
    table().to_csv(folder / "runs.csv", index=False)
    return folder / "runs.csv"


def index_and_tabs(folder: Path) -> Path:
    table().to_csv(folder / "runs.tsv", sep="\t")
    return folder / "runs.tsv"


def zipped(folder: Path) -> Path:
    table().to_csv(folder / "runs.csv.gz", index=False)
    return folder / "runs.csv.gz"


def interleaved(folder: Path) -> Path:
    table().sort_values("iteration", kind="stable").to_csv(folder / "runs.csv", index=False)
    return folder / "runs.csv"


def in_two_rows(folder: Path) -> Path:
    """Training and test logged apart, as Lightning does."""
    rows, test = table(), ["val_acc"]
    first, second = rows.assign(val_acc=np.nan), rows[["iteration", "wd", "seed", *test]]
    pd.concat([first, second]).sort_index(kind="stable").to_csv(folder / "runs.csv", index=False)
    return folder / "runs.csv"


def parquet(folder: Path) -> Path:
    table().sample(frac=1, random_state=0).to_parquet(folder / "runs.parquet")
    return folder / "runs.parquet"


def lines(folder: Path) -> Path:
    rows = [json.dumps(row) for row in table().to_dict("records")]
    (folder / "runs.jsonl").write_text("\n".join(rows) + '\n{"iteration": 20, "tr')
    return folder / "runs.jsonl"


def archives(folder: Path) -> Path:
    (folder / "npz").mkdir()
    for wd, rows in table().groupby("wd"):
        arrays = {n: rows[n].to_numpy().reshape(5, -1) for n in rows if n not in ("wd", "seed")}
        arrays["iteration"] = arrays["iteration"][0]
        np.savez(folder / "npz" / f"{wd}.npz", seed=np.arange(5), wd=wd, **arrays)
    return folder / "npz"


def named_files(folder: Path) -> Path:
    (folder / "files").mkdir()
    for _, wd, seed, rows in runs():
        rows.to_csv(folder / "files" / f"wd={wd},seed={seed}.csv", index=False)
    return folder / "files"


def events(folder: Path) -> Path:
    for name, wd, seed, rows in runs():
        rows = rows.rename(columns={"iteration": "step"})
        EventFile(folder / "tb" / name, {"wd": wd, "seed": seed}).rewrite(rows.to_dict("records"))
    return folder / "tb"


def charts(folder: Path) -> Path:
    """Charts of W&B, a file per metric."""
    (folder / "charts").mkdir()
    for metric in table().columns.drop(["iteration", "wd", "seed"]):
        wide = {}
        for name, _, _, rows in runs():
            values = rows.set_index("iteration")[metric]
            wide |= {f"{name} - {metric}{end}": values for end in ("", "__MIN", "__MAX")}
        table_of = pd.DataFrame(wide).rename_axis("Step").reset_index()
        table_of.to_csv(folder / "charts" / f"{metric.replace('/', '_')}.csv", index=False)
    return folder / "charts"


def histories(folder: Path) -> Path:
    """Histories of W&B with `_step`, and what W&B writes for a number that is none."""
    with open(folder / "history.jsonl", "w") as file:
        for name, wd, seed, rows in runs():
            for row in rows.rename(columns={"iteration": "_step"}).to_dict("records"):
                config = {"wd": wd, "seed": int(seed)}
                beside = {"_runtime": 1.5, "_timestamp": 1e9, "grad_norm": "NaN"}
                file.write(json.dumps({**row, **beside, "run": name, "config": config}) + "\n")
    return folder / "history.jsonl"


FORMS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "csv": (csv, ""),
    "csv with an index and tabs": (index_and_tabs, ""),
    "gzipped": (zipped, ""),
    "sorted by step": (interleaved, ""),
    "training and test in rows of their own": (in_two_rows, ""),
    "parquet, shuffled": (parquet, ""),
    "json lines, the last cut off": (lines, ""),
    "numpy archives": (archives, ""),
    "a file per run": (named_files, ""),
    "tensorboard": (events, ""),
    "charts of W&B": (charts, NAMES),
    "histories of W&B": (histories, ""),
}
"""form → how it is written, and the map that it needs"""
