"""Writes the numbers in README.md and docs/ from stored files: between the markers, nowhere else.

python -m docs.stored_numbers
"""

import json
import re
import textwrap

import pandas as pd

from analysis.output import formats
from analysis.output.tables import table_text
from analysis.runs import gather
from analysis.times.median_table import RUNS, wide
from analysis.times.timescales import MEASURES, events, timescales
from docs import (
    entropy_numbers,
    monitor_numbers,
    numerics_numbers,
    statistics_numbers,
    tutorial_outputs,
)
from docs.reference import COLLAPSE, RESULTS, ROOT, TUTORIAL

BENCHMARK, PACKS = RESULTS / "main_job.json", RESULTS / "packs.json"
LAUNCHING = ("launch", "status", "gather")
SHOWN = ("tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1")


def tau_table() -> str:
    """Medians [95 % interval] of the reference grid by weight decay; k/n where not all reached."""
    medians = timescales(events(gather.read(COLLAPSE, MEASURES)), ["weight_decay"])
    shown = wide(medians[medians["event"].isin(SHOWN)], ["weight_decay"]).drop(columns=RUNS)
    return table_text(shown.rename(columns={"weight_decay": "λ"}), "github")


def speed() -> str:
    found = json.loads(BENCHMARK.read_text())
    machine = found["machine"]
    return textwrap.fill(
        f"One published run ({found['steps']:,} steps, {found['evaluations']} evaluations of every "
        f"measure) takes {found['ratio']:.2f} times what a plain loop with resident data and fused "
        f"AdamW needs for the same steps without measuring anything; evaluations are "
        f"{100 * found['evaluation_share']:.0f} % of it ({machine['processor']}, "
        f"{found['threads']} threads, torch {machine['torch']}: {found['grokpipe_seconds']:.0f} s "
        f"and {found['plain_seconds']:.0f} s).",
        width=100,
    )


def packs() -> str:
    """Rates of all contenders for both networks, and what follows from them."""
    found = json.loads(PACKS.read_text())
    machine = found["machine"]
    titles = {"mlp": "MLP on MNIST, batch 100", "transformer": "Transformer, mod 97, batch 512"}
    texts = []
    for which, title in titles.items():
        rows = pd.DataFrame(found[which]["contenders"])
        shown = pd.DataFrame(
            {
                title: rows["name"],
                "processes × threads": [f"{r.processes} × {r.threads}" for r in rows.itertuples()],
                "seed-steps/s": [f"{rate:,.0f}" for rate in rows["seed_steps_per_second"]],
            }
        )
        told = found[which]["summary"]
        over = ", ".join(
            f"{value:.1f} times {name.removeprefix('over plain: ')}"
            for name, value in told.items()
            if name.startswith("over plain")
        )
        sentence = (
            f"The pack on all cores reaches {over}, each of these at its best number of processes "
            f"and threads, and {100 * told['share of products']:.0f} % of the rate of the step's "
            f"bare products ({told['gflops of products']:.0f} GFLOP/s; "
            f"{told['megaflop of a seed-step']:.0f} MFLOP a seed-step). Evaluations cost "
            f"{100 * told['evaluations']:.0f} % on top."
        )
        texts.append(table_text(shown, "github") + "\n\n" + textwrap.fill(sentence, width=100))
    texts.append(
        textwrap.fill(
            f"Machine: {machine['processor']}, {machine['cores']} cores, torch {machine['torch']}, "
            f"products by {machine['products']}.",
            width=100,
        )
    )
    return "\n\n".join(texts)


def gpu() -> str:
    """Rates of packs on one GPU beside the plain loop there, in a sentence for each network."""
    found = json.loads((RESULTS / "gpu.json").read_text())
    machine = found["machine"]
    said = []
    for which, network in {"mlp": "the MLP", "transformer": "the Transformer"}.items():
        rates = found[which]
        best = max(rates, key=rates.__getitem__)
        said.append(
            f"for {network} {rates['plain']:,.0f} seed-steps a second by the plain loop, "
            f"{rates['pack of 1']:,.0f} by a pack of 1, {rates[best]:,.0f} by a {best} "
            f"({rates[best] / rates['plain']:.0f} times the plain loop)"
        )
    return textwrap.fill(
        f"On one {machine['gpu']}: {'; '.join(said)} (torch {machine['torch']}; "
        "`python -m benchmarks.gpu`).",
        width=100,
    )


def subnormals() -> str:
    found = json.loads((RESULTS / "subnormals.json").read_text())
    machine = found["machine"]
    return textwrap.fill(
        f"A Transformer without weight decay that knows its training set by so wide a margin that "
        f"its gradients are subnormal makes {found['flushed']:,.0f} steps a second with them as 0, "
        f"{found['kept']:,.1f} without ({machine['processor']}, one thread, torch "
        f"{machine['torch']}): {found['ratio']:,.0f} times as many.",
        width=100,
        break_on_hyphens=False,
    )


def launching() -> str:
    """Seconds of whole commands."""
    launch, status, gathering = (
        json.loads((RESULTS / f"{name}.json").read_text()) for name in LAUNCHING
    )
    rows = [
        ("1,000 cells until they are submitted to SLURM", launch["submitted"], "s"),
        ("the same command when all is done", launch["all_done"], "s"),
        ("40 cells on all cores, over the training inside their packs", launch["local"], "×"),
        (f"status of {status['logs']:,} run logs", status["without_index"]["seconds"], "s"),
        ("the same again", status["with_index"]["seconds"], "s"),
        (f"gather of {gathering['logs']:,} run logs", gathering["first"]["seconds"], "s"),
        ("the same with ten more", gathering["ten_more"]["seconds"], "s"),
    ]
    shown = [(what, f"{number:.2f} ×" if unit == "×" else f"{number:.1f} s")
             for what, number, unit in rows]  # fmt: skip
    return table_text(pd.DataFrame(shown, columns=["command", "takes"]), "github")


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
        f"lie below 1. A power law does not pass through the four λ for "
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
        "verdicts": entropy_numbers.counts,
        "packs": packs,
        "gpu": gpu,
        "speed": speed,
        "launching": launching,
    },
    "docs/packs.md": {"subnormals": subnormals},
    "docs/statistics.md": statistics_numbers.BLOCKS,
    "docs/monitor.md": monitor_numbers.BLOCKS,
    "docs/numerics.md": numerics_numbers.BLOCKS,
    "docs/entropy.md": entropy_numbers.BLOCKS,
    "docs/tutorial.md": tutorial_outputs.blocks(),
}


def renewed(document: str) -> str:
    """The text of a document with each block between its markers written anew."""
    text = (ROOT / document).read_text()
    for name, block in BLOCKS[document].items():
        pattern = rf"(<!-- {name}: docs/stored_numbers.py -->\n).*?(<!-- end -->)"
        text, found = re.subn(pattern, lambda m, b=block: f"{m[1]}{b()}\n{m[2]}", text, flags=re.S)
        if found != 1:
            raise ValueError(f"{document}: {found} blocks named {name}, there must be one")
    return text


if __name__ == "__main__":
    for document in BLOCKS:
        new = renewed(document)
        (ROOT / document).write_text(new)
