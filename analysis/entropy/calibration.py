"""E0: how near each of the settings that the paper leaves open comes to what it tells of its own
baseline, by the `fingerprint` of analysis/claims/entropy.yaml, which says what the distance is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import ArrayLike

from analysis.gather import Tables
from analysis.tables import number
from grokpipe.curves.events import CROSSINGS, ENTROPY
from grokpipe.errors import InputError

EXPERIMENT = "e0_fingerprint"
CLAIMS = Path(__file__).resolve().parents[1] / "claims" / "entropy.yaml"
DIALS = ("arch.norm", "arch.tokens", "arch.embedding", "optimizer.betas")
MEASURES = ("test_accuracy", "weight_norm", ENTROPY)
"""the columns of the curves that are read"""
ADMISSIBLE = "admissible"
EXPANSION = "expansion"


@dataclass(frozen=True)
class Term:
    """One published number, and the range that makes its unit."""

    published: float
    lower: float
    upper: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """How many half-widths of the published range the value lies from the published number;
        NaN where there is no value."""
        ends = [value, self.published, self.lower, self.upper]
        value, published, lower, upper = map(math.log, ends) if self.logarithmic else ends
        return (value - published) / ((upper - lower) / 2)


@dataclass(frozen=True)
class Fingerprint:
    """What a variant is compared with."""

    terms: Mapping[str, Term]
    """t_grok, entropy_initial and entropy_at_grok"""
    factor: float
    """a norm expands if it gets to this factor of its least value so far, before T_grok"""
    weight: float
    """the fourth term of a variant in which no norm expands"""


def fingerprint(path: Path = CLAIMS) -> Fingerprint:
    """As it was written down before the runs."""
    found = yaml.safe_load(path.read_text())["fingerprint"]
    terms = {
        name: Term(term["published"], term["lower"], term["upper"], term["scale"] == "log")
        for name, term in found["terms"].items()
    }
    return Fingerprint(terms, found["expansion"]["factor"], found["expansion"]["weight"])


def expands(norms: ArrayLike, factor: float) -> bool:
    """Whether a norm, (evaluations,), at some evaluation is `factor` times its least value so
    far."""
    norms = np.asarray(norms, dtype=float)
    return bool((norms >= factor * np.fmin.accumulate(norms)).any())


def variants(tables: Tables, against: Fingerprint | None = None) -> pd.DataFrame:
    """A row per variant, the nearest first: the dials, then runs, grokked, t_grok (mean, in steps),
    entropy_initial and entropy_at_grok (means), expanding (share of the runs whose norm expands
    before T_grok), a term for each (term_t_grok, …, term_expansion), distance, and state:
    "admissible", or why it is not (yet).

    A variant of which a run did not grok has no mean T_grok and so no distance: the mean of those
    that did is of something else. Its other numbers are of the runs that have them. Variants
    without a distance come last. Raises InputError where a measure is missing.
    """
    against = against or fingerprint()
    if missing := [name for name in MEASURES if name not in tables.curves]:
        raise InputError(f"{missing[0]}: the runs did not measure it")
    runs = _runs(tables, against.factor)
    most = int(runs.groupby(list(DIALS)).size().max())
    rows = []
    for values, of_variant in runs.groupby(list(DIALS), sort=True):
        found = {
            # the mean is NaN as soon as one of them is
            "t_grok": float(of_variant["t_grok"].mean(skipna=False)),
            "entropy_initial": float(of_variant["entropy_initial"].mean()),
            "entropy_at_grok": float(of_variant["entropy_at_grok"].mean()),
            "expanding": float(of_variant["expands"].mean()),
        }
        terms = {name: term(found[name]) for name, term in against.terms.items()}
        terms[EXPANSION] = against.weight * (1 - found["expanding"])
        rows.append(
            dict(zip(DIALS, values, strict=True))
            | {"runs": len(of_variant), "grokked": int(of_variant["t_grok"].notna().sum())}
            | found
            | {f"term_{name}": term for name, term in terms.items()}
            | {"distance": math.hypot(*terms.values()), "state": _state(of_variant, most)}
        )
    table = pd.DataFrame(rows)
    table.loc[table["state"] != ADMISSIBLE, "distance"] = math.nan
    return table.sort_values("distance", kind="stable", na_position="last", ignore_index=True)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The same table for people."""
    shown = table[list(DIALS)].copy()
    shown["grokked"] = [f"{k}/{n}" for k, n in zip(table["grokked"], table["runs"], strict=True)]
    shown["mean T_grok"] = table["t_grok"].map(number)
    shown["H̃(0)"] = [number(value, 3) for value in table["entropy_initial"]]
    shown["H̃ at T_grok"] = [number(value, 3) for value in table["entropy_at_grok"]]
    shown["norm expands"] = [f"{share:.0%}" for share in table["expanding"]]
    titles = {
        "t_grok": "time", "entropy_initial": "H̃(0)", "entropy_at_grok": "H̃*",
        EXPANSION: "expansion",
    }  # fmt: skip
    for name, title in titles.items():
        shown[f"term: {title}"] = [number(value, 2, "+") for value in table[f"term_{name}"]]
    shown["distance"] = [number(value, 2) for value in table["distance"]]
    shown["state"] = table["state"]
    return shown


def _runs(tables: Tables, factor: float) -> pd.DataFrame:
    """A row per run that has an evaluation: the dials, state, and its numbers; NaN at T_grok of a
    run that was not seen to grok."""
    rows: list[dict[str, Any]] = []
    cells = tables.cells.set_index("key")
    for key, curve in tables.curves.sort_values(["key", "step"]).groupby("key"):
        reached = CROSSINGS["t_grok"].reached(curve["test_accuracy"])
        at = int(reached.argmax()) if reached.any() else None
        until = curve.iloc[: len(curve) if at is None else at]
        rows.append(
            {dial: str(cells.loc[key, dial]) for dial in DIALS}
            | {
                "state": cells.loc[key, "state"],
                "t_grok": math.nan if at is None else float(curve["step"].iloc[at]),
                "entropy_initial": float(curve[ENTROPY].iloc[0]),
                "entropy_at_grok": math.nan if at is None else float(curve[ENTROPY].iloc[at]),
                "expands": expands(until["weight_norm"], factor),
            }
        )
    if not rows:
        raise InputError(f"{tables.folder}: no run has an evaluation yet")
    return pd.DataFrame(rows)


def _state(of_variant: pd.DataFrame, most: int) -> str:
    """`most` runs are in the variant that has most: one with fewer is still waiting for some."""
    unfinished = int((of_variant["state"] == "interrupted").sum())
    if unfinished or len(of_variant) < most:
        waiting = unfinished + most - len(of_variant)
        return f"{waiting} of {most} not finished"
    if never := int(of_variant["t_grok"].isna().sum()):
        return f"{never} of {most} did not grok"
    return ADMISSIBLE
