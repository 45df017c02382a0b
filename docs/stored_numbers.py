"""Writes the numbers in README.md from stored files: between the markers, and nowhere else.

python docs/stored_numbers.py
"""

import json
import re
import textwrap
from pathlib import Path

from analysis import gather, tables
from analysis.timescales import events, readable, timescales

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "outputs" / "reference" / "collapse" / "weight_decay"
BENCHMARK = ROOT / "benchmarks" / "results" / "main_job.json"
SHOWN = ("tau1", "tau2_rise", "tau2_half", "tau2_arrive", "tau_rnc1@0.1")


def tau_table() -> str:
    """Medians [95 % interval] of the reference grid by weight decay; k/n where not all reached."""
    medians = timescales(events(gather.read(REFERENCE)), ["weight_decay"])
    shown = readable(medians[medians["event"].isin(SHOWN)])
    few = shown["reached"].map(lambda text: len(set(text.split("/"))) > 1)
    shown["text"] = shown["median"] + " [" + shown["95 % interval"] + "]"
    shown.loc[few, "text"] += " (" + shown["reached"] + ")"
    wide = shown.pivot(index="weight_decay", columns="event", values="text")[list(SHOWN)]
    wide = wide.sort_index(ascending=False).reset_index().astype({"weight_decay": str})
    return tables.text(wide.rename(columns={"weight_decay": "λ"}), "github")


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


BLOCKS = {"tau": tau_table, "speed": speed}


def renewed(text: str) -> str:
    """`text` with each block between its markers written anew."""
    for name, block in BLOCKS.items():
        pattern = rf"(<!-- {name}: docs/stored_numbers.py -->\n).*?(<!-- end -->)"
        text, found = re.subn(pattern, lambda m, b=block: f"{m[1]}{b()}\n{m[2]}", text, flags=re.S)
        if found != 1:
            raise ValueError(f"README.md: {found} blocks named {name}, there must be one")
    return text


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(renewed(readme.read_text()))
