"""The numbers of docs/entropy.md."""

import textwrap

import numpy as np
import pandas as pd

from analysis.output import formats
from analysis.output.tables import table_text
from analysis.papers.entropy.estimates import setting_calibration as e0
from analysis.runs import parts, rows
from analysis.runs.tables import Tables, read_cells, read_gathered
from analysis.stats import means
from analysis.times import timescales
from docs import paper_numbers
from docs.reference import ENTROPY_PAPER

NEAR = 1e-4
BASELINE, AGAIN = "e1_baseline", "e1_other_machine"


def calibration() -> str:
    """The variants of E0 by their distance."""
    found = e0.variants(read_gathered(ENTROPY_PAPER / "e0_fingerprint"), e0.rule())
    shown = e0.readable(found).rename(columns=lambda name: name.rpartition(".")[2])
    return table_text(shown, "github")


def machines() -> str:
    """T_grok of the baseline as it is stored, and of the same cells on another machine."""
    first, again = (read_gathered(ENTROPY_PAPER / name) for name in (BASELINE, AGAIN))
    both = pd.DataFrame({"T_grok": _t_grok(first), "on another machine": _t_grok(again)})
    both = both.dropna().astype(int)
    apart = both["on another machine"] - both["T_grok"]
    shown = both.map(formats.number).rename_axis("seed").reset_index()
    parted = _parted(first.curves, again.curves)
    found = means.mean(apart.to_numpy(float), np.random.default_rng(0))
    sentence = (
        f"The norms of a seed's weights agree to {NEAR:.0e} until step "
        f"{formats.number(parted.min())} to {formats.number(parted.max())}. T_grok differs "
        f"by {formats.estimated(found)} steps in the mean of {len(both)} seeds, by "
        f"{formats.number(apart.abs().mean())} without the sign."
    )
    said = "\n\n".join(textwrap.fill(text, width=100) for text in (sentence, processors()))
    return table_text(shown, "github") + "\n\n" + said


def processors() -> str:
    """How many stored runs each kind of processor trained, in a sentence."""
    stored = [read_cells(path.parent) for path in ENTROPY_PAPER.glob(f"*/{parts.CELLS}")]
    number = pd.concat([cells["processor"] for cells in stored]).value_counts()
    known = number.drop(rows.UNKNOWN, errors="ignore")
    said = "".join(f"{count} runs on {name}, " for name, count in known.items())
    return f"Trained were {said}{number.get(rows.UNKNOWN, 0)} on a processor that is not on record."


def _t_grok(of: Tables) -> pd.Series:
    """By seed, of the runs that grok."""
    found = timescales.events(of)
    found = found[(found["event"] == "t_grok") & found["observed"].astype(bool)]
    return found.set_index("seed")["step"].sort_index()


def _parted(first: pd.DataFrame, again: pd.DataFrame) -> pd.Series:
    """By key, the last evaluation until which the norms agree to a relative NEAR."""
    both = first.merge(again, on=["key", "step"], suffixes=("", "_again"))
    near = (both["weight_norm_again"] / both["weight_norm"] - 1).abs() < NEAR
    together = near.groupby(both["key"]).cumprod().astype(bool)
    return both[together].groupby("key")["step"].max()


BLOCKS = {
    "calibration": calibration,
    "verdicts": paper_numbers.verdicts(ENTROPY_PAPER, "1"),
    "verdicts_2": paper_numbers.verdicts(ENTROPY_PAPER, "2"),
    "machines": machines,
}
