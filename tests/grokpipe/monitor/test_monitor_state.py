"""Saved monitors, those that pilot runs calibrate, and what neither takes."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from grokpipe.curves.phases import Guide
from grokpipe.errors import InputError
from grokpipe.monitor.monitor import COLUMNS, SpectralEntropyMonitor
from tests.helpers.monitored import ARM, FOLDER, PROBE, body, replay, with_entropy


@pytest.mark.parametrize("carrier", ["json", "checkpoint"])
def test_a_saved_monitor_goes_on_identically(carrier: str) -> None:
    entropies = [0.8, 0.78, 0.75, 0.71, 0.68, 0.66, 0.63] + [0.6] * 14
    guide = Guide(stop_after=800)
    whole = SpectralEntropyMonitor.calibrate(FOLDER, arm=ARM, guide=guide)
    expected = replay(whole, entropies, norm=20.0)
    first = SpectralEntropyMonitor.calibrate(FOLDER, arm=ARM, guide=guide)
    replay(first, entropies[:5], norm=20.0)
    saved = through(carrier, first.state_dict())

    second = SpectralEntropyMonitor(PROBE, body, threshold=0.2)
    second.load_state_dict(saved)
    assert second.predict_grok_time() == first.predict_grok_time()
    assert replay(second, entropies[5:], norm=20.0, start=500) == expected[5:]
    pd.testing.assert_frame_equal(second.history, whole.history)
    assert expected[-1].should_stop
    with pytest.raises(InputError, match=r"must be \(60, 6\), as at the last update"):
        second.observe(9_999, with_entropy(0.5, d=5), train_accuracy=1.0)


def through(carrier: str, state: dict) -> dict:
    if carrier == "json":
        return json.loads(json.dumps(state))
    buffer = io.BytesIO()
    torch.save({"monitor": state}, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)["monitor"]


def test_a_new_monitor_can_be_saved() -> None:
    other = SpectralEntropyMonitor(threshold=0.3)
    other.load_state_dict(SpectralEntropyMonitor(threshold=0.5).state_dict())
    assert other.threshold == 0.5
    assert not len(other.history)


def test_what_is_not_a_state_is_not_loaded() -> None:
    with pytest.raises(InputError, match="version=None: must be 1"):
        SpectralEntropyMonitor(threshold=0.5).load_state_dict({"weight": torch.ones(3)})


@pytest.mark.parametrize(
    "damage",
    [
        {"shape": None, "history": None},
        {"guide": {"nearer": 1.0}},
        {"guide": {"near": -1.0}},
        {"guide": None},
        {"calibration": {"threshold": 0.4}},
        {"calibration": None},
        {"history": {"step": [0.0]}},
        {"history": {name: [0.0] for name in COLUMNS} | {"norm": []}},
        {"history": {name: ["a"] for name in COLUMNS}},
        {"shape": 60},
    ],
)
def test_a_damaged_state_leaves_the_monitor_as_it_is(damage: dict) -> None:
    monitor = SpectralEntropyMonitor(threshold=0.61)
    replay(monitor, [0.7], test=0.1, norm=3.0)
    other = SpectralEntropyMonitor(threshold=0.3, guide=Guide(near=0.1), capped=True)
    before = monitor.state_dict()
    for wrong in ({**other.state_dict(), **damage}, {"version": 1}):
        with pytest.raises(InputError, match="state: damaged") as raised:
            monitor.load_state_dict(wrong)
        assert "\n" not in str(raised.value)
        assert monitor.state_dict() == before


def test_what_is_no_mapping_is_not_loaded() -> None:
    with pytest.raises(InputError, match="state: list: must be the result of state_dict"):
        SpectralEntropyMonitor(threshold=0.5).load_state_dict([1])


def test_calibration_from_the_histories_of_other_monitors() -> None:
    pilots = []
    for fall in (0.02, 0.03):
        pilot = SpectralEntropyMonitor(threshold=0.5)
        replay(pilot, [0.9, 0.8, 0.75, 0.7])
        replay(pilot, [0.7 - fall], test=0.99, start=400)
        replay(pilot, [0.5], test=1.0, start=500)
        pilots.append(pilot.history)
    monitor = SpectralEntropyMonitor.calibrate(pilots, PROBE, body)
    assert monitor.threshold == pytest.approx(0.675)
    assert (monitor.calibration.grokked, monitor.calibration.others) == (2, 0)
    assert (monitor.probe is PROBE, monitor.features) == (True, body)
    replay(monitor, [0.8])
    assert monitor.predict_grok_time().lower is not None

    one = SpectralEntropyMonitor.calibrate([pilots[0], pilots[1].head(4)])
    assert one.threshold == pytest.approx(0.68)
    assert (one.calibration.grokked, one.calibration.others) == (1, 1)
    replay(one, [0.8])
    assert "no interval: only one pilot run grokked" in str(one.predict_grok_time())

    with pytest.raises(InputError, match="pilots: none of 1 runs grokked"):
        SpectralEntropyMonitor.calibrate([pilots[0].head(4)])
    with pytest.raises(InputError, match="must be None where the pilots are histories"):
        SpectralEntropyMonitor.calibrate(pilots, arm={"seed": 0})


def test_why_a_forecast_has_no_interval() -> None:
    """Two runs grokked, but only one was seen before: no run can be forecast from another."""
    late, at_once = SpectralEntropyMonitor(threshold=0.5), SpectralEntropyMonitor(threshold=0.5)
    replay(late, [0.9, 0.8])
    replay(late, [0.7], test=1.0, start=200)
    replay(at_once, [0.6], test=1.0)
    monitor = SpectralEntropyMonitor.calibrate([late.history, at_once.history])
    assert monitor.calibration.grokked == 2
    replay(monitor, [0.8])
    why = "no interval: only one pilot run has an evaluation before it grokked"
    assert why in str(monitor.predict_grok_time())


def test_pilots_with_a_capped_probe_calibrate_a_monitor_for_it() -> None:
    pilot = SpectralEntropyMonitor(threshold=0.5, capped=True)
    small = torch.randn(12, 30, generator=torch.Generator().manual_seed(0))
    for step, size in enumerate((1.0, 0.5, 0.1)):  # of all but one direction
        features = torch.cat([small[:, :1], small[:, 1:] * size], dim=1)
        pilot.observe(step, features, train_accuracy=1.0, test_accuracy=step / 2)
    monitor = SpectralEntropyMonitor.calibrate([pilot.history], capped=True)
    assert monitor.observe(0, small, train_accuracy=1.0).entropy > monitor.threshold
    with pytest.raises(InputError, match="the probe must have more than 30 samples"):
        SpectralEntropyMonitor.calibrate([pilot.history]).observe(0, small, train_accuracy=1.0)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (pd.DataFrame({"step": [0]}), "pilots: DataFrame: must be a folder or a list of tables"),
        (None, "pilots: NoneType: must be a folder or a list of tables"),
        ([SpectralEntropyMonitor(threshold=0.5)] * 2, "pilots: SpectralEntropyMonitor in the list"),
        (["folder"], "pilots: str in the list: must be"),
    ],
)
def test_pilots_that_are_no_histories(wrong, text) -> None:
    with pytest.raises(InputError, match=text) as raised:
        SpectralEntropyMonitor.calibrate(wrong)
    assert "\n" not in str(raised.value)


def test_calibration_from_a_folder_without_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither run logs"):
        SpectralEntropyMonitor.calibrate(tmp_path, PROBE, body)
