"""The claims and tables of the collapse paper on made-up runs: judged, or told as not run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.claims import judge, reading
from analysis.claims.arms import Runs
from analysis.claims.judge import Judged
from analysis.claims.schema import Paper
from analysis.papers.collapse.tables import exponents, networks, sizes, synchrony, theorems, times
from analysis.report import words
from analysis.runs.experiments import NotRun
from tests.helpers.collapse_runs import Network, write

DECAYS = (0.03, 0.1, 0.3)


@pytest.fixture(scope="module")
def paper() -> Paper:
    return reading.read("collapse")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """τ1 free of λ, test accuracy and RNC1 at about 1/λ; and the network of three layers alone
    under another experiment's name."""
    grid = [
        Network(seed, decay, fits=1_000 + 100 * seed, groks=round(450 / decay, -2) + 100 * seed,
                collapses=round(500 / decay, -2) + 100 * seed)
        for decay in DECAYS for seed in range(5)
    ]  # fmt: skip
    shallow = [Network(seed, 0.1, settings={"arch.depth": 2}) for seed in range(2)]
    return write(tmp_path_factory.mktemp("collapse"), weight_decay=grid, released=shallow)


@pytest.fixture(scope="module")
def runs(paper: Paper, folder: Path) -> Runs:
    return paper.runs(folder)


def judged(paper: Paper, runs: Runs, *ids: str) -> dict[str, Judged]:
    wanted = [claim for claim in paper.claims if claim.id in ids or not ids]
    return {one.claim.id: one for one in judge.judge(wanted, runs)}


def test_claims_with_runs_get_the_verdict_that_they_were_made_for(paper: Paper, runs: Runs) -> None:
    found = judged(paper, runs, "C1", "C2", "C3-lag", "C10-decay", "C13", "C17", "C5-nhsic")
    assert {id: one.verdict for id, one in found.items()} == {
        "C1": "reproduced", "C2": "reproduced", "C3-lag": "reproduced", "C5-nhsic": "not run",
        "C10-decay": "reproduced", "C13": "not run", "C17": "not run",
    }  # fmt: skip
    assert "at λ = 0.03" in words.sentence(found["C3-lag"])
    said = "arm decays: the runs have no column information/nhsic_difference; nearest: "
    assert found["C5-nhsic"].unmatched[0].startswith(said)


def test_another_network_under_the_experiment_s_name_is_not_the_paper_s(
    paper: Paper, tmp_path: Path
) -> None:
    shallow = [Network(seed, 0.1, settings={"arch.depth": 2}) for seed in range(2)]
    every = judged(paper, paper.runs(write(tmp_path, weight_decay=shallow)))
    assert len(every) == len(paper.claims)
    assert {one.verdict for one in every.values()} == {"not run"}
    assert "has arch.depth: 3; there are: 2" in words.sentence(every["C1"])


def test_criteria_of_several_arms_are_told_apart(paper: Paper, runs: Runs) -> None:
    (found,) = judged(paper, runs, "C1-table").values()
    said = words.sentence(found)
    assert "mean time (λ = 0.3) 1,200" in said and "mean time (λ = 0.1) 1,200" in said
    assert "mean time (λ = 0.003) unknown (arm decay_0_003: no run of weight_decay has" in said


def test_every_claim_names_its_runs_before_there_are_any(paper: Paper, tmp_path: Path) -> None:
    runs = paper.runs(tmp_path)
    for claim in paper.claims:
        for criterion in claim.criteria:
            with pytest.raises(NotRun, match="not run"):
                criterion.call(runs)


def test_times_by_decay_with_the_event_that_the_grid_was_made_by(runs: Runs) -> None:
    found = times.tables(runs)
    assert list(found) == [
        "Table 1: times, MLP", "Table 1: times, released MLP",
        "Table 1: the last step below a training accuracy of 1",
    ]  # fmt: skip
    table = found["Table 1: times, MLP"].set_index("λ")
    assert list(table.index) == ["0.3", "0.1", "0.03"]
    assert table["tau2_half"]["0.1"].startswith("4,700 [4,500")
    assert table["tau_rnc1@0.1"]["0.03"].startswith("16,900 [16,700")
    unfitted = found["Table 1: the last step below a training accuracy of 1"]
    assert unfitted["median"].tolist() == ["1,100"] * 3


def test_exponents_and_delays_of_what_was_run(runs: Runs) -> None:
    (table,) = exponents.tables(runs).values()
    k = table.set_index(["runs of", "event"])["k, in λ [95 %]"]
    assert k["MLP", "tau1"].startswith(("0.00 [", "−0.00 ["))
    assert 0.9 < float(k["MLP", "tau_rnc1@0.1"].split()[0]) < 1.1
    assert k["released MLP", "tau1"] == "–"
    reason = "weight_decay=0.1 in all runs: needs two values to fit"
    assert set(table.loc[table["runs of"] == "released MLP", "said"]) == {reason}
    (delays,) = networks.tables(runs).values()
    first = delays.iloc[0]
    assert (first["runs of"], first["λ"], first["runs"]) == ("MLP", "0.03", "5")
    factor = float(first["its half-change over training accuracy's"].split()[0])
    each = [(15_000 + 100 * seed) / (1_000 + 100 * seed) for seed in range(5)]
    assert factor == pytest.approx(stats.gmean(each), abs=0.01)


def test_what_snapshots_give_waits_for_them(paper: Paper, runs: Runs, tmp_path: Path) -> None:
    for module in (synchrony, theorems):
        with pytest.raises(NotRun, match="decays: "):
            module.tables(runs)
    with pytest.raises(NotRun, match="train_size: not run"):
        sizes.tables(runs)
    grid = []
    for seed in range(3):
        run = Network(seed, 0.1, collapses=5_000 + 100 * seed)
        rnc1 = run.curve()["collapse/rnc1"].where(run.steps % 500 == 0).to_numpy()
        late = np.where(run.steps % 500 == 0, run.jump(run.collapses + 1_000, 30, 2), np.nan)
        run.curves.update({
            "information/nhsic_difference": late, "theorem/bound": rnc1 * 10,
            "theorem/bound_train": rnc1, "theorem/bound_directional": rnc1 * 5,
            **{f"information/{kind}_0.3": rnc1 * (1 + n) for n, kind in
               enumerate(("conditional", "gaussian_bound", "trace_bound"))},
        })  # fmt: skip
        grid.append(run)
    few = paper.runs(write(tmp_path, weight_decay=grid))
    halves, ratios = synchrony.tables(few).values()
    assert halves["nHSIC"].item() == "6,500" and halves["RNC1"].item() == "5,500"
    each = [6 / 5, 6.5 / 5.5, 6.5 / 5.5]
    assert ratios["nHSIC [95 %]"].item().startswith(f"{stats.gmean(each):.2f} [")
    errors, bounds = theorems.tables(few).values()
    row = errors.iloc[0]
    assert (row["error"], row["bound"]) == ("0.100", "0.200")
    assert row["evaluations at which the bound is below 1"] == "74 %"
    assert bounds.iloc[0].tolist() == ["0.1", "0.3", "0.020", "0.040", "0.060"]


def test_the_gap_by_size_and_its_slope(paper: Paper, tmp_path: Path) -> None:
    grid = []
    for size in (500, 2_000, 8_000):
        for seed in range(3):
            run = Network(seed, 0.1, settings={"train_size": size})
            run.curves["collapse/rnc1_test"] = run.curve()["collapse/rnc1"].to_numpy() + (
                (2 + 0.1 * seed * (size == 500)) / size**0.5
            )
            grid.append(run)
    ((name, table),) = sizes.tables(paper.runs(write(tmp_path, train_size=grid))).items()
    assert name.startswith("Theorem 4.1: gap by training images, slope −0.52 [")
    assert table["gap · √n"].tolist() == ["2.1", "2.0", "2.0"]
    assert isinstance(table, pd.DataFrame) and table["training images"].iloc[1] == "2,000"
