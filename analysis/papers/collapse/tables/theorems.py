"""Theorems 3.2 and 3.4 of Sakamoto & Sato (2026) along training, by decay: what is bounded beside
its bounds."""

import pandas as pd

from analysis.claims.arms import Runs
from analysis.papers.collapse.estimates.theorems import BOUND, BOUNDS, ESTIMATE, SIGMAS
from analysis.papers.collapse.tables._rows import arms, last, mean, of_runs
from analysis.runs.experiments import NotRun

ERROR = {
    BOUND: "bound",
    "theorem/bound_directional": "bound, variance along w_c − w_k",
    "theorem/bound_train": "bound, moments of the training set",
}
INFORMATION = {ESTIMATE: "I(Z;X|Y)", BOUNDS[0]: "by covariances", BOUNDS[1]: "by their traces"}


def tables(runs: Runs) -> dict[str, pd.DataFrame]:
    """At the end of training, a row per decay. Raises NotRun where neither theorem was measured."""
    shown = {
        "Theorem 3.2: error and its bound at the end": _errors(runs),
        "Theorem 3.4: I(Z;X|Y) in nats and its bounds at the end": _information(runs),
    }
    found = {name: pd.DataFrame(rows[::-1]) for name, rows in shown.items() if rows}
    if not found:
        raise NotRun("decays: neither theorem was measured yet")
    return found


def _errors(runs: Runs) -> list[dict[str, str]]:
    rows = []
    for _, decay, arm in arms(runs, ["decays"]):
        if last(arm, BOUND).empty:
            continue
        told = of_runs(arm, lambda curve: (curve[BOUND].dropna() < 1).mean())
        row = {"λ": decay, "error": mean(1 - last(arm, "test_accuracy"), runs)}
        row |= {said: mean(last(arm, column), runs) for column, said in ERROR.items()}
        row["evaluations at which the bound is below 1"] = f"{100 * told.mean():.0f} %"
        rows.append(row)
    return rows


def _information(runs: Runs) -> list[dict[str, str]]:
    return [
        {"λ": decay, "σ": sigma}
        | {said: mean(last(arm, name.format(sigma)), runs) for name, said in INFORMATION.items()}
        for _, decay, arm in arms(runs, ["decays"])
        for sigma in SIGMAS[::-1]
        if len(last(arm, ESTIMATE.format(sigma)))
    ]
