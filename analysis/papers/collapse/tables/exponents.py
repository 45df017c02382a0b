"""Exponents of times in decay and rate, by network and optimiser (Sakamoto & Sato 2026, Theorem
4.3): τ ∝ λ^(−k) η^(−l), by the censored likelihood."""

from contextlib import suppress

import pandas as pd

from analysis.claims.arguments import ArmName, EventName
from analysis.claims.arms import Runs
from analysis.claims.estimate import Estimate
from analysis.claims.estimators.slopes import exponent, joint_exponent
from analysis.output.formats import estimated
from analysis.runs.experiments import NotRun
from grokpipe.errors import InputError

ARMS = (
    "decays longer released rates adam sgd full_batch pyramid fashion fashion_3000 cnn "
    "image_transformer sentences"
).split()
EVENTS = ("tau1", "tau2_rise", "tau2_half", "tau2_most", "tau_rnc1@0.1", "tau_rnc1_half")
DECAY, RATE = "weight_decay", "lr"


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """A row per arm and event; both exponents where the rate varies too. Raises NotRun if no arm
    was run."""
    rows = []
    for arm in runs.there(ARMS).values():
        both = RATE in arm.tables.cells and arm.tables.cells[RATE].nunique() > 1
        for event in EVENTS:
            with suppress(NotRun):
                row = {"runs of": arm.label, "event": event}
                rows.append(row | _fitted(runs, ArmName(arm.name), EventName(event), both))
    table = pd.DataFrame(rows).fillna("–")
    return {"Exponents of times": table[[*(c for c in table if c != "said"), "said"]]}


def _fitted(runs: Runs, name: ArmName, event: EventName, both: bool) -> dict[str, str]:
    try:
        found = _found(runs, name, event, both)
    except InputError as refusal:
        if isinstance(refusal, NotRun):
            raise
        return {"said": str(refusal)}  # such as runs that differ in more than these columns
    one = found["k, in λ [95 %]"]
    why = one.interval.method.partition("none: ")[2]
    row = {name: estimated(one.interval, 2) for name, one in found.items()}
    return row | {"said": "; ".join(filter(None, [one.note, why]))}


def _found(runs: Runs, name: ArmName, event: EventName, both: bool) -> dict[str, Estimate]:
    if not both:
        return {"k, in λ [95 %]": exponent(runs, name, DECAY, event)}
    return {
        "k, in λ [95 %]": joint_exponent(runs, name, DECAY, RATE, event),
        "l, in η [95 %]": joint_exponent(runs, name, RATE, DECAY, event),
    }
