"""Writes the numbers in README.md and docs/ from stored files: between the markers, nowhere else.

python -m docs.stored_numbers
"""

import re
import textwrap
from collections.abc import Callable

from analysis.output import formats
from analysis.output.tables import table_text
from analysis.runs import gather
from analysis.times.median_table import RUNS, wide
from analysis.times.timescales import MEASURES, events, timescales
from docs import (
    collapse_numbers,
    entropy_numbers,
    flatness_numbers,
    information_numbers,
    monitor_numbers,
    numerics_numbers,
    paper_numbers,
    speed_numbers,
    statistics_numbers,
    tutorial_outputs,
)
from docs.reference import COLLAPSE, COLLAPSE_PAPER, ENTROPY_PAPER, FLATNESS_PAPER, ROOT, TUTORIAL

SHOWN = ("tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1")


def tau_table() -> str:
    """Medians [95 % interval] of the reference grid by weight decay; k/n where not all reached."""
    medians = timescales(events(gather.read(COLLAPSE, MEASURES)), ["weight_decay"])
    shown = wide(medians[medians["event"].isin(SHOWN)], ["weight_decay"]).drop(columns=RUNS)
    return table_text(shown.rename(columns={"weight_decay": "λ"}), "github")


def exponents() -> str:
    """The exponents of the events in `SHOWN`, in a sentence."""
    table = statistics_numbers.exponent_table().set_index("event").loc[list(SHOWN)]
    said = "; ".join(
        f"{row.k:.2f} {formats.interval(row.lower, row.upper, 2)} for {event}"
        for event, row in table.iterrows()
    )
    below = ((table["upper"] < 1) & (table.index != "tau1")).sum()
    return textwrap.fill(
        f"As a power law τ = C λ^(−k), censored runs counted: k = {said}. The theorem, as it is "
        f"read, says 0 for τ1 and 1 for the others; {below} of these {len(SHOWN) - 1} intervals "
        f"lie below 1. A power law does not pass through the six λ for "
        f"{(table['lack_of_fit'] < 0.05).sum()} of the {len(SHOWN)} events (p < 0.05; "
        "[docs/statistics.md](docs/statistics.md)).",
        width=100,
        break_on_hyphens=False,
    )


def sweep() -> str:
    """The end of what a terminal shows while a sweep trains."""
    lines = (TUTORIAL / "terminal" / "dashboard.txt").read_text().splitlines()
    return tutorial_outputs.fenced("\n".join(["…", *lines[-7:]]))


BLOCKS = {
    "README.md": {
        "sweep": sweep,
        "tau": tau_table,
        "exponents": exponents,
        "verdicts": paper_numbers.counts(
            {
                "neural-collapse": COLLAPSE_PAPER,
                "spectral-entropy": ENTROPY_PAPER,
                "flatness": FLATNESS_PAPER,
            }
        ),
        "packs": speed_numbers.packs,
        "gpu": speed_numbers.gpu,
        "speed": speed_numbers.speed,
        "launching": speed_numbers.launching,
    },
    "docs/packs.md": {
        "subnormals": speed_numbers.subnormals,
        "threads": speed_numbers.threads,
        "events": speed_numbers.event_times,
    },
    "docs/statistics.md": statistics_numbers.BLOCKS,
    "docs/monitor.md": monitor_numbers.BLOCKS,
    "docs/numerics.md": numerics_numbers.BLOCKS,
    "docs/entropy.md": entropy_numbers.BLOCKS,
    "docs/collapse.md": collapse_numbers.BLOCKS,
    "docs/flatness.md": flatness_numbers.BLOCKS,
    "docs/information.md": information_numbers.BLOCKS,
    "docs/tutorial.md": tutorial_outputs.blocks(),
}


def renewed(document: str) -> str:
    """The text of a document with each block between its markers written anew."""
    text = (ROOT / document).read_text()
    for name, block in BLOCKS[document].items():
        pattern = rf"(<!-- {name}: docs/stored_numbers.py -->\n).*?(<!-- end -->)"
        text, found = re.subn(pattern, _with(block), text, flags=re.S)
        if found != 1:
            raise ValueError(f"{document}: {found} blocks named {name}, there must be one")
    return text


def _with(block: Callable[[], str]) -> Callable[[re.Match[str]], str]:
    return lambda marked: f"{marked[1]}{block()}\n{marked[2]}"


if __name__ == "__main__":
    for document in BLOCKS:
        new = renewed(document)
        (ROOT / document).write_text(new)
