"""The monitor against independent computations, by made-up histories, and on stored runs."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from grokpipe.curves.forecast import calibrate
from grokpipe.curves.gap import pool
from grokpipe.curves.phases import ADVICE, Dials, Seen, crossed, phase
from grokpipe.errors import InputError
from grokpipe.measures.spectral import spectral_entropy
from grokpipe.monitor import PUBLISHED, SpectralEntropyMonitor, entropy
from tests.cli import ENVIRONMENT, ROOT

STORED = ROOT / "outputs" / "reference" / "entropy" / "second_beta"
ARM = {"optimizer.betas": "[0.9, 0.98]"}


def features(seed: int = 0, n: int = 64, d: int = 8, scale: float = 1.0) -> torch.Tensor:
    draws = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, d, generator=draws) * torch.arange(1, d + 1)


def by_numpy(z: torch.Tensor, d: int) -> float:
    shares = np.linalg.svd(z.double().numpy() - z.double().numpy().mean(0), compute_uv=False) ** 2
    shares = shares[shares > 1e-12] / shares.sum()
    return float(-(shares * np.log(shares)).sum() / math.log(d))


def test_entropy_is_that_of_the_measure_and_of_numpy() -> None:
    z = features()
    assert entropy(z) == spectral_entropy(z)
    assert entropy(z) == pytest.approx(by_numpy(z, 8), rel=1e-9)


def test_a_capped_probe_is_normalised_by_its_rank() -> None:
    z = features(n=12, d=30)
    assert entropy(z, capped=True) == pytest.approx(by_numpy(z, 11), rel=1e-9)
    many = features(n=64, d=8)
    assert entropy(many, capped=True) == entropy(many)  # enough samples: nothing is capped


def seen(*entropies: float, every: int = 100, **last: float) -> list[Seen]:
    """A history; `last` is told at the last update, training accuracy 1 throughout."""
    found = [Seen(i * every, value, train_accuracy=1.0) for i, value in enumerate(entropies)]
    if last:
        end = found[-1]
        found[-1] = Seen(end.step, end.entropy, **{"train_accuracy": 1.0, **last})
    return found


HIGH = [0.85] * 6


@pytest.mark.parametrize(
    "history, expected",
    [
        # the five rows of the guide
        ([Seen(100 * i, 0.85, 1.0, math.nan, 40.0 + i) for i in range(8)], "norm expansion"),
        (seen(*HIGH, 0.84, 0.82, 0.79), "entropy collapse"),
        (seen(*HIGH, 0.62, 0.61), "near threshold"),
        (seen(*HIGH, 0.55, *[0.5] * 12, test_accuracy=0.02), "collapse without generalisation"),
        (seen(*[0.85] * 110), "stagnant"),
        # and what lies between them
        ([Seen(0, 0.85), Seen(100, 0.85)], "plateau"),
        (seen(*HIGH, 0.74), "entropy collapse"),  # within the activation gap
        (seen(*HIGH, 0.59), "crossed"),
        (seen(*HIGH, 0.59, test_accuracy=0.02), "crossed"),  # not for 1,000 steps yet
        (seen(*HIGH, 0.55, *[0.5] * 12, test_accuracy=0.7), "crossed"),
        (seen(*HIGH, 0.55, test_accuracy=1.0), "grokked"),
        (seen(*HIGH, 0.85, test_accuracy=0.995), "grokked"),
    ],
)
def test_phases_of_the_guide(history, expected) -> None:
    assert phase(history, 0.6, Dials()) == expected
    assert ADVICE[expected]


def test_stagnation_counts_from_memorisation_on() -> None:
    learning = [Seen(100 * i, 0.85, train_accuracy=0.5) for i in range(150)]
    assert phase(learning, 0.6, Dials()) != "stagnant"
    memorised = learning + [Seen(15_000 + 100 * i, 0.85, train_accuracy=1.0) for i in range(102)]
    assert phase(memorised[:-1], 0.6, Dials()) != "stagnant"
    assert phase(memorised, 0.6, Dials()) == "stagnant"
    assert phase(memorised, 0.6, Dials(stagnation=20_000)) != "stagnant"


def test_it_stops_a_thousand_steps_after_the_crossing() -> None:
    monitor = SpectralEntropyMonitor(threshold=0.6)
    monitor.history = seen(0.8, 0.7, 0.59)
    stops = []
    for step in range(300, 1500, 100):
        monitor.history.append(Seen(step, 0.65))  # it may return above it
        stops.append(monitor.state().should_stop)
    assert crossed(monitor.history, 0.6) == 200
    assert stops == [step >= 1200 for step in range(300, 1500, 100)]


def test_the_predictor_is_on_within_the_activation_gap_and_by_the_published_law() -> None:
    monitor = SpectralEntropyMonitor(threshold=0.6)
    monitor.history = seen(0.85, 0.8)
    assert monitor.state().forecast is None
    monitor.history = seen(0.85, 0.7)
    found = monitor.state().forecast
    assert found is not None
    assert found.step == pytest.approx(100 + 2.45e5 * 0.1**1.65)
    assert math.isnan(found.lower) and "no pilot runs" in found.note
    assert PUBLISHED.threshold == 0.609


def stored(seed: int | None = None) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    cells = pd.read_parquet(STORED / "cells.parquet").set_index("key")
    curves = pd.read_parquet(STORED / "curves.parquet")
    keys = cells.index[cells["optimizer.betas"] == "[0.9, 0.98]"]
    return [curves[curves["key"] == key].sort_values("step") for key in keys], cells


def test_calibration_by_hand() -> None:
    monitor = SpectralEntropyMonitor.calibrate(STORED, where=ARM)
    runs, _ = stored()
    at = [run[run["test_accuracy"] >= 0.99].iloc[0] for run in runs]
    levels = np.array([row["spectral/entropy_train"] for row in at])
    assert monitor.threshold == pytest.approx(levels.mean())
    assert monitor.pilots is not None
    assert (monitor.pilots.runs, monitor.pilots.never) == (10, 0)
    half = 2.2621571628 * levels.std(ddof=1) / math.sqrt(10)  # t with 9 degrees of freedom
    assert monitor.pilots.upper - monitor.threshold == pytest.approx(half)


def test_forecasts_are_those_of_the_curves() -> None:
    runs, _ = stored()
    steps = [run[run["test_accuracy"] >= 0.99]["step"].iloc[0] for run in runs]
    until = [run[run["step"] <= step] for run, step in zip(runs, steps)]
    entropies = [run["spectral/entropy_train"].to_numpy() for run in until]
    made = calibrate(pool(entropies, [s - run["step"].to_numpy() for run, s in zip(until, steps)]))
    expected = made.forecast(8_000, 0.7)
    monitor = SpectralEntropyMonitor.calibrate(STORED, where=ARM)
    monitor.history = [Seen(8_000, 0.7)]
    found = monitor.predict_grok_time()
    assert (found.step, found.lower, found.upper) == (
        float(expected.step), float(expected.lower), float(expected.upper),
    )  # fmt: skip
    assert found.lower <= found.step <= found.upper and "10 pilot runs" in found.note


def test_it_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    whole = SpectralEntropyMonitor.calibrate(STORED, where=ARM)
    for step in range(5):
        whole.update(step, features(step), train_accuracy=0.5, norm=3.0)
    whole.save(tmp_path / "monitor.json")
    back = SpectralEntropyMonitor.load(tmp_path / "monitor.json")
    again, expected = (m.update(9, features(9), test_accuracy=0.1) for m in (back, whole))
    assert again == expected
    assert list(map(repr, back.history)) == list(map(repr, whole.history))  # NaN is NaN
    (tmp_path / "monitor.json").write_text('{"threshold": 0.6')
    with pytest.raises(InputError, match="not a saved monitor"):
        SpectralEntropyMonitor.load(tmp_path / "monitor.json")


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.ReLU(), nn.Linear(5, 2)
    )


def trained(monitor: SpectralEntropyMonitor | None) -> dict[str, torch.Tensor]:
    """With dropout and batch normalisation, which a look must not disturb."""
    model, x = network(), torch.randn(32, 6, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.AdamW(model.parameters())
    torch.manual_seed(4)
    model[1].eval()  # a part that is frozen stays so
    for step in range(6):
        if monitor is not None:
            monitor.update(step, model)
            assert model.training and model[2].training and not model[1].training
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.state_dict()


def test_training_is_bitwise_what_it_is_without_monitor() -> None:
    probe = torch.randn(40, 6, generator=torch.Generator().manual_seed(2))

    def noisy(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        return model[:4](x) + 0.1 * torch.randn(40, 5)  # draws, too

    monitor = SpectralEntropyMonitor(probe, noisy)
    watched, alone = trained(monitor), trained(None)
    assert all(torch.equal(watched[name], alone[name]) for name in alone)
    assert len({seen.entropy for seen in monitor.history}) == 6
    assert not torch.is_grad_enabled() or all(p.requires_grad for p in network().parameters())


BAD = {
    "a probe of 8 samples for 8 dimensions": lambda m: m.update(0, features(n=8)),
    r"features of shape \(64,\): must be": lambda m: m.update(0, torch.ones(64)),
    r"shape \(4, 4, 4\)": lambda m: m.update(0, torch.ones(4, 4, 4)),
    "features: not finite": lambda m: m.update(0, features() * math.nan),
    "the same for all samples": lambda m: m.update(0, torch.ones(64, 8) * 0.1),
    "step=5: must be above the last one, 5": lambda m: [m.update(5, features()) for _ in "ab"],
    "step=4: must be above": lambda m: [m.update(step, features()) for step in (5, 4)],
    "features=None": lambda m: m.update(0, network()),
    "no update yet": lambda m: m.predict_grok_time(),
    "threshold=1: must be between 0 and 1": lambda m: SpectralEntropyMonitor(threshold=1),
    "threshold=0: must be": lambda m: SpectralEntropyMonitor(threshold=0),
    "threshold=nan": lambda m: SpectralEntropyMonitor(threshold=math.nan),
    "near=-1: must be ≥ 0": lambda m: SpectralEntropyMonitor(dials=Dials(near=-1)),
    "the runs differ in optimizer.betas": lambda m: m.calibrate(STORED),
    "where lr=7: no such run": lambda m: m.calibrate(STORED, where={"lr": 7}),
    "where wd: no such key": lambda m: m.calibrate(STORED, where={"wd": 1}),
    "neither run logs": lambda m: m.calibrate(ROOT / "docs"),
    "of 5 runs 0 grokked": lambda m: m.calibrate(
        ROOT / "outputs/reference/collapse/weight_decay", where={"weight_decay": 0.1}
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_one_line_and_loses_nothing(message) -> None:
    monitor = SpectralEntropyMonitor()
    with pytest.raises(InputError, match=message) as raised:
        BAD[message](monitor)
    assert "\n" not in str(raised.value)
    assert len(monitor.history) == (1 if message.startswith("step=") else 0)


def test_run_logs_calibrate_too(token_cell, tmp_path: Path) -> None:
    from tests.training import trained as train

    cells = [token_cell(f"seed={seed}", "steps=20") for seed in (0, 1)]
    train(cells, tmp_path / "cells")
    with pytest.raises(InputError, match="grokked with a defined entropy"):
        SpectralEntropyMonitor.calibrate(tmp_path)


def test_the_example_runs(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "examples" / "monitor.py"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert "entropy collapse" in ran.stdout and "test accuracy" in ran.stdout
