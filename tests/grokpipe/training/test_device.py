"""Devices by name, and the GPUs that workers are spread over."""

import pytest
import torch

from grokpipe.errors import InputError
from grokpipe.training import device


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_a_gpu_there_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.device_of("auto") == device.device_of("cpu") == torch.device("cpu")
    assert device.gpus(torch.device("cpu")) == [None]
    with pytest.raises(InputError, match=r"device=cuda: not on this machine; valid: auto, cpu$"):
        device.device_of("cuda")


def test_with_gpus_each_may_be_named(two_gpus) -> None:
    assert device.device_of("auto") == torch.device("cuda")
    assert device.device_of("cuda:1") == torch.device("cuda:1")
    with pytest.raises(InputError, match=r"valid: auto, cpu, cuda, cuda:0, cuda:1$"):
        device.device_of("cuda:2")


def test_packs_are_spread_over_the_gpus_that_are_visible(two_gpus, monkeypatch) -> None:
    assert device.gpus(torch.device("cuda")) == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-8a")
    assert device.gpus(torch.device("cuda")) == ["3", "GPU-8a"]
    assert device.gpus(torch.device("cuda:1")) == [None]
