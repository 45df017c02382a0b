"""The monitor in training loops that are not ours, and on the stored runs."""

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from grokpipe.curves.forecast import fit_forecaster
from grokpipe.curves.gap import pool
from grokpipe.curves.phases import Guide
from grokpipe.errors import InputError
from grokpipe.measures.spectral import spectral_entropy
from grokpipe.monitor.monitor import SpectralEntropyMonitor
from tests.helpers.cli import ENVIRONMENT, ROOT
from tests.helpers.monitored import ARM, FOLDER, PROBE, Network, body, replay, with_entropy


def trained(monitor: SpectralEntropyMonitor | None) -> dict[str, torch.Tensor]:
    """Parameters and buffers after 30 steps on batches drawn by the generator dropout uses."""
    torch.manual_seed(0)
    model = Network()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    inputs = torch.randn(200, 10)
    labels = torch.randint(3, (200,))
    for step in range(30):
        rows = torch.randint(200, (32,))
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs[rows]), labels[rows])
        loss.backward()
        if monitor:  # between backward and step, where it could do most harm
            monitor.update(step, model, train_accuracy=0.5)
        optimizer.step()
    return model.state_dict()


def test_training_is_the_same_with_and_without() -> None:
    monitor = SpectralEntropyMonitor(PROBE, body, threshold=0.61)
    with_monitor, without = trained(monitor), trained(None)
    assert len(monitor.history) == 30
    assert with_monitor.keys() == without.keys()
    for name, value in without.items():
        assert torch.equal(with_monitor[name], value), name


def test_an_update_takes_the_features_in_evaluation_mode() -> None:
    torch.manual_seed(0)
    model = Network()
    monitor = SpectralEntropyMonitor(PROBE, features=body, threshold=0.61)
    state = monitor.update(0, model, train_accuracy=0.2, test_accuracy=0.1)
    norm = math.sqrt(sum(p.square().sum().item() for p in model.parameters()))
    model.eval()
    expected = spectral_entropy(body(model, PROBE).detach())
    assert state.entropy == pytest.approx(expected, abs=1e-9)
    row = monitor.history.iloc[0].to_dict()
    assert row == {
        "step": 0, "entropy": state.entropy, "train_accuracy": 0.2, "test_accuracy": 0.1,
        "norm": pytest.approx(norm, rel=1e-6),
    }  # fmt: skip


def test_a_plain_tensor_is_enough() -> None:
    monitor = SpectralEntropyMonitor(threshold=0.61)
    (state,) = replay(monitor, [0.8])
    assert state.entropy == pytest.approx(0.8, abs=1e-9)
    assert monitor.history["norm"].isna().all()
    with pytest.raises(InputError, match="features=None: update needs a function"):
        monitor.update(200, Network(), train_accuracy=1.0)


def test_a_run_from_expansion_to_its_end() -> None:
    """What a user sees: phases, the forecast from the activation gap on, the end by the rule."""
    monitor = SpectralEntropyMonitor(threshold=0.61)
    entropies = [0.8] * 6 + [0.78, 0.76, 0.74, 0.72, 0.7, 0.66, 0.63] + [0.55] * 11
    states = replay(monitor, entropies, test=0.05, norm=30.0)
    assert [state.phase for state in states] == [
        *["undecided"] * 8, *["entropy collapse"] * 4, "near threshold",
        *["crossed"] * 10, "collapse without generalisation",
    ]  # fmt: skip
    assert [state.forecast is not None for state in states] == [False] * 8 + [True] * 16
    assert [state.should_stop for state in states] == [False] * 23 + [True]
    at_066 = states[11]
    assert at_066.forecast.step == pytest.approx(1_100 + 2.45e5 * 0.05**1.65)
    assert (at_066.forecast.lower, at_066.forecast.upper) == (None, None)
    assert "no interval: not calibrated" in str(at_066)
    assert "at or below 0.610 since step 1,300, for 1,000 steps" in states[-1].reason
    assert "Stop: " in str(states[-1])
    assert "inductive bias" in str(states[-1])


def test_a_grokked_run_needs_no_forecast() -> None:
    monitor = SpectralEntropyMonitor(threshold=0.61)
    replay(monitor, [0.65])
    (state,) = replay(monitor, [0.62], test=0.995, start=100)
    assert (state.phase, state.forecast) == ("grokked", None)
    assert monitor.predict_grok_time().step == 100
    assert monitor.predict_grok_time().note == "observed"


@pytest.mark.parametrize("later", [0.9, None])
def test_a_run_that_falls_back_gets_no_forecast(later: float | None) -> None:
    """It would be of a step that has passed."""
    monitor = SpectralEntropyMonitor(threshold=0.61)
    replay(monitor, [0.65], test=0.99)
    (state,) = replay(monitor, [0.62], test=later, start=100)
    assert (state.phase, state.forecast) == ("grokked", None)
    assert "fallen back" in state.advice


def test_a_slow_fall_is_forecast_as_the_advice_says() -> None:
    """Far above the threshold, and never by 0.05 over five evaluations."""
    slow = replay(SpectralEntropyMonitor(threshold=0.3), np.linspace(0.8, 0.7, 40), norm=30.0)
    assert "entropy collapse" in {state.phase for state in slow}
    for state in slow:
        assert (state.forecast is not None) == ("use the forecast" in state.advice)


def test_a_stable_forecast_can_end_a_run() -> None:
    guide = Guide(stop="stable forecast", stability_horizon=500)
    gaps = ((4_000 - 100 * np.arange(8.0)) / 2.45e5) ** (1 / 1.65)  # exactly on the law
    states = replay(SpectralEntropyMonitor(threshold=0.61, guide=guide), 0.61 + gaps)
    assert [state.should_stop for state in states] == [False] * 5 + [True] * 3
    assert "between 4,000 and 4,000" in states[-1].reason


def test_forecasts_of_the_stored_runs() -> None:
    """Each stored entropy gives the step and interval of `grokpipe.curves.forecast`."""
    curves = pd.read_parquet(FOLDER / "curves.parquet")
    curves = curves[curves["optimizer.betas"] == ARM["optimizer.betas"]]
    x, remaining = [], []
    for _, run in curves.groupby("key"):
        x.append(run["spectral/entropy_train"].to_numpy())
        groks_at = run["step"][run["test_accuracy"] >= 0.99].min()
        remaining.append(groks_at - run["step"].to_numpy(float))
    forecaster = fit_forecaster(pool(x, remaining))
    run = curves[curves["seed"] == 4].iloc[60:100:13]
    monitor = SpectralEntropyMonitor.calibrate(FOLDER, arm=ARM)
    assert monitor.threshold == pytest.approx(0.6395, abs=1e-4)
    for step, entropy in zip(run["step"], run["spectral/entropy_train"]):
        monitor.observe(step, with_entropy(entropy), train_accuracy=1.0)
        found, expected = monitor.predict_grok_time(), forecaster.forecast(step, entropy)
        for name in ("step", "lower", "upper"):
            assert getattr(found, name) == pytest.approx(float(getattr(expected, name)), abs=0.5)
        assert found.lower <= found.step <= found.upper
        assert "10 pilot runs" in str(found)


@pytest.mark.parametrize(
    ("step", "values", "text"),
    [
        (100, {}, "step=100: must be > 100, the step of the last update"),
        (99, {}, "step=99: must be > 100"),
        (math.nan, {}, "step=nan: must be > 100"),
        (math.inf, {}, "step=inf: must be ≥ 0 and finite"),
        (200, {"train_accuracy": 99.5}, r"train_accuracy=99.5: must be in \[0, 1\]"),
        (200, {"test_accuracy": -0.1}, r"test_accuracy=-0.1: must be in \[0, 1\]"),
        (200, {"norm": -3.0}, "norm=-3: must be ≥ 0"),
        (200, {"features": torch.ones(60, 6)}, "constant over the probe"),
        (200, {"features": with_entropy(0.7, n=6)}, r"\(6, 6\): must be \(60, 6\)"),
        (200, {"features": with_entropy(0.7) * math.nan}, "NaN or infinite in 60 of 60"),
        (200, {"features": with_entropy(0.7)[0]}, "must be a tensor of shape"),
        (200, {"features": with_entropy(0.7, n=61)}, r"must be \(60, 6\)"),
    ],
)
def test_what_cannot_be_observed_leaves_no_trace(step, values, text) -> None:
    monitor = SpectralEntropyMonitor(threshold=0.61)
    replay(monitor, [0.7], start=100)
    before = monitor.state_dict()
    given = {"features": with_entropy(0.7), "train_accuracy": 1.0, **values}
    with pytest.raises(InputError, match=text) as raised:
        monitor.observe(step, **given)
    assert "\n" not in str(raised.value)
    assert str(monitor.state_dict()) == str(before)  # NaN is not equal to itself


def test_a_negative_step() -> None:
    with pytest.raises(InputError, match="step=-1: must be ≥ 0"):
        replay(SpectralEntropyMonitor(threshold=0.61), [0.7], start=-1)


def test_a_repeated_step_costs_no_forward_pass() -> None:
    monitor = SpectralEntropyMonitor(None, lambda model, probe: 1 / 0, threshold=0.61)
    replay(monitor, [0.7])
    with pytest.raises(InputError, match="step=0: must be > 0"):
        monitor.update(0, Network(), train_accuracy=1.0)


@pytest.mark.parametrize("threshold", [0.0, 1.0, 1.5, math.nan])
def test_a_threshold_outside_its_range(threshold: float) -> None:
    with pytest.raises(InputError, match=r"must lie in \(0, 1\)"):
        SpectralEntropyMonitor(PROBE, body, threshold=threshold)


@pytest.mark.parametrize("threshold", [None, "x", [0.5]])
def test_a_threshold_that_is_no_number(threshold) -> None:
    with pytest.raises(InputError, match=r"threshold=.*: must be a number in \(0, 1\)"):
        SpectralEntropyMonitor(PROBE, body, threshold=threshold)


def test_no_forecast_before_the_first_update() -> None:
    with pytest.raises(InputError, match="no update yet"):
        SpectralEntropyMonitor(threshold=0.61).predict_grok_time()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_model_on_a_gpu() -> None:
    model = Network().cuda()
    monitor = SpectralEntropyMonitor(PROBE.cuda(), body, threshold=0.61)
    before = torch.cuda.get_rng_state()
    state = monitor.update(0, model, train_accuracy=0.5)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert state.entropy == pytest.approx(
        spectral_entropy(body(model.cpu().eval(), PROBE).detach()), abs=1e-4
    )


@pytest.mark.slow
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
    *pilots, threshold, first = ran.stdout.splitlines()[:4]
    assert all("pilot run" in line and "grokked" in line for line in pilots)
    assert re.fullmatch(r"threshold 0\.\d+, 95 % interval 0\.\d+ to 0\.\d+", threshold)
    assert "memorisation" in first
    assert re.search(r"Forecast: step [\d,]+ \[[\d,]+, [\d,]+\] \(95 % interval", ran.stdout)
    *_, stop, last = ran.stdout.splitlines()
    assert "Stop: the entropy has been at or below 0." in stop
    assert last.startswith("test accuracy")


def test_the_code_of_the_page_runs(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    loop, calibration = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/monitor.md").read_text(), flags=re.DOTALL
    )
    model = Network()
    model.encode = model.body
    names = {"model": model, "probe": PROBE, "steps": 301, "accuracy": 0.5}
    exec(loop, names)
    assert capsys.readouterr().out.count("step ") == 4
    pilots = [SpectralEntropyMonitor(threshold=0.5) for _ in range(2)]
    for pilot in pilots:
        for step in (0, 200):
            features = with_entropy(0.9 - step / 1_000)
            pilot.observe(step, features, train_accuracy=1.0, test_accuracy=step / 200)
    monkeypatch.chdir(ROOT)
    exec(calibration, names | {"first": pilots[0], "second": pilots[1], "features": body})
