"""The numbers of docs/monitor.md."""

import pandas as pd

from analysis.output.tables import table_text
from docs.benchmark_results import newest, processor_of


def cost() -> str:
    """Milliseconds of an update by the dimension of the features."""
    found = newest("monitor")
    rows = [
        {
            "d": f"{row['d']:,}",
            "probe": f"{found['samples']}" + (", capped" if row["capped"] else ""),
            "update": f"{row['update_ms']:.1f} ms",
            "training step": f"{row['step_ms']:.1f} ms",
            "update / step": f"{row['share_of_a_step']:.2f}",
            "share, every 100 steps": f"{row['share_of_a_step'] / 100:.2%}",
        }
        for row in found["widths"]
    ]
    machine = found["machine"]
    said = f"One thread of {processor_of(machine)}, torch {machine['torch']}."
    return table_text(pd.DataFrame(rows), "github") + f"\n\n{said}"


BLOCKS = {"cost": cost}
