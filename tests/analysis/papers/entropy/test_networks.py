"""E7 and D2 on made-up runs: what an MLP is judged by, and how runs are called."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.papers.entropy.estimates import diagnosis, networks
from analysis.runs.experiments import Experiments, NotRun
from tests.helpers.entropy_runs import BUDGET, Run, write

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
def experiments(tmp_path: Path) -> Experiments:
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
    experiments: Experiments,
) -> None:
    found = networks.mlp_collapsed_without_grokking(experiments)
    assert (found.shown, found.runs) == (2, 4)
    assert found.note == "at a fraction of 0.2; H̃* 0.600 of the Transformers at 0.2"


def test_without_a_transformer_that_groks_the_next_fraction_gives_the_threshold(
    tmp_path: Path,
) -> None:
    runs = [mlp(0, 0.2), transformer(0, 0.2, None), transformer(0, 0.35, 2_000, 0.55)]
    found = networks.mlp_collapsed_without_grokking(write(tmp_path / "a", e7_mlp=runs))
    assert found.note.endswith("H̃* 0.550 of the Transformers at 0.35, as none groks at 0.2")
    found = networks.mlp_collapsed_without_grokking(
        write(tmp_path / "c", e7_mlp=[runs[0], runs[2]])
    )
    assert found.note.endswith("0.35, as none was run at 0.2")
    with pytest.raises(NotRun, match="no Transformer groks"):
        networks.mlp_collapsed_without_grokking(write(tmp_path / "b", e7_mlp=runs[:2]))


def test_nothing_is_said_of_a_run_that_is_not_finished(tmp_path: Path) -> None:
    """It may still grok: neither a failure of the Transformer nor a success of the MLP."""
    halfway = {"state": "interrupted"}
    networks_ = [
        replace(mlp(0, 0.2), **halfway), mlp(1, 0.2),
        replace(transformer(0, 0.2, None), **halfway), transformer(1, 0.2, 2_000),
    ]  # fmt: skip
    experiments = write(tmp_path / "a", e7_mlp=networks_)
    for found in (
        networks.mlp_collapsed_without_grokking(experiments),
        networks.transformer_grokked(experiments),
    ):
        assert (found.shown, found.runs) == (1, 1)
        assert found.note.endswith("1 of 2 runs not finished")
    alone = write(tmp_path / "b", e7_mlp=networks_[2:3])
    with pytest.raises(NotRun, match="no run is finished yet"):
        networks.transformer_grokked(alone)


def test_a_transformer_must_grok_and_cross(experiments: Experiments) -> None:
    # the second's entropy stays above the mean of both, the third does not grok
    found = networks.transformer_grokked(experiments)
    assert (found.shown, found.runs) == (1, 3)
    assert found.note == "at a fraction of 0.2, 2 of 3 grok"


def test_alignment_is_compared_with_its_null_at_the_end(experiments: Experiments) -> None:
    found = networks.mlp_alignment_excess(experiments)
    assert found.interval.estimate == pytest.approx((0.05 + 3 * 0.02) / 4)
    assert found.interval.method == "t"


def test_alignment_rises_from_before_the_transition(tmp_path: Path) -> None:
    runs = []
    for seed, groks in enumerate((2_000, 600)):
        run = transformer(seed, 0.2, groks)
        run.curves["fourier/alignment"] = run.steps / 10_000
        runs.append(run)
    found = networks.transformer_alignment_rise(
        write(tmp_path, e7_mlp=[*runs, transformer(2, 0.2, None)])
    )
    # from 1,000 to 3,000; from the first evaluation, as there is none 1,000 steps before 600
    assert found.interval.estimate == pytest.approx((0.2 + 0.16) / 2)
    assert found.note.endswith("1 of 3 runs that did not grok are left out")
    # both memorise at 200, and end at 3,000 and 1,600
    assert f"from the end of memorisation +{(0.28 + 0.14) / 2:.2f}" in found.note


def test_the_table_has_a_row_per_network_and_fraction(experiments: Experiments) -> None:
    table = networks.tables(experiments)["MLP and Transformer modulo 41"]
    assert table["fraction"].tolist() == ["0.2", "0.2", "0.5", "0.5"]
    assert table["network"].tolist() == ["MLP", "Transformer"] * 2
    assert table["grokked"].tolist() == ["0/4", "2/3", "0/1", "1/1"]
    shown = table["H̃ below it, test accuracy < 0.1 throughout"]
    assert shown.tolist() == ["2/4", "0/3", "1/1", "0/1"]


def test_networks_that_were_not_run(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="no run of an mlp at a fraction of 0"):
        networks.mlp_alignment_excess(write(tmp_path, e7_mlp=[mlp(0, 0.5)]))
    with pytest.raises(NotRun):
        networks.tables(Experiments(tmp_path / "nothing"))


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
    sensitive = diagnosis.sensitivity(experiments)
    assert (sensitive.shown, sensitive.runs) == (2, 3)
    specific = diagnosis.specificity(experiments)
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
    assert (diagnosis.sensitivity(experiments).shown, diagnosis.sensitivity(experiments).runs) == (
        3, 4,
    )  # fmt: skip
    assert (diagnosis.specificity(experiments).shown, diagnosis.specificity(experiments).runs) == (
        0, 1,
    )  # fmt: skip
    assert diagnosis.specificity(experiments).note.endswith("MLPs modulo 41 are held as well")


def test_what_broke_off_is_left_out(tmp_path: Path) -> None:
    short = np.full(11, 0.7)
    failures = [
        failure(0, np.full(len(STEPS), 0.7)),
        failure(1, short, ends=1_000, state="interrupted"),
    ]
    experiments = write(tmp_path, e1_baseline=base(), d2_failures=failures)
    found = diagnosis.specificity(experiments)
    assert found.runs == 1
    assert "1 runs that broke off" in found.note


def test_a_diagnosis_needs_runs_that_fail_and_a_baseline_that_does_not(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="d2_failures, e7_mlp: not run"):
        diagnosis.sensitivity(write(tmp_path / "a", e1_baseline=base()))
    never = [Run(seed, None) for seed in range(3)]
    with pytest.raises(NotRun, match="no run grokked"):
        diagnosis.tables(write(tmp_path / "b", e1_baseline=never))
    baseline_again = [Run(9, 2_000, settings={"weight_decay": 1.0})]
    experiments = write(tmp_path / "c", e1_baseline=base(), d2_failures=baseline_again)
    with pytest.raises(NotRun, match="does not grok"):
        diagnosis.specificity(experiments)
