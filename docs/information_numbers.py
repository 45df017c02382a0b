"""The tables in docs/information.md, from stored files."""

import json

import pandas as pd

from analysis.output.formats import number
from analysis.output.tables import table_text
from benchmarks.information import FILE
from docs.reference import ROOT

CODES = ROOT / "grokpipe" / "measures" / "information" / "data"
NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def _table(estimators: tuple[str, ...], what: str) -> str:
    """Bias ± standard deviation of estimators, a row for each dimension and size."""
    stored = pd.read_csv(FILE)
    stored = stored[stored["estimator"].isin(estimators)]
    cells = [f"{number(row.bias, 2, '+')} ± {number(row.sd, 2)}" for row in stored.itertuples()]
    wide = stored.assign(cell=cells).pivot_table(
        index=["estimator", "dimensions", "n"], columns="true", values="cell", aggfunc="first"
    )
    shown = wide.reset_index().rename_axis(columns=None)
    shown["estimator"] = [f"`{name}`" for name in shown["estimator"]]
    titles = {value: f"{what} {value:g}" for value in wide.columns}
    return table_text(shown.rename(columns=titles), "github")


def pairs() -> str:
    """Both forms of compression on Gaussian pairs."""
    return _table(("compression", "compression_5nn"), "true")


def channels() -> str:
    """The mixture and its bounds on Gaussian channels."""
    stored = ("conditional", "conditional_lower", "conditional_upper")
    return _table(stored, "true")


def training() -> str:
    """How the shipped codes were trained."""
    rows = []
    for path in sorted(CODES.glob("*.json"), reverse=True):
        log = json.loads(path.read_text())
        losses = log["train_loss"]
        rows.append(
            {
                "codes": NAMES[log["data"]],
                "training images": f"{log['training_images']:,}",
                "epochs": f"{log['epochs']} of {log['epochs_published']}",
                "training loss: first epoch": number(losses[0], 3),
                "last": number(losses[-1], 3),
                "fall in the last": number(losses[-2] - losses[-1], 4),
                "test loss": number(log["test_loss"], 3),
                "SHA-256": log["sha256"][:16] + "…",
            }
        )
    return table_text(pd.DataFrame(rows), "github")


BLOCKS = {"pairs": pairs, "channels": channels, "training": training}
