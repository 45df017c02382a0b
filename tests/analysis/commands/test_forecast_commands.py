"""forecast and synchrony as commands: tables, figures, and what cannot be forecast."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from tests.helpers.written import names

pytestmark = pytest.mark.usefixtures("few_resamples")


def test_forecast_prints_writes_and_draws(grokking: Path, capsys) -> None:
    assert main(["forecast", str(grokking)]) == 0
    printed = capsys.readouterr()
    for said in ("mean of the others", "Predictive intervals", "entropy gap", "lead time"):
        assert said in printed.out
    assert "t_grok was not observed in 1 of 4 runs" in printed.err
    missing = [line for line in printed.err.splitlines() if "did not measure" in line]
    (line,) = missing  # of all arms and predictors
    assert "did not measure collapse/rnc1, collapse/cdnv, flatness/kappa: no law of RNC1" in line
    errors = pd.read_csv(grokking / "tables" / "forecast_errors_t_grok.csv")
    now = errors[(errors["forecast"] == "now") & (errors["quantity"] == "error at 50%")]
    assert now["median"].tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    assert len(names(grokking / "figures")) == 4


def with_test_accuracy(folder: Path, groks_at: dict[int, float], loss: float | None = None) -> None:
    """The runs of each seed grok at a step of their own; the training loss may be constant."""
    curves = pd.read_parquet(folder / "curves.parquet")
    at = curves["seed"].map(groks_at)
    curves["test_accuracy"] = np.where(curves["step"] >= at, 1.0, 0.01)
    if loss is not None:
        curves["train_loss"] = loss
    curves.to_parquet(folder / "curves.parquet")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("groks_at", "loss", "code", "said"),
    [
        ((0, 0, 0, 0), None, 2, "t_grok at the first evaluation of all 4 runs: nothing comes befo"),
        ((200, 200, 200, 200), None, 0, "no R² out of sample: no remaining time differs from the"),
        ((0, 200, 2000, 2200), None, 0, "1 of 4 runs with t_grok have no evaluation with train_l"),
        ((2000, 2200, 2400, 2600), 0.0, 0, "training loss gap (log) left out: the predictor has n"),
        ((2000, 2200, 2400, 2600), np.nan, 2, "the predictor has no value before the event"),
        ((9e9, 9e9, 9e9, 9e9), None, 2, "t_grok was not observed in 4 of 4 runs"),
        ((2000, 9e9, 9e9, 9e9), None, 2, "1 runs had t_grok: no forecast; needs ≥ 3"),
    ],
)
def test_forecasts_of_degenerate_runs_say_why(
    grokking: Path, groks_at: tuple[float, ...], loss: float | None, code: int, said: str, capsys
) -> None:
    with_test_accuracy(grokking, dict(enumerate(groks_at)), loss)
    assert main(["forecast", str(grokking), "--predictor", "train_loss"]) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert all(line.startswith(("note: ", "error: ")) for line in printed.err.splitlines())
    assert printed.err.count("error: ") == (code == 2)


def test_synchrony_prints_and_writes(grokking: Path, capsys) -> None:
    command = ["synchrony", str(grokking), "--second", "spectral/entropy_train"]
    assert main([*command, "--given", "train_loss", "--by", "optimizer.betas"]) == 0
    assert (
        "From test_accuracy to spectral/entropy_train, given train_loss" in capsys.readouterr().out
    )
    (path,) = (grokking / "tables").glob("synchrony*.csv")
    table = pd.read_csv(path)
    assert table["n"].tolist() == [4, 4]
    assert table["observed"].tolist() == [3, 4]
    assert table["lag"][1] < 0  # the entropy is half-way down before accuracy jumps
    assert table["earlier"].tolist() == [3, 4]
    assert "partial_levels" in table
