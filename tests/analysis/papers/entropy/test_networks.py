"""E7 and D2 on made-up runs: what an MLP is judged by, and how runs are called."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.claims.arms import Runs
from analysis.papers.entropy.tables import diagnosis, networks
from analysis.runs.experiments import NotRun
from tests.helpers.entropy_runs import BUDGET, Run, beside, claimed, reading, write

STEPS = np.arange(0, BUDGET + 1, 100)
COLLAPSING = np.linspace(0.76, 0.15, len(STEPS))


def mlp(seed: int, fraction: float, **curves: np.ndarray) -> Run:
    """Its entropy falls, it never groks; alignment above its null by 0.02."""
    names = {"entropy": "spectral/entropy_train", "accuracy": "test_accuracy",
             "alignment": "fourier/alignment"}  # fmt: skip
    found = {"spectral/entropy_train": COLLAPSING} | {names[k]: v for k, v in curves.items()}
    return Run(seed, None, settings={"arch.name": "mlp", "task.fraction": fraction}, curves=found)


def transformer(seed: int, fraction: float, groks: float | None, at_grok: float = 0.6) -> Run:
    settings: dict[str, object] = {"arch.name": "transformer", "task.fraction": fraction}
    return Run(seed, groks, at_grok=at_grok, settings=settings)


@pytest.fixture
def experiments(tmp_path: Path) -> Runs:
    rises = np.where(STEPS == 3_000, 0.2, 0.02)  # once above 0.1: it has generalised a little
    flat = np.full(len(STEPS), 0.61)
    return write(
        tmp_path,
        e7_mlp=[
            mlp(0, 0.2, alignment=np.linspace(0.1, 0.15, len(STEPS))), mlp(1, 0.2),
            mlp(2, 0.2, accuracy=rises), mlp(3, 0.2, entropy=flat), mlp(0, 0.5),
            transformer(0, 0.2, 2_000, 0.58), transformer(1, 0.2, 2_500, 0.62),
            transformer(2, 0.2, None), transformer(0, 0.5, 1_500, 0.5),
        ],
    )  # fmt: skip


def test_an_mlp_shows_the_claim_if_it_collapses_and_never_generalises(
    experiments: Runs,
) -> None:
    found = claimed(experiments, "E7-collapse")
    assert (found.shown, found.runs) == (2, 4)
    assert found.note == "H̃* 0.600 of the Transformers at a fraction of 0.2"


def test_without_a_transformer_that_groks_the_next_fraction_gives_the_threshold(
    tmp_path: Path,
) -> None:
    runs = [mlp(0, 0.2), transformer(0, 0.2, None), transformer(0, 0.35, 2_000, 0.55)]
    found = claimed(write(tmp_path / "a", e7_mlp=runs), "E7-collapse")
    assert found.note == "H̃* 0.550 of the Transformers at a fraction of 0.35"
    found = claimed(write(tmp_path / "c", e7_mlp=[runs[0], runs[2]]), "E7-collapse")
    assert found.note == "H̃* 0.550 of the Transformers at a fraction of 0.35"
    with pytest.raises(NotRun, match="no Transformer groks"):
        claimed(write(tmp_path / "b", e7_mlp=runs[:2]), "E7-collapse")


def test_nothing_is_said_of_a_run_that_is_not_finished(tmp_path: Path) -> None:
    """It may still grok: neither a failure of the Transformer nor a success of the MLP."""
    halfway = {"state": "interrupted"}
    networks_ = [
        replace(mlp(0, 0.2), **halfway), mlp(1, 0.2),
        replace(transformer(0, 0.2, None), **halfway), transformer(1, 0.2, 2_000),
    ]  # fmt: skip
    experiments = write(tmp_path / "a", e7_mlp=networks_)
    for found in (
        claimed(experiments, "E7-collapse"),
        claimed(experiments, "E7-transformer"),
    ):
        assert (found.shown, found.runs) == (1, 1)
        assert found.note.endswith("1 of 2 runs not finished")
    alone = write(tmp_path / "b", e7_mlp=networks_[2:3])
    with pytest.raises(NotRun, match="no run is finished yet"):
        claimed(alone, "E7-transformer")


def test_a_transformer_must_grok_and_cross(experiments: Runs) -> None:
    # the second's entropy stays above the mean of both, the third does not grok
    found = claimed(experiments, "E7-transformer")
    assert (found.shown, found.runs) == (1, 3)
    assert found.note == "2 of 3 grok"


def test_alignment_is_compared_with_its_null_at_the_end(experiments: Runs) -> None:
    found = claimed(experiments, "E7-alignment")
    assert found.interval.estimate == pytest.approx((0.05 + 3 * 0.02) / 4)
    assert found.interval.method == "t"


def test_alignment_rises_from_before_the_transition(tmp_path: Path) -> None:
    runs = []
    for seed, groks in enumerate((2_000, 600)):
        run = transformer(seed, 0.2, groks)
        run.curves["fourier/alignment"] = run.steps / 10_000
        runs.append(run)
    experiments = write(tmp_path, e7_mlp=[*runs, transformer(2, 0.2, None)])
    found = claimed(experiments, "E7-alignment", 1)
    # from 1,000 to 3,000; from the first evaluation, as there is none 1,000 steps before 600
    assert found.interval.estimate == pytest.approx((0.2 + 0.16) / 2)
    assert found.note == "1 of 3 runs without t_grok are left out"
    (whole,) = beside(experiments, "E7-alignment", 1).values()
    # all memorise at 200, and end at 3,000, 1,600 and, of the one that does not grok, at 5,000
    assert whole.interval.estimate == pytest.approx((0.28 + 0.14 + 0) / 3)


def test_the_table_has_a_row_per_network_and_fraction(experiments: Runs) -> None:
    table = networks.tables(experiments)["MLP and Transformer modulo 41"]
    assert table["fraction"].tolist() == ["0.2", "0.2", "0.5", "0.5"]
    assert table["network"].tolist() == ["MLP", "Transformer"] * 2
    assert table["grokked"].tolist() == ["0/4", "2/3", "0/1", "1/1"]
    shown = table["H̃ below it, test accuracy < 0.1 throughout"]
    assert shown.tolist() == ["2/4", "0/3", "1/1", "0/1"]


def test_networks_that_were_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match=r"mlp: no run .*task\.fraction: 0\.2; there are: 0\.5"):
        claimed(write(tmp_path, e7_mlp=[mlp(0, 0.5)]), "E7-alignment")
    with pytest.raises(NotRun):
        networks.tables(reading(tmp_path / "nothing"))


def base() -> list[Run]:
    """H̃* 0.6; for each run by the others' 0.605, 0.59 and 0.605. The second one goes on to 0.595,
    below the mean of all but not of the others."""
    second = Run(1, 2_500, 0.62)
    entropy = second.table("")["spectral/entropy_train"].to_numpy()
    second.curves["spectral/entropy_train"] = np.where(second.steps > 2_500, 0.595, entropy)
    return [Run(0, 2_000, 0.59), second, Run(2, 3_000, 0.59)]


def failure(seed: int, entropy: np.ndarray, **values: object) -> Run:
    settings: dict[str, object] = {"weight_decay": 0.0}
    return Run(seed, None, settings=settings, curves={"spectral/entropy_train": entropy}, **values)  # type: ignore[arg-type]


def test_runs_are_called_by_the_crossing_of_the_other_seeds_threshold(tmp_path: Path) -> None:
    late = np.where(STEPS > 3_000, 0.3, 0.8)  # collapses after the horizon
    failures = [failure(0, np.full(len(STEPS), 0.7)), failure(1, late), failure(2, COLLAPSING)]
    experiments = write(tmp_path, e1_baseline=base(), d2_failures=failures)
    sensitive = claimed(experiments, "D2")
    assert (sensitive.shown, sensitive.runs) == (2, 3)
    specific = claimed(experiments, "D2", 1)
    assert (specific.shown, specific.runs) == (2, 3)  # the last one collapses and never groks
    assert specific.note == "horizon 3,000 steps, H̃* 0.600"
    (table,) = diagnosis.tables(experiments).values()
    assert table["runs"].tolist() == ["baseline", "decay 0, fraction 0.2"]
    assert table.iloc[1, -1] == "1"


def test_mlps_are_among_the_failures_and_grokking_ones_are_not(tmp_path: Path) -> None:
    grokking = Run(1, 2_000, 0.4, settings={"arch.name": "mlp", "task.fraction": 0.5})
    experiments = write(
        tmp_path, e1_baseline=base(), e7_mlp=[mlp(0, 0.2), grokking, transformer(0, 0.2, 1_000)]
    )
    assert (claimed(experiments, "D2").shown, claimed(experiments, "D2").runs) == (
        3, 4,
    )  # fmt: skip
    assert (claimed(experiments, "D2", 1).shown, claimed(experiments, "D2", 1).runs) == (
        0, 1,
    )  # fmt: skip


def test_what_broke_off_is_left_out(tmp_path: Path) -> None:
    short = np.full(11, 0.7)
    failures = [
        failure(0, np.full(len(STEPS), 0.7)),
        failure(1, short, ends=1_000, state="interrupted"),
    ]
    experiments = write(tmp_path, e1_baseline=base(), d2_failures=failures)
    found = claimed(experiments, "D2", 1)
    assert found.runs == 1
    assert "1 runs that broke off" in found.note


def test_a_diagnosis_needs_runs_that_fail_and_a_baseline_that_does_not(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="failures, mlp_by_fraction: not run"):
        claimed(write(tmp_path / "a", e1_baseline=base()), "D2")
    never = [Run(seed, None) for seed in range(3)]
    with pytest.raises(NotRun, match="no run with spectral/entropy_train at t_grok"):
        diagnosis.tables(write(tmp_path / "b", e1_baseline=never))
    baseline_again = [Run(9, 2_000, settings={"weight_decay": 1.0})]
    experiments = write(tmp_path / "c", e1_baseline=base(), d2_failures=baseline_again)
    with pytest.raises(NotRun, match="does not grok"):
        claimed(experiments, "D2", 1)
