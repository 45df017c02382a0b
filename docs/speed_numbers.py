"""The numbers of benchmarks in README.md and docs/packs.md."""

import math
import textwrap
from typing import Any

import pandas as pd

from analysis.output.tables import table_text
from docs.benchmark_results import newest, processor_of, stored

NETWORKS = {
    "mlp": "MLP, three layers",
    "mlp_four_layers": "MLP, four layers",
    "transformer": "Transformer, one layer",
    "transformer_two_layers": "Transformer, two layers",
    "causal_transformer": "causal Transformer",
    "cnn": "CNN",
    "image_transformer": "image Transformer",
}
OURS = "pack of 10"
CONTENDERS = {OURS: "packs", "JAX": "JAX", "plain": "plain", "products alone": "bare products"}
"""heading of each column by what the names of its contenders begin with; the best one counts"""


def filled(text: str) -> str:
    return textwrap.fill(text, width=100, break_on_hyphens=False)


def speed() -> str:
    """The main job beside a plain loop that measures nothing."""
    found = newest("main_job")
    machine = found["machine"]
    return filled(
        f"One published run ({found['steps']:,} steps, {found['evaluations']} evaluations of every "
        f"measure) takes {found['ratio']:.2f} times what a plain loop with resident data and fused "
        f"AdamW needs for the same steps without measuring anything; evaluations are "
        f"{100 * found['evaluation_share']:.0f} % of it ({processor_of(machine)}, "
        f"{found['threads']} threads, torch {machine['torch']}: {found['grokpipe_seconds']:.0f} s "
        f"and {found['plain_seconds']:.0f} s)."
    )


def packs() -> str:
    """A row for each network and processor: packs, JAX, plain loops and bare products on the whole
    machine, each at its best."""
    results = stored("packs")
    rows = [
        {"network": title, "processor": processor_of(result["machine"])}
        | rates(result[network]["contenders"])
        for network, title in NETWORKS.items()
        for result in results
        if network in result
    ]
    texts = [table_text(pd.DataFrame(rows), "github")]
    return "\n\n".join([*texts, *(filled(beside(result)) for result in results)])


def rates(contenders: list[dict[str, Any]]) -> dict[str, str]:
    """Rates in seed-steps a second and their ratios, as they are shown."""
    best = {}
    for start, heading in CONTENDERS.items():
        exact = start == OURS  # not the evaluated one
        found = [
            row["seed_steps_per_second"]
            for row in contenders
            if (row["name"] == start if exact else row["name"].startswith(start))
        ]
        best[heading] = max(found, default=math.nan)
    ours = best["packs"]

    def over(heading: str) -> str:
        return "–" if math.isnan(best[heading]) else f"{ours / best[heading]:.2f}"

    share = 100 * ours / best["bare products"]
    shown = {name: "–" if math.isnan(rate) else f"{rate:,.0f}" for name, rate in best.items()}
    return shown | {
        "over JAX": over("JAX"),
        "over plain": over("plain"),
        "of products": "–" if math.isnan(share) else f"{share:.0f} %",
    }


def beside(result: dict[str, Any]) -> str:
    """What the table leaves out, for one processor: evaluations, wide packs, the limit with AdamW,
    versions."""
    machine = result["machine"]
    told = {title: result[name]["summary"] for name, title in NETWORKS.items() if name in result}

    def each(ratio: str, form: str) -> str:
        known = {title: summary[ratio] for title, summary in told.items() if ratio in summary}
        return ", ".join(f"{value:{form}} ({title})" for title, value in known.items())

    text = (
        f"{processor_of(machine)}, {machine['cores']} cores, {machine['date']}, torch "
        f"{machine['torch']}{', JAX ' + machine['jax'] if 'jax' in machine else ''}: evaluating "
        f"every measure as often as published adds {each('evaluations', '.0%')}; "
        f"64 cells in one pack take {each('cost of 64 over 10', '.1f')} times as "
        f"long as 10."
    )
    if limits := each("share of products and AdamW", ".0%"):
        text += f" Of the rate of products and fused AdamW alone, packs reach {limits}."
    return text.replace("%", " %")


def gpu() -> str:
    """Rates of packs on one GPU beside the plain loop there, in a sentence for each network, and
    what of the present benchmark was not part of that run."""
    found = newest("gpu")
    machine = found["machine"]
    said = []
    for which, network in {"mlp": "the MLP", "transformer": "the Transformer"}.items():
        rates = {name: rate for name, rate in found[which].items() if isinstance(rate, int | float)}
        packs = {name: rate for name, rate in rates.items() if name.startswith("pack")}
        best = max(packs, key=packs.__getitem__)
        said.append(
            f"for {network} {rates['plain']:,.0f} seed-steps a second by the plain loop, "
            f"{packs['pack of 1']:,.0f} by a pack of 1, {packs[best]:,.0f} by a {best} "
            f"({packs[best] / rates['plain']:.0f} times the plain loop)"
        )
    names = {*found["mlp"], *found["transformer"]}
    parts = {
        "CUDA graphs": any("graph" in name for name in names),
        "JAX": any(name.startswith("JAX") for name in names),
        "packs wider than 256": any("1024" in name for name in names),
        "the time to 64 and 1,024 finished cells": "finished" in found,
    }
    text = (
        f"On one {machine['gpu']}: {'; '.join(said)} (torch {machine['torch']}, {machine['date']}, "
        f"commit {machine['commit']}; `python -m benchmarks.gpu`)."
    )
    missing = [name for name, measured in parts.items() if not measured]
    if missing:
        text += f" Never measured on a GPU: {', '.join(missing)}."
    return filled(text)


def subnormals() -> str:
    """Steps a second with subnormal numbers as 0, and kept."""
    found = newest("subnormals")
    machine = found["machine"]
    return filled(
        f"A Transformer without weight decay that knows its training set by so wide a margin that "
        f"its gradients are subnormal makes {found['flushed']:,.0f} steps a second with them as 0, "
        f"{found['kept']:,.1f} without ({processor_of(machine)}, one thread, torch "
        f"{machine['torch']}): {found['ratio']:,.0f} times as many."
    )


def threads() -> str:
    """Two threads beside one, alone and beside busy processes."""
    found = newest("threads")
    machine = found["machine"]
    busy, alone = (found[place]["over_one_thread"] for place in ("busy", "alone"))
    return filled(
        f"The default MLP with two threads makes {busy['2, spinning']:.2f} times the steps of one "
        f"thread where both cores are busy with other processes and threads spin, "
        f"{busy['2, asleep']:.2f} times where they wait asleep; alone on the machine "
        f"{alone['2, spinning']:.2f} and {alone['2, asleep']:.2f} times ({processor_of(machine)}, "
        f"{machine['cores']} cores, torch {machine['torch']})."
    )


CELLS = {
    "mlp": "the demo's cells with decay 0.8",
    "transformer": "a Transformer of width 32 on a + b mod 23",
}


def event_times() -> str:
    """Events of the same cells before and after the steps were computed anew."""
    told, places = [], set()
    for name, cells in CELLS.items():
        found = newest(f"event_times_{name}")
        events = {n: test for n, test in found.items() if isinstance(test, dict) and "p" in test}
        each = "; ".join(
            f"{event} at the same evaluation in {test['equal']}, medians "
            f"{test['median_before']:,.0f} and {test['median_after']:,.0f}, p = {test['p']:.2f}"
            for event, test in events.items()
        )
        told.append(f"Of {found['cells']} seeds of {cells}: {each}.")
        places.add(processor_of(found["machine"]))
    return filled(
        f"{' '.join(told)} Before: lockstep, not compiled, one library; after: compiled, in turns "
        f"or lockstep, libraries by shape. Exact test of Kolmogorov and Smirnov; "
        f"{', '.join(sorted(places))}."
    )


def launching() -> str:
    """Seconds of whole commands, and where they were taken."""
    launch, status, gathering = found = [newest(name) for name in ("launch", "status", "gather")]
    rows = [
        ("1,000 cells until they are submitted to SLURM", launch.get("submitted"), "s"),
        ("the same command when all is done", launch["all_done"], "s"),
        ("40 cells on all cores, over the training inside their packs", launch["local"], "×"),
        (f"status of {status['logs']:,} run logs", status["without_index"]["seconds"], "s"),
        ("the same again", status["with_index"]["seconds"], "s"),
        (f"gather of {gathering['logs']:,} run logs", gathering["first"]["seconds"], "s"),
        ("the same with ten more", gathering["ten_more"]["seconds"], "s"),
    ]
    shown = [
        (what, f"{number:.2f} ×" if unit == "×" else f"{number:.1f} s")
        for what, number, unit in rows
        if number is not None
    ]
    places = {f"{processor_of(r['machine'])}, {r['machine']['cores']} cores" for r in found}
    table = table_text(pd.DataFrame(shown, columns=["command", "takes"]), "github")
    return f"{table}\n\n" + filled(f"Measured on {'; '.join(sorted(places))}.")
