"""All of the GPU's benchmark that a CPU can run; what takes a GPU is in training/test_cuda.py."""

import json
import re
import time
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from benchmarks.contenders.cuda_graph import RecordedPack
from benchmarks.contenders.networks import cells
from benchmarks.gpu import Budget, Task
from grokpipe.training.pack import Pack
from tests.helpers import cli

ONCE = "--device cpu --networks transformer --seconds 0 --rounds 1 --widths 2 --cells 2 --steps 2"


@pytest.fixture
def no_compiler(monkeypatch) -> None:
    monkeypatch.setattr(gpu, "worth_compiling", lambda *_: (False, "not compiled: no C++ compiler"))


def test_all_of_it_on_a_cpu(small, no_compiler, monkeypatch, tmp_path, capsys) -> None:
    commands = []

    def in_a_forked_process(arguments, folder) -> int:
        commands.append(arguments)
        small = ["arch.width=12", "batch_size=16", "threads=1", cli.SERIAL]
        return cli.grokpipe(*arguments[2:], *small, cwd=folder).returncode

    monkeypatch.setattr(gpu, "exit_code", in_a_forked_process)
    monkeypatch.setattr(gpu, "missing_jax", lambda: "optax")
    gpu.main([*ONCE.split(), "--out", str(tmp_path / "gpu.json")])
    result = json.loads((tmp_path / "gpu.json").read_text())
    assert json.loads(capsys.readouterr().out) == result
    found = result["transformer"]
    trained = {name: value for name, value in found.items() if isinstance(value, float)}
    assert set(trained) == {"plain", "pack of 2", "pack of 2, CUDA graph"}
    assert all(rate > 0 for rate in trained.values())
    missing = "failed: RuntimeError: not compiled: no C++ compiler"
    assert found["pack of 2, compiled, CUDA graph"] == missing
    assert found["JAX, 2"] == "failed: RuntimeError: optax not installed"
    assert result["finished"]["transformer"]["2"] > 0
    assert ["seed=range(2)" in command for command in commands] == [True]
    assert "gpu" not in result["machine"]


def test_the_plain_loop_on_images(small) -> None:
    options = gpu.Options(torch.device("cpu"), (), (), 0, 1, 2)
    (rate,) = gpu.rates_of_plain("mlp", options)
    assert rate > 0


def test_a_pack_with_a_recorded_step_trains_as_the_pack(small) -> None:
    members = cells("transformer", 2)
    pack, recorded = Pack(members), RecordedPack(Pack(members))
    pack.advance(3)
    recorded.advance(3)
    assert recorded.pack.step == 3
    for name, parameter in pack.parameters.items():
        assert torch.equal(recorded.pack.parameters[name], parameter)


def test_jax_trains_on_the_device(small) -> None:
    pytest.importorskip("jax", reason="JAX is not installed (the extra `bench`)")
    pytest.importorskip("optax", reason="optax is not installed (the extra `bench`)")
    options = gpu.Options(torch.device("cpu"), (1,), (), 0, 1, 2)
    (rate,) = gpu.rates_of_jax("mlp", 2, options)
    assert rate > 0


def test_what_fails_or_does_not_fit_says_so() -> None:
    def numbers():
        yield 1.23
        raise ValueError("too\nlong")

    def endless():
        time.sleep(60)
        yield 1.0

    budget = Budget(100)
    assert budget.measure(Task(("a", "b"), 5, numbers)) == {
        "a": 1.2,
        "b": "failed: ValueError: too",
    }
    skipped = str(budget.measure(Task(("a",), 200, numbers))["a"])
    left = re.fullmatch(r"skipped: takes about 200 s, (\d+) s are left", skipped)
    assert left and int(left[1]) <= 100  # on a busy machine some seconds have passed
    assert Budget(0.05).measure(Task(("a",), 0, endless)) == {
        "a": "failed: TimeoutError: the time was over"
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--networks", "mpl"], "--networks mpl: must be among mlp, mlp_four_layers"),
        (["--device", "cpu", "--store"], "--store keeps numbers of a GPU: not with --device cpu"),
        (["--widths", "0"], "argument --widths: invalid numbers value: '0'"),
        ([], "no CUDA device on this machine"),
    ],
)
def test_wrong_arguments(arguments, said, capsys, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as ended:
        gpu.main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_command_that_fails_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(gpu, "exit_code", lambda arguments, folder: 3)
    options = gpu.Options(torch.device("cpu"), (), (2,), 0, 1, 2)
    with pytest.raises(RuntimeError, match=r"seed=range\(2\) device=cpu: exit code 3"):
        next(gpu.finished("mlp", 2, options))


def test_a_command_ends_with_its_time(tmp_path) -> None:
    """Its children too."""
    child = "import time; time.sleep(60)"
    parent = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', '{child}']); "
    parent += f"open('{tmp_path}/child', 'w').write(str(p.pid)); p.wait()"
    with pytest.raises(TimeoutError), gpu.stopped_after(1.5):
        gpu.exit_code(["-c", parent], tmp_path)
    number = int((tmp_path / "child").read_text())
    until = time.monotonic() + 10
    while is_running(number) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(number)


def is_running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rsplit(")")[-1].split()[0]
    except OSError:
        return False
    return state != "Z"
