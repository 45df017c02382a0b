"""The numbers of docs/entropy.md and of the README on the entropy paper."""

import textwrap

import pandas as pd

from analysis import gather, tables
from analysis.entropy import calibration as e0
from docs.reference import ENTROPY_PAPER

VERDICTS = ENTROPY_PAPER / "report" / "verdicts.csv"


def calibration() -> str:
    """The variants of E0 by their distance."""
    found = e0.variants(gather.gathered(ENTROPY_PAPER / "e0_fingerprint"), e0.rule())
    shown = e0.readable(found).rename(columns=lambda name: name.rpartition(".")[2])
    return tables.text(shown, "github")


def verdicts() -> str:
    """Every claim with its published number, ours and the verdict."""
    found = pd.read_csv(VERDICTS, dtype=str, keep_default_na=False)
    shown = found[["id", "statement", "published", "ours", "verdict"]]
    return tables.text(shown, "github")


def counts() -> str:
    """How many claims came out how, in a sentence."""
    found = pd.read_csv(VERDICTS, dtype=str, keep_default_na=False)
    numbers = found["verdict"].value_counts()
    said = ", ".join(f"{number} {verdict}" for verdict, number in numbers.items())
    return textwrap.fill(
        f"Of {len(found)} claims of the spectral-entropy paper: {said} "
        "([docs/entropy.md](docs/entropy.md)).",
        width=100,
        break_on_hyphens=False,
    )


BLOCKS = {"calibration": calibration, "verdicts": verdicts}
